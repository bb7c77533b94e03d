"""Traders of little capital in a deployment: kill -9 of their actor lends them nothing."""

import os
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from sim.units import parse_atoms
from tests.auditor import audit
from tests.deployment import Deployment
from tests.waiting import eventually

pytestmark = [pytest.mark.ray, pytest.mark.slow]
CAPITAL, LEVERAGE, MINUTE_S = "400", 4, 60.0
WORLD = f"""
name = "poor"
seed = 7
[[markets]]
id = "SOL-PERP"
base = "SOL"
quote = "USDC"
tick_size = "0.1"
lot_size = "0.01"
max_quantity = "1000"
price = {{ process = "constant", price = "100" }}
[[populations]]
name = "makers"
strategy = "ladder"
heads = 2
capital = "100000000"
markets = ["SOL-PERP"]
[[populations]]
name = "poor"
strategy = "noise"
heads = 40
capital = "{CAPITAL}"
leverage = {LEVERAGE}
markets = ["SOL-PERP"]
[populations.parameters]
activity_ppm = 300_000
take_ppm = 900_000
quote_ppm = 0
size_min_quote = 200
size_max_quote = 900
"""
HELD = "SELECT max(abs(cost_atoms)) FROM positions WHERE account_id >= 2 * 1e9"
BATCHES = """
SELECT max((strategies::json ->> '2')::bigint) FROM journal WHERE strategies::json ->> '2' != ''"""
"""Of the second strategy."""


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    world = tmp_path / "poor.toml"
    world.write_text(WORLD)
    started = Deployment(tmp_path / "data", "--world", str(world))
    yield started
    assert started.stop() == 0


def has_asked(deployment: Deployment, more_than: int) -> bool:
    return asked(deployment, BATCHES) > more_than


def asked(deployment: Deployment, statement: str) -> int:
    with deployment.database() as database:
        row = database.execute(statement.encode()).fetchone()
    return int(row[0] or 0) if row else 0


def test_poor_traders_hold_what_their_capital_carries_also_after_a_kill(
    deployment: Deployment,
) -> None:
    most = parse_atoms(CAPITAL) * LEVERAGE
    eventually(lambda: asked(deployment, HELD) > most * 3 // 4, MINUTE_S)
    for _ in range(2):
        before = asked(deployment, BATCHES)
        killed = deployment.processes("strategies")
        for process in killed:
            os.kill(process.pid, signal.SIGKILL)
        assert len(killed) == 2
        eventually(partial(has_asked, deployment, before + 50), MINUTE_S)
        assert asked(deployment, HELD) <= most
    with deployment.database() as database:
        audit(database)
