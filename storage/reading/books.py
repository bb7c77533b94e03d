"""Whether clients' books add up: holds and balances, fills of trades; a bounded part a time."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import psycopg

from sim.market import MarketKind
from sim.money.ledger import STRATEGIES_FIRST
from sim.rows.messages import EventKind, Side
from storage.errors import wrapped
from storage.market.journal import events_after
from storage.order_states import OPEN
from storage.reading.projections import event_rows

LEDGER_ENTRIES_MAX = 10_000
"""Of one account that are added up, the newest; what was before them is taken from the first."""

COMPARE_BATCHES_MAX = 200

LOCKED_ASSET = f"""CASE WHEN m.kind = '{MarketKind.SPOT}' AND o.side = {Side.SELL:d}
    THEN m.base_asset ELSE m.quote_asset END"""
"""Of an order and its market: as MarketSpec.reserved_asset."""

ACCOUNTS = f"""
SELECT b.account_id, b.asset, b.total_atoms - l.total, b.locked_atoms - o.reserved - a.reserved,
    b.open_orders - o.count
FROM (SELECT * FROM balances WHERE account_id > %(after)s AND account_id < %(end)s
      ORDER BY account_id FETCH FIRST %(accounts)s ROWS WITH TIES) b,
LATERAL (SELECT coalesce(sum(reserved_atoms) FILTER (WHERE {LOCKED_ASSET} = b.asset), 0)
            AS reserved,
        count(*) FILTER (WHERE m.quote_asset = b.asset) AS count
    FROM orders o JOIN markets m USING (market_id)
    WHERE o.account_id = b.account_id AND o.{OPEN}) o,
LATERAL (SELECT coalesce(sum(a.reserved_atoms), 0) AS reserved
    FROM amendments a JOIN orders o ON o.id = a.order_id JOIN markets m USING (market_id)
    WHERE a.account_id = b.account_id AND {LOCKED_ASSET} = b.asset) a,
LATERAL (SELECT coalesce(sum(amount_atoms), 0)
        + coalesce((array_agg(balance_after_atoms - amount_atoms ORDER BY id))[1], 0) AS total
    FROM (SELECT id, amount_atoms, balance_after_atoms FROM ledger_entries
          WHERE account_id = b.account_id AND asset = b.asset ORDER BY id DESC
          LIMIT %(entries)s) newest) l
ORDER BY b.account_id"""
"""All balances of an account together."""
UNBALANCED = """
SELECT (SELECT count(*) FROM (
        SELECT FROM ledger_entries
        WHERE source = %(m)s AND seq > %(after)s AND seq <= %(last)s
        GROUP BY seq, asset HAVING sum(amount_atoms) <> 0) wrong)
    + (SELECT count(*) FROM strategy_ledger, LATERAL (
        SELECT sum(amount) AS total FROM unnest(amounts_atoms) AS amount) legs
        WHERE source = %(m)s AND last_seq > %(after)s AND last_seq <= %(last)s
        AND legs.total <> 0)"""
WRITTEN = """
SELECT (SELECT count(*) FROM trades WHERE market_id = %(m)s AND event_seq = ANY(%(seqs)b)),
    (SELECT coalesce(sum(quantity_lots), 0) FROM trades
     WHERE market_id = %(m)s AND event_seq = ANY(%(seqs)b)),
    (SELECT count(*) FROM fills WHERE market_id = %(m)s AND event_seq = ANY(%(seqs)b)
     AND account_id < %(end)s)"""


@dataclass(frozen=True)
class Accounts:
    """Accounts that were added up: the last one, None where there was none, and the wrong ones."""

    last: int | None
    wrong: dict[int, str]


@dataclass(frozen=True)
class Compared:
    """Trades of batches up to `batch_no` that were compared; fills that the tables have not, and
    ledger transactions that do not sum to zero in each asset."""

    batch_no: int
    trades: int
    missing_fills: int
    unbalanced: int = 0


def add_up_accounts(connection: psycopg.Connection[Any], after: int, accounts: int) -> Accounts:
    """Compare the next accounts' balances with their ledger, their holds with their open orders."""
    bounds = {"after": after, "end": STRATEGIES_FIRST}
    values = {**bounds, "accounts": accounts, "entries": LEDGER_ENTRIES_MAX}
    with wrapped():
        rows = connection.execute(ACCOUNTS, values).fetchall()
    wrong = {row[0]: _difference(*row) for row in rows if any(row[2:])}
    return Accounts(rows[-1][0] if rows else None, wrong)


def _difference(account_id: int, asset: str, total: int, locked: int, orders: int) -> str:
    return (
        f"account {account_id}: {asset} differs by {total} atoms from its ledger, its holds by "
        f"{locked} atoms and {orders} orders from its open orders"
    )


def compare_trades(
    connection: psycopg.Connection[Any], market_id: str, after: int, up_to: int
) -> Compared:
    """Compare trades in the next batches of the journal with what was written of them.

    up_to   a batch that is projected: what it traded is in the tables
    """
    rows = events_after(connection, market_id, after, COMPARE_BATCHES_MAX)
    rows = [row for row in rows if row[0] <= up_to]
    if not rows:
        return Compared(after, 0, 0)
    events = np.concatenate([event_rows(bytes(row[4])) for row in rows])
    traded = events[events["kind"] == EventKind.TRADE]
    batch_no = int(rows[-1][0])
    if not traded.size:
        return Compared(batch_no, 0, 0)
    unbalanced = unbalanced_transactions(connection, market_id, after, batch_no)
    with wrapped():
        seqs = traded["event_seq"].tolist()
        values = {"m": market_id, "seqs": seqs, "end": STRATEGIES_FIRST}
        written = connection.execute(WRITTEN, values).fetchone()
    assert written is not None, "an aggregate has a row"
    trades, lots, fills = (int(number) for number in written)
    sides = [traded[name] < STRATEGIES_FIRST for name in ("account_id", "maker_account_id")]
    missing = int(sum(side.sum() for side in sides)) - fills
    if not missing and (trades, lots) != (len(traded), int(traded["quantity_lots"].sum())):
        missing = 1
    return Compared(batch_no, len(traded), missing, unbalanced)


def unbalanced_transactions(
    connection: psycopg.Connection[Any], market_id: str, after: int, last: int
) -> int:
    """How many of a market's ledger transactions, clients' and strategies', make money of some
    asset or lose it."""
    with wrapped():
        row = connection.execute(
            UNBALANCED, {"m": market_id, "after": after, "last": last}
        ).fetchone()
    assert row is not None, "a sum of counts has a row"
    return int(row[0])
