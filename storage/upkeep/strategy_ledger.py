"""The ledger of simulated traders: thousands of entries a minute, summed up as they age.

Recorders write one row a transaction. Of ten minutes they become one row a market, and what is
older than is kept becomes one entry an account, CARRIED_FORWARD, with the house's sides in it. Each
row sums to zero, and an account's balance is the sum of its legs at every moment.
"""

from collections.abc import Callable
from typing import Any

import psycopg

from sim.money.ledger import (
    CLIENTS_FIRST,
    ENDOWMENT,
    ENTRY_CODES,
    STRATEGIES_FIRST,
    EntryType,
)
from storage.errors import wrapped

SUMMED_US = 600_000_000
"""The span whose rows become one."""

CARRIED = "carried forward"
"""The source of the rows, one an asset, that stand for all that is no longer kept."""

ROWS_MAX = 2_000
"""Rows that one transaction looks at."""

LOOKS_MAX = 2_000
"""Such transactions at a time; what is left then waits for the next."""

SPANS = """
SELECT source, asset, created_at_us / %(span)s FROM strategy_ledger
WHERE created_at_us < %(now)s / %(span)s * %(span)s AND source <> %(carried)s
GROUP BY 1, 2, 3 HAVING count(*) > 1 ORDER BY 3 LIMIT 100"""
SUM_UP = """
WITH gone AS (
    DELETE FROM strategy_ledger WHERE source = %(source)s AND asset = %(asset)s
        AND created_at_us / %(span)s = %(number)s
    RETURNING first_seq, last_seq, account_ids, entry_codes, amounts_atoms, created_at_us),
about AS (SELECT min(first_seq) AS first_seq, max(last_seq) AS last_seq,
    max(created_at_us) AS at_us FROM gone),
legs AS (
    SELECT x.account_id, x.code, sum(x.amount) AS amount
    FROM gone, unnest(gone.account_ids, gone.entry_codes, gone.amounts_atoms)
        AS x(account_id, code, amount)
    GROUP BY 1, 2 HAVING sum(x.amount) <> 0 ORDER BY 1, 2)
INSERT INTO strategy_ledger (source, last_seq, asset, first_seq, account_ids, entry_codes,
    amounts_atoms, created_at_us)
SELECT %(source)s, a.last_seq, %(asset)s, a.first_seq,
    coalesce((SELECT array_agg(account_id) FROM legs), '{}'),
    coalesce((SELECT array_agg(code) FROM legs), '{}'),
    coalesce((SELECT array_agg(amount) FROM legs), '{}'), a.at_us
FROM about a WHERE a.last_seq IS NOT NULL"""

OLD = "created_at_us < %(before)s AND source <> %(carried)s"
COUNT_OLD = f"SELECT count(*) FROM strategy_ledger WHERE {OLD}"
CARRY = f"""
WITH gone AS (
    DELETE FROM strategy_ledger WHERE source = %(carried)s OR (source, last_seq, asset) IN (
        SELECT source, last_seq, asset FROM strategy_ledger WHERE {OLD} LIMIT %(limit)s)
    RETURNING source, asset, account_ids, amounts_atoms, created_at_us),
legs AS (
    SELECT asset, x.account_id, sum(x.amount) AS amount
    FROM gone, unnest(gone.account_ids, gone.amounts_atoms) AS x(account_id, amount)
    GROUP BY 1, 2 HAVING sum(x.amount) <> 0 ORDER BY 1, 2),
carried AS (
    INSERT INTO strategy_ledger (source, last_seq, asset, first_seq, account_ids, entry_codes,
        amounts_atoms, created_at_us)
    SELECT %(carried)s, 0, asset, 0, array_agg(account_id), array_agg(%(code)s::smallint),
        array_agg(amount), (SELECT max(created_at_us) FROM gone)
    FROM legs GROUP BY asset)
SELECT count(*) FROM gone WHERE source <> %(carried)s"""

LONE = """l.created_at_us < %(before)s AND l.source <> %(endowment)s AND NOT EXISTS (
    SELECT 1 FROM ledger_entries c WHERE (c.source, c.seq) = (l.source, l.seq)
    AND c.account_id >= %(clients)s AND c.account_id < %(strategies)s)"""
COUNT_LONE = f"""
SELECT count(DISTINCT (source, seq)) FROM ledger_entries l
WHERE account_id >= %(strategies)s AND {LONE}"""
TAKE_LONE = f"""
WITH seen AS MATERIALIZED (
    SELECT account_id, id, source, seq, created_at_us FROM ledger_entries
    WHERE account_id >= %(strategies)s AND (account_id, id) > (%(account)s, %(id)s)
    ORDER BY account_id, id LIMIT %(limit)s),
chosen AS MATERIALIZED (SELECT DISTINCT source, seq FROM seen l WHERE {LONE}),
gone AS (
    DELETE FROM ledger_entries l USING chosen c WHERE (l.source, l.seq) = (c.source, c.seq)
    RETURNING l.account_id, l.asset, l.amount_atoms, l.created_at_us),
added AS (
    INSERT INTO strategy_ledger (source, last_seq, asset, first_seq, account_ids, entry_codes,
        amounts_atoms, created_at_us)
    SELECT %(carried)s, 1, asset, 1, array_agg(account_id), array_agg(%(code)s::smallint),
        array_agg(amount_atoms::numeric), max(created_at_us)
    FROM gone GROUP BY asset)
SELECT account_id, id, (SELECT count(*) FROM chosen) FROM seen
ORDER BY account_id DESC, id DESC LIMIT 1"""
"""Before strategies had a ledger of their own, their entries stood among the clients'. What had no
client in it goes, whole, so that it and what is carried forward sum to zero."""


def sum_up(connection: psycopg.Connection[Any], now_us: int) -> int:
    """Make one row of every span that is over; how many spans that were."""
    wish = {"span": SUMMED_US, "now": now_us, "carried": CARRIED}
    with wrapped():
        spans = connection.execute(SPANS, wish).fetchall()
        for source, asset, number in spans:
            connection.execute(
                SUM_UP, {"source": source, "asset": asset, "number": number, "span": SUMMED_US}
            )
    return len(spans)


def old_rows(connection: psycopg.Connection[Any], before_us: int) -> tuple[int, int]:
    """How many rows `carry_forward`, and transactions `carry_lone`, would take."""
    with wrapped():
        old = connection.execute(COUNT_OLD, wish_of(before_us)).fetchone()
        lone = connection.execute(COUNT_LONE, wish_of(before_us)).fetchone()
    assert old is not None
    assert lone is not None
    return int(old[0]), int(lone[0])


def carry_forward(connection: psycopg.Connection[Any], before_us: int) -> int:
    """Add rows of before that time to the entries carried forward; how many that were."""
    with wrapped():
        row = connection.execute(CARRY, wish_of(before_us)).fetchone()
    assert row is not None
    return int(row[0])


def carry_lone(
    connection: psycopg.Connection[Any], before_us: int, pause: Callable[[], object]
) -> int:
    """Add strategies' own transactions among the clients' to them; how many those were."""
    wish = {**wish_of(before_us), "account": 0, "id": 0}
    total = 0
    for _ in range(LOOKS_MAX):
        with wrapped(), connection.transaction():
            row = connection.execute(TAKE_LONE, wish).fetchone()
            if row is not None and row[2]:
                connection.execute(CARRY, wish)
        if row is None:
            break
        total += row[2]
        wish |= {"account": row[0], "id": row[1]}
        if pause():
            break
    return total


def wish_of(before_us: int) -> dict[str, object]:
    """What the statements are told."""
    return {
        "before": before_us,
        "carried": CARRIED,
        "code": ENTRY_CODES[EntryType.CARRIED_FORWARD],
        "clients": CLIENTS_FIRST,
        "strategies": STRATEGIES_FIRST,
        "endowment": ENDOWMENT,
        "limit": ROWS_MAX,
    }
