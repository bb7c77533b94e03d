"""What the auditor has found is told in /health and /metrics, in time and without names."""

import time
from collections.abc import Iterator

import pytest

from storage.reading.audit_readings import STALE_US, Reading, write_readings
from tests.api.deployment import Deployment

GAP = "ETH-PERP: 3 batches are not in the tables and have not moved for 31 s"
READINGS = [
    Reading("unprojected_batches", "ETH-PERP", 3, GAP),
    Reading("unprojected_age_us", "ETH-PERP", 31_500_000),
    Reading("unnumbered_commands", "", 0),
    Reading("of_a_later_version", "", 1),
]


@pytest.fixture
def audited(exchange: Deployment) -> Iterator[Deployment]:
    yield exchange
    exchange.database.execute("DELETE FROM audit_readings")


def write(deployment: Deployment, age_us: int = 0) -> None:
    write_readings(deployment.database, READINGS, time.time_ns() // 1_000 - age_us)


def test_a_gap_that_has_not_healed_is_in_the_health(audited: Deployment) -> None:
    assert "gaps" not in audited.http.get("/health").json()
    write(audited)
    answer = audited.http.get("/health")
    assert (answer.status_code, answer.json()["ok"]) == (200, True)
    assert answer.json()["gaps"] == [GAP]


def test_an_auditor_that_is_silent_is_told(audited: Deployment) -> None:
    write(audited, STALE_US + 1_000_000)
    gaps = audited.http.get("/health").json()["gaps"]
    assert gaps[0] == GAP
    assert gaps[1].startswith("nothing was audited for 30")


def test_readings_are_gauges_in_base_units(audited: Deployment) -> None:
    write(audited)
    metrics = audited.metrics()
    assert 'sandpit_audit_unprojected_batches{market="ETH-PERP"} 3.0' in metrics
    assert 'sandpit_audit_unprojected_age_seconds{market="ETH-PERP"} 31.5' in metrics
    assert 'sandpit_audit_unnumbered_commands{market=""} 0.0' in metrics
