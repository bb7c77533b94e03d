"""All money that there is, added up asset by asset: every ledger transaction, every balance."""

from dataclasses import dataclass
from typing import Any

import psycopg

from sim.market import COLLATERAL
from sim.money.ledger import CLIENTS_FIRST
from storage.errors import wrapped

AT_ONE_MOMENT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
LEGS = """
SELECT source, seq, asset, account_id, amount_atoms AS atoms FROM ledger_entries
UNION ALL SELECT 'strategies of ' || source, last_seq, asset, x.account_id, x.atoms
FROM strategy_ledger, unnest(account_ids, amounts_atoms) AS x(account_id, atoms)"""
TRANSACTIONS = f"""
SELECT asset, count(*) FILTER (WHERE atoms <> 0) FROM (
    SELECT asset, sum(atoms) AS atoms FROM ({LEGS}) legs GROUP BY source, seq, asset) transactions
GROUP BY asset ORDER BY asset"""
BALANCES = f"""
SELECT asset, count(*) FROM balances b FULL JOIN (
    SELECT account_id, asset, sum(atoms) AS atoms FROM ({LEGS}) legs
    WHERE account_id >= {CLIENTS_FIRST} GROUP BY account_id, asset) l USING (account_id, asset)
WHERE coalesce(b.total_atoms, 0) <> coalesce(l.atoms, 0) GROUP BY asset ORDER BY asset"""
OWED = f"""
SELECT asset, count(*) FROM balances
WHERE asset <> '{COLLATERAL}' AND total_atoms < locked_atoms GROUP BY asset ORDER BY asset"""
FAULTS = {
    TRANSACTIONS: "transactions that do not sum to zero",
    BALANCES: "balances that are not what their ledger comes to",
    OWED: "balances of which more is locked than there is",
}


@dataclass(frozen=True)
class WholeBooks:
    """The assets that ever moved, and what is wrong with them, in words."""

    assets: list[str]
    faults: list[str]


def add_up(connection: psycopg.Connection[Any]) -> WholeBooks:
    """Read all of the ledger as it is at one moment; the exchange may go on meanwhile."""
    faults, assets = [], []
    with wrapped(), connection.transaction():
        connection.execute(AT_ONE_MOMENT)
        for statement, fault in FAULTS.items():
            rows = connection.execute(statement).fetchall()
            faults += [f"{asset} has {wrong} {fault}" for asset, wrong in rows if wrong]
            if statement == TRANSACTIONS:
                assets = [str(asset) for asset, _ in rows]
    return WholeBooks(assets, faults)
