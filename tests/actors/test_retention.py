"""Three days in a few seconds: what nobody owns goes, what clients own stays, all still adds up."""

import random
import time
from typing import Any

import psycopg
import pytest

from actors.live.keeper import Keeper
from sim.money.ledger import STRATEGIES_FIRST
from sim.orders import OrderStatus
from sim.rows.messages import Side
from storage.errors import CorruptState
from storage.market.journal import chain_after, events_after, journal_after
from storage.market.recovery import Recovered, Start, recover, replay, restored
from storage.reading.audit_readings import Reading, write_readings
from storage.upkeep import rows as upkeep_rows
from storage.upkeep.kept import HOUR_US
from storage.upkeep.pruning import prune, would_prune
from storage.upkeep.strategy_ledger import CARRIED
from tests.actors.house import MARKET, House, bytes_of
from tests.actors.lived_market import LivedMarket
from tests.auditor import LEDGER_LEGS
from tests.builders import KEPT, order
from tests.markets import ETH_PERP
from tests.waiting import eventually

KEPT_HOURS = KEPT.history_hours
DAYS = 3
STEP_HOURS = 3
BATCHES_A_STEP = 9
UNOWNED = "journal, journal_packs, trades, strategy_ledger, snapshots, commands"
GROWTH_MAX = 1.2
"""Pages and not rows are counted; what was not pruned would add a third."""

OWNED = (
    f"SELECT o::text FROM orders o WHERE status > {OrderStatus.PARTIALLY_FILLED:d}",
    "SELECT id::text FROM orders",
    "SELECT f::text FROM fills f",
    "SELECT e::text FROM ledger_entries e",
    "SELECT t::text FROM transfers t",
)
"""What clients own: nothing of it may go, and only an open order may still change."""


@pytest.fixture
def lived(house: House) -> LivedMarket:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    return LivedMarket(house, seed)


@pytest.fixture
def keeper(house: House) -> Any:
    built = Keeper(house.urls[0], KEPT)
    yield built
    built.stop()


FIRST_KEPT = f"""
SELECT min(first) FROM (
    SELECT first_batch AS first FROM journal_packs WHERE market_id = '{MARKET}'
    UNION ALL
    SELECT batch_no FROM journal WHERE market_id = '{MARKET}') AS kept"""


def live(lived: LivedMarket, began_us: int, hours: int, keeper: Keeper | None = None) -> int:
    """So many hours, with a keeper; the time after them."""
    step_us = STEP_HOURS * HOUR_US
    for at_us in range(began_us, began_us + hours * HOUR_US, step_us):
        lived.accept(lived.client_order())
        for batch in range(BATCHES_A_STEP):
            lived.write(at_us + batch * step_us // BATCHES_A_STEP)
            if batch % 3 == 0:
                lived.keep_snapshot(at_us + batch * step_us // BATCHES_A_STEP)
        if keeper is not None:
            keeper.tidy(at_us + step_us)
            keeper.prune(at_us + step_us)
            assert keeper.health()["failures"] == 0
            lived.database.execute(f"VACUUM {UNOWNED}")  # as autovacuum does meanwhile
    return began_us + hours * HOUR_US


def began() -> int:
    """So that three days later it is now."""
    return (time.time_ns() // 1_000) - DAYS * 24 * HOUR_US


def owned(database: psycopg.Connection[Any]) -> dict[str, set[Any]]:
    """All that clients own, by statement."""
    return {statement: set(database.execute(statement).fetchall()) for statement in OWNED}


def bytes_held(database: psycopg.Connection[Any]) -> int:
    """Of what nobody owns."""
    row = database.execute(
        "SELECT sum(pg_total_relation_size(name::regclass)) FROM unnest(%s::text[]) AS name",
        (UNOWNED.split(", "),),
    ).fetchone()
    assert row is not None
    return int(str(row[0]))


def wrong_money(database: psycopg.Connection[Any]) -> list[Any]:
    """Balances that are not their ledger's sum, and transactions that do not sum to zero."""
    return [
        *database.execute(
            f"SELECT account_id FROM balances b LEFT JOIN (SELECT account_id, sum(amount_atoms) AS"
            f" total FROM ({LEDGER_LEGS}) l GROUP BY 1) s USING (account_id)"
            f" WHERE b.total_atoms <> coalesce(s.total, 0)"
        ),
        *database.execute(
            f"SELECT source, seq FROM ({LEDGER_LEGS}) l GROUP BY source, seq, asset"
            f" HAVING sum(amount_atoms) <> 0"
        ),
    ]


def replayed_from_oldest(house: House, lived: LivedMarket) -> bytes:
    """The state hash that the oldest snapshot and all of the journal behind it come to."""
    row = house.database.execute(
        "SELECT batch_no, state_hash, state FROM snapshots WHERE market_id = %s"
        " ORDER BY batch_no LIMIT 1",
        (MARKET,),
    ).fetchone()
    assert row is not None
    batch_no, state_hash, state = int(str(row[0])), bytes_of(row[1]), bytes_of(row[2])
    engine = restored(ETH_PERP, state, state_hash)
    assert engine is not None
    chain = chain_after(house.database, MARKET, batch_no)
    assert chain is not None
    return replay(
        house.database, Start(Recovered(lived.head, engine, {}, 0), batch_no, chain)
    ).engine.state_hash()


def test_after_the_second_day_nothing_grows_clients_lose_nothing_and_it_starts_again(
    house: House, lived: LivedMarket, keeper: Keeper
) -> None:
    at_us = live(lived, began(), 54, keeper)
    second_day, of_clients = bytes_held(house.database), owned(house.database)
    at_us = live(lived, at_us, DAYS * 24 - 54, keeper)
    third_day = bytes_held(house.database)
    print(f"{second_day:,} bytes after the second day, {third_day:,} after the third")
    assert third_day <= second_day * GROWTH_MAX
    now_owned = owned(house.database)
    for statement, rows in of_clients.items():
        assert rows <= now_owned[statement]
    assert house.count("SELECT count(*) FROM fills") > 0
    assert house.count(f"SELECT count(*) FROM fills WHERE account_id >= {STRATEGIES_FIRST}") == 0

    oldest = at_us - (KEPT_HOURS + STEP_HOURS) * HOUR_US
    assert house.count("SELECT min(created_at_us) FROM trades") >= oldest
    packs = "SELECT min(time_us) FROM journal_packs"
    assert house.count(packs) >= oldest - KEPT_HOURS // 8 * HOUR_US
    assert house.count("SELECT min(command_seq) FROM commands") > 1
    assert house.count(f"SELECT count(*) FROM strategy_ledger WHERE source = '{CARRIED}'") == 1
    aged = "SELECT min(created_at_us) FROM strategy_ledger WHERE source = 'ETH-PERP'"
    assert house.count(aged) >= oldest
    assert wrong_money(house.database) == []

    assert replayed_from_oldest(house, lived) == lived.engine.state_hash()
    start = house.count(FIRST_KEPT) - 1
    assert start > 0
    assert chain_after(house.database, MARKET, start) is not None
    assert recover(house.database, ETH_PERP).engine.state_hash() == lived.engine.state_hash()

    house.open()
    far = house.place_one(order(lived.clients[0], Side.BUY, 3, price_ticks=5_000))
    eventually(lambda: house.state(far)[0] == OrderStatus.OPEN)
    house.cancel(lived.clients[0], far)
    eventually(lambda: house.state(far)[0] == OrderStatus.CANCELED)
    assert wrong_money(house.database) == []


def test_what_a_recorder_has_not_seen_and_a_market_not_applied_is_kept(
    house: House, lived: LivedMarket, keeper: Keeper
) -> None:
    at_us = live(lived, began(), 3)
    seen = lived.projection.batch_no
    for batch in range(30):
        lived.accept(lived.client_order()) if batch % 10 == 0 else None
        lived.write(at_us + batch, project=False)
    lived.keep_snapshot(at_us + 30)
    lived.accept(lived.client_order())
    late_us = at_us + 60 * HOUR_US
    keeper.tidy(late_us)
    keeper.prune(late_us)
    assert keeper.health()["failures"] == 0
    kept = [row[0] for row in journal_after(house.database, MARKET, seen, 1_000)]
    assert kept == list(range(seen + 1, lived.head.batch_no + 1))
    assert house.count("SELECT count(*) FROM commands WHERE command_seq IS NULL") == 1
    lived.project()
    lived.write(late_us)
    assert wrong_money(house.database) == []
    assert recover(house.database, ETH_PERP).engine.state_hash() == lived.engine.state_hash()


def test_packed_batches_are_read_like_others(
    house: House, lived: LivedMarket, keeper: Keeper
) -> None:
    at_us = live(lived, began(), 12)
    before = journal_after(house.database, MARKET, 0, 1_000)
    keeper.tidy(at_us + HOUR_US)
    assert house.count("SELECT count(*) FROM journal_packs") == 1
    assert house.count("SELECT count(*) FROM journal") < len(before)
    after: list[Any] = []
    while rows := journal_after(house.database, MARKET, len(after), 7):
        after += rows
    assert [tuple(map(_plain, row)) for row in after] == [tuple(map(_plain, row)) for row in before]
    house.database.execute("DELETE FROM snapshots")
    assert recover(house.database, ETH_PERP).engine.state_hash() == lived.engine.state_hash()
    house.database.execute(
        "UPDATE journal_packs SET data = overlay(data placing '\\x07' from octet_length(data) / 2)"
    )
    with pytest.raises(CorruptState):
        recover(house.database, ETH_PERP)


def _plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, bytes | memoryview) else value


def test_a_batch_that_is_not_what_was_written_is_not_packed(
    house: House, lived: LivedMarket, keeper: Keeper
) -> None:
    at_us = live(lived, began(), 3)
    house.database.execute("UPDATE journal SET events = '' WHERE batch_no = 7")
    keeper.tidy(at_us + HOUR_US)
    assert house.count("SELECT count(*) FROM journal_packs") == 0
    assert house.count("SELECT count(*) FROM journal") == lived.head.batch_no
    row = house.database.execute("SELECT failures, reason FROM upkeep").fetchone()
    assert row == (1, f"pack: {MARKET}: batch 7 is not what was written")


def test_a_database_that_is_away_is_a_failure_and_not_the_end() -> None:
    lonely = Keeper("postgresql://127.0.0.1:1/none", KEPT)
    lonely.tidy(0)
    lonely.prune(0)
    assert lonely.health() == {"packed": 0, "failures": 2}
    lonely.stop()


def test_behind_a_gap_or_a_damaged_snapshot_nothing_is_cut_off(
    house: House, lived: LivedMarket, keeper: Keeper
) -> None:
    at_us = live(lived, began(), 12) + KEPT_HOURS * HOUR_US
    batches = house.count("SELECT count(*) FROM journal")
    house.database.execute("UPDATE snapshots SET state = state || '\\x00'")
    prune(house.database, at_us, KEPT)
    assert house.count("SELECT count(*) FROM journal") == batches
    lived.write(at_us)
    lived.keep_snapshot(at_us - KEPT_HOURS * HOUR_US)
    lived.write(at_us)
    lived.write(at_us)
    house.database.execute("DELETE FROM journal WHERE batch_no = %s", (lived.head.batch_no - 1,))
    with pytest.raises(CorruptState, match="does not go on behind batch"):
        prune(house.database, at_us, KEPT)
    assert house.count("SELECT count(*) FROM journal") == batches + 2
    assert house.count("SELECT count(*) FROM trades") < batches  # by their age alone


def test_old_trades_that_are_still_to_be_compared_with_the_journal_are_kept(
    house: House, lived: LivedMarket
) -> None:
    at_us = live(lived, began(), 24)
    compared = lived.head.batch_no // 2
    write_readings(house.database, [Reading("compared_batch", MARKET, compared)], at_us)
    times = [int(row[3]) for row in events_after(house.database, MARKET, compared, 1)]
    waiting = "SELECT count(*) FROM trades WHERE created_at_us >= %s"
    before = house.database.execute(waiting, times).fetchone()
    trades = house.count("SELECT count(*) FROM trades")
    assert before is not None
    assert int(str(before[0])) > 0
    prune(house.database, at_us + 2 * KEPT_HOURS * HOUR_US, KEPT)
    assert house.database.execute(waiting, times).fetchone() == before
    assert house.count("SELECT count(*) FROM trades") < trades


def test_pruning_goes_in_small_transactions_and_ends_when_it_is_told_to(
    house: House, lived: LivedMarket, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_us = live(lived, began(), 6) + KEPT_HOURS * HOUR_US
    monkeypatch.setattr(upkeep_rows, "ROWS_MAX", 10)
    before = house.count("SELECT count(*) FROM trades")
    assert before > 30
    prune(house.database, at_us, KEPT, pause=lambda: True)
    assert house.count("SELECT count(*) FROM trades") == before - 10
    pauses = list[int]()
    prune(house.database, at_us, KEPT, pause=lambda: pauses.append(1))
    assert len(pauses) > (before - 20) // 10


def test_a_dry_run_tells_what_pruning_takes_and_takes_nothing(
    house: House, lived: LivedMarket
) -> None:
    at_us = live(lived, began(), 12) + KEPT_HOURS * HOUR_US
    before = owned(house.database), house.count("SELECT count(*) FROM journal")
    told = would_prune(house.database, at_us, KEPT)
    assert (owned(house.database), house.count("SELECT count(*) FROM journal")) == before
    assert told == prune(house.database, at_us, KEPT)
    assert told["journal"] > 0
    assert told["trades"] > 0
    assert set(would_prune(house.database, at_us, KEPT).values()) == {0}
