"""What nobody owns is kept for a while: journal, commands, the public tape, strategies' entries.
Simulations that have ended go when their own time is over, and decisions of agents when they are
old or too many.

Clients' orders, fills and ledger stay. The journal is cut off behind a snapshot, so that what
remains of it still replays to the market's state.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import psycopg

from sim.money.ledger import STRATEGIES_FIRST
from storage.errors import CorruptState, DatabaseUnavailable, wrapped
from storage.market.journal import events_after
from storage.market.journal_cut import Cut, cut_before, drop_snapshots
from storage.market.markets import load_specs
from storage.runs.agent_backtests import FORGOTTEN
from storage.runs.simulation_keeping import OVER
from storage.upkeep.kept import HOUR_US, Kept
from storage.upkeep.old_decisions import old_of_agents
from storage.upkeep.rows import Rows
from storage.upkeep.strategy_ledger import carry_forward, carry_lone, old_rows

PRUNE_LOCK = 7_236_005
"""Advisory lock number, next to the migrations' and the deployment's."""

TRANSACTIONS_MAX = 2_000
"""Of one kind in one pruning; what is left then waits for the next."""

FRAMES_KEPT_US = HOUR_US
"""How long somebody who was told of an account may be away and still hear all that was missed."""

COMPARED = "SELECT value FROM audit_readings WHERE name = 'compared_batch' AND market_id = %s"
LOCK = "SELECT pg_try_advisory_lock(%s)"
UNLOCK = "SELECT pg_advisory_unlock(%s)"

Pruned = dict[str, int]
"""Rows by table; of ledger_entries, transactions that strategies had among themselves."""


def old_of_market(cut: Cut) -> list[Rows]:
    """What is behind the cut of a market's journal: all of it is applied and projected."""
    market_id, batch_no = cut.market_id, cut.batch_no
    return [
        Rows(
            "journal_packs",
            "market_id, last_batch",
            "market_id = %s AND last_batch <= %s",
            (market_id, batch_no),
        ),
        Rows(
            "journal",
            "market_id, batch_no",
            "market_id = %s AND batch_no <= %s",
            (market_id, batch_no),
        ),
        Rows(
            "commands",
            "market_id, command_seq",
            "market_id = %s AND command_seq <= %s",
            (market_id, cut.command_seq),
        ),
    ]


def tape_before(connection: psycopg.Connection[Any], market_id: str, before_us: int) -> int:
    """Trades that are still to be compared with the journal are kept, however old they are."""
    with wrapped():
        row = connection.execute(COMPARED, (market_id,)).fetchone()
    waiting = events_after(connection, market_id, int(row[0]), 1) if row is not None else []
    return min(before_us, int(waiting[0][3]) - HOUR_US) if waiting else before_us


def old_of_all(
    connection: psycopg.Connection[Any], market_ids: Sequence[str], before_us: int
) -> list[Rows]:
    """What goes by its age alone."""
    by_age = "created_at_us < %s"
    tapes = [
        Rows(
            "trades",
            "market_id, event_seq",
            "market_id = %s",
            (market_id, tape_before(connection, market_id, before_us)),
            by_age,
        )
        for market_id in market_ids
    ]
    # Fills of strategies are written no more; a database of before may hold some. Looked for by
    # account, so that nothing is read where there are none.
    fills = Rows(
        "fills",
        "account_id, market_id, event_seq, is_maker",
        "account_id >= %s AND created_at_us < %s",
        (STRATEGIES_FIRST, before_us),
    )
    return [*tapes, fills]


def old_frames(now_us: int) -> list[Rows]:
    """What nobody will ask for any more of accounts that somebody listened to."""
    before = (now_us - FRAMES_KEPT_US,)
    return [
        Rows("account_frames", "at_us, account_id, seq", "at_us < %s", before),
        Rows("listened_accounts", "account_id", "until_us < %s", before, free=True),
    ]


def old_simulations(now_us: int) -> Rows:
    """Those whose time after the end is over, with their reports."""
    return Rows("simulations", "id", OVER, (now_us,))


def old_backtests() -> Rows:
    """Those whose simulations are all gone."""
    return Rows("agent_backtests", "id", FORGOTTEN, ())


def prune(
    connection: psycopg.Connection[Any],
    now_us: int,
    kept: Kept,
    pause: Callable[[], object] = lambda: None,
) -> Pruned:
    """Take away what is kept no longer; rows by table.

    `pause` is called between transactions; where it answers true, the rest waits for the next time.
    Raises CorruptState for markets whose journal has a gap: the others are done all the same.
    """
    before_us, damage = now_us - kept.history_us, list[str]()
    done: Pruned = {}
    with only_one(connection):
        wanted = old_of_all(connection, list(load_specs(connection)), before_us)
        wanted += [old_simulations(now_us), old_backtests(), *old_frames(now_us)]
        wanted += old_of_agents(connection, now_us, kept)
        for cut in cuts(connection, before_us, damage):
            drop_snapshots(connection, cut, kept.history_us)
            wanted += old_of_market(cut)
        for rows in wanted:
            taken = until_none(partial(rows.take_some, connection), pause)
            done[rows.table] = done.get(rows.table, 0) + taken
        carry = partial(carry_forward, connection, before_us)
        done["strategy_ledger"] = until_none(carry, pause)
        done["ledger_entries"] = carry_lone(connection, before_us, pause)
    if damage:
        raise CorruptState("; ".join(damage))
    return done


def would_prune(connection: psycopg.Connection[Any], now_us: int, kept: Kept) -> Pruned:
    """What `prune` would take away. Raises CorruptState as it does."""
    before_us, damage = now_us - kept.history_us, list[str]()
    wanted = old_of_all(connection, list(load_specs(connection)), before_us)
    wanted += [old_simulations(now_us), old_backtests(), *old_frames(now_us)]
    wanted += old_of_agents(connection, now_us, kept)
    for cut in cuts(connection, before_us, damage):
        wanted += old_of_market(cut)
    if damage:
        raise CorruptState("; ".join(damage))
    found: Pruned = {}
    for rows in wanted:
        found[rows.table] = found.get(rows.table, 0) + rows.count(connection)
    found["strategy_ledger"], found["ledger_entries"] = old_rows(connection, before_us)
    return found


def cuts(connection: psycopg.Connection[Any], before_us: int, damage: list[str]) -> Iterator[Cut]:
    """Where each market's journal may be cut off; why not goes into `damage`."""
    for market_id in load_specs(connection):
        try:
            cut = cut_before(connection, market_id, before_us)
        except CorruptState as error:
            damage.append(str(error))
            continue
        if cut is not None:
            yield cut


def until_none(take: Callable[[], int], pause: Callable[[], object]) -> int:
    """Take again and again, TRANSACTIONS_MAX times at the most; how many rows in all."""
    total = 0
    for _ in range(TRANSACTIONS_MAX):
        taken = take()
        total += taken
        if not taken or pause():
            break
    return total


@contextmanager
def only_one(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """Raises DatabaseUnavailable where another pruning is under way."""
    with wrapped():
        row = connection.execute(LOCK, (PRUNE_LOCK,)).fetchone()
    if row != (True,):
        raise DatabaseUnavailable("another pruning is under way")
    try:
        yield
    finally:
        if not connection.closed:
            connection.execute(UNLOCK, (PRUNE_LOCK,))
