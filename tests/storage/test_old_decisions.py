"""Decisions go by age and by number, and never what a position that is open came of."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from storage.postgres.database import connect, now_us
from storage.upkeep import rows as upkeep_rows
from storage.upkeep.kept import DAY_US
from storage.upkeep.pruning import prune, would_prune
from tests.api.made_decisions import decided
from tests.builders import KEPT, trader

OLD_US = 31 * DAY_US


@pytest.fixture
def database(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    with connect(database_url, "test") as connection:
        yield connection


def left(database: psycopg.Connection[Any]) -> list[str]:
    return [str(one) for (one,) in database.execute("SELECT id FROM decisions ORDER BY seq")]


def made(database: psycopg.Connection[Any], age_us: int, **changes: Any) -> str:
    return decided(database, [1.0], created_at_us=now_us() - age_us, **changes)


def voted(
    database: psycopg.Connection[Any], symbol: str = "BTC/USDT", **of_verdict: Any
) -> list[str]:
    """Long ago: a signal that won a vote, the consensus, and the verdict on it."""
    winner = made(database, OLD_US, symbol=symbol)
    context = json.dumps({"winners": [winner]})
    consensus = made(database, OLD_US, symbol=symbol, kind="consensus", context=context)
    verdict = made(
        database,
        OLD_US,
        symbol=symbol,
        kind="risk_approval",
        session_id=uuid4(),
        cause_id=UUID(consensus),
        **of_verdict,
    )
    return [winner, consensus, verdict]


def test_what_is_older_goes_with_its_feedback(database: psycopg.Connection[Any]) -> None:
    old, new = made(database, OLD_US), made(database, OLD_US - 2 * DAY_US)
    user = trader(database)
    for decision in (old, new):
        database.execute(
            "INSERT INTO decision_feedback (id, decision_id, user_id, rating, tags, created_at_us,"
            " updated_at_us) VALUES (%s, %s, %s, 'positive', '[]', 0, 0)",
            (uuid4(), decision, user),
        )
    assert would_prune(database, now_us(), KEPT)["decisions"] == 1
    assert prune(database, now_us(), KEPT)["decisions"] == 1
    assert left(database) == [new]
    spoken = database.execute("SELECT decision_id::text FROM decision_feedback").fetchall()
    assert spoken == [(new,)]


def test_beyond_their_number_the_oldest_go_some_at_a_time(
    database: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep_rows, "ROWS_MAX", 3)
    all_made = [made(database, OLD_US), *(made(database, 10 - place) for place in range(10))]
    few = replace(KEPT, decisions_max=4)
    assert would_prune(database, now_us(), few)["decisions"] == 7
    prune(database, now_us(), few, pause=lambda: True)
    assert left(database) == all_made[3:]
    prune(database, now_us(), few)
    assert left(database) == all_made[-4:]


@pytest.mark.parametrize("waits", [{"outcome": "PENDING"}, {"order_state": "WISHED"}])
def test_what_waits_stays_with_all_that_led_to_it(
    database: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch, waits: dict[str, str]
) -> None:
    monkeypatch.setattr(upkeep_rows, "ROWS_MAX", 2)
    needed = voted(database, **waits)
    over = voted(database, symbol="ETH/USDT", outcome="SUCCESS")
    outvoted = [made(database, OLD_US) for _ in range(5)]
    assert prune(database, now_us(), KEPT)["decisions"] == len(over) + len(outvoted)
    assert left(database) == needed
    made(database, 0)
    prune(database, now_us(), replace(KEPT, decisions_max=1))
    assert left(database)[:3] == needed


def test_what_was_decided_together_stays_until_the_last_of_it_is_told(
    database: psycopg.Connection[Any],
) -> None:
    waiting = voted(database, outcome="PENDING", order_state="SENT")
    verdict = {"kind": "risk_approval", "session_id": uuid4()}
    of_its_time = [
        made(database, OLD_US, outcome="SUCCESS", order_state="SENT", **verdict),
        made(database, OLD_US - 20_000_000, kind="consensus"),
    ]
    others = [
        made(database, OLD_US + 3 * DAY_US, outcome="SUCCESS", order_state="SENT", **verdict),
        made(database, OLD_US, action="HOLD", **verdict),
        made(database, OLD_US, kind="consensus", symbol="ETH/USDT"),
    ]
    assert prune(database, now_us(), KEPT)["decisions"] == len(others)
    assert left(database) == [*waiting, *of_its_time]
    database.execute("UPDATE decisions SET outcome = 'SUCCESS' WHERE outcome = 'PENDING'")
    assert prune(database, now_us(), KEPT)["decisions"] == 5


def test_entries_of_the_audit_and_headlines_go_later(database: psycopg.Connection[Any]) -> None:
    for days in (1, 31, 61, 366):
        at_us = now_us() - days * DAY_US
        database.execute(
            "INSERT INTO control_entries (user_id, action, subject, outcome, details, at_us)"
            " VALUES (1, 'config_changed', '', 'done', '{}', %s)",
            (at_us,),
        )
        database.execute(
            "INSERT INTO headlines (at_us, asset, text, score_ppm, source, weight_ppm)"
            " VALUES (%s, 'BTC', 'A rally', 1, 'wire', 1)",
            (at_us,),
        )
    done = prune(database, now_us(), KEPT)
    assert (done["control_entries"], done["headlines"]) == (1, 2)
