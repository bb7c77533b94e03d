"""What strategies' traders have of the assets of spot markets from the beginning: bought from their
capital, once, at the first index. Nobody trades meanwhile."""

from collections.abc import Sequence
from dataclasses import dataclass

from sim.market import COLLATERAL, MarketSpec
from sim.money.ledger import ENDOWMENT, EXTERNAL, EntryType
from storage.errors import wrapped
from storage.postgres.database import connect, now_us

LEGS_A_MARKET = 4
"""Those of a market are numbered from 4 × its ordinal on; the capital's come before."""

BUY = f"""
WITH bought AS MATERIALIZED (
    SELECT a.id, m.ordinal * {LEGS_A_MARKET} AS leg
    FROM accounts a, (SELECT ordinal FROM markets WHERE market_id = %(market)s) m
    WHERE a.id BETWEEN %(first)s AND %(last)s AND a.kind = 'STRATEGY' AND NOT EXISTS (
        SELECT 1 FROM ledger_entries l WHERE l.source = %(source)s AND l.seq = a.id
            AND l.leg = m.ordinal * {LEGS_A_MARKET})),
paid AS (
    UPDATE balances b SET version = version + 1, total_atoms = b.total_atoms - %(worth)s
    FROM bought WHERE b.account_id = bought.id AND b.asset = '{COLLATERAL}'
    RETURNING b.account_id, b.total_atoms),
given AS (
    INSERT INTO balances AS b (account_id, asset, total_atoms, locked_atoms, open_orders)
    SELECT id, %(asset)s, %(atoms)s, 0, 0 FROM bought
    ON CONFLICT (account_id, asset) DO UPDATE SET version = b.version + 1,
        total_atoms = b.total_atoms + excluded.total_atoms
    RETURNING b.account_id, b.total_atoms),
held AS (
    INSERT INTO positions AS p (account_id, market_id, quantity_lots, cost_atoms,
        realized_pnl_atoms, updated_at_us)
    SELECT id, %(market)s, %(lots)s, %(worth)s, 0, %(now)s FROM bought
    ON CONFLICT (account_id, market_id) DO UPDATE SET
        quantity_lots = p.quantity_lots + excluded.quantity_lots,
        cost_atoms = p.cost_atoms + excluded.cost_atoms)
INSERT INTO ledger_entries (source, seq, leg, account_id, asset, entry_type, amount_atoms,
    balance_after_atoms, reference, created_at_us)
SELECT %(source)s, bought.id, bought.leg + l.leg, l.account_id, l.asset, %(type)s, l.amount,
    l.balance_after, %(market)s, %(now)s
FROM bought JOIN paid ON paid.account_id = bought.id JOIN given ON given.account_id = bought.id,
LATERAL (VALUES
    (0, bought.id, '{COLLATERAL}', -%(worth)s::numeric, paid.total_atoms),
    (1, {EXTERNAL}, '{COLLATERAL}', %(worth)s::numeric, NULL),
    (2, bought.id, %(asset)s::text, %(atoms)s::numeric, given.total_atoms),
    (3, {EXTERNAL}, %(asset)s::text, -%(atoms)s::numeric, NULL))
    AS l(leg, account_id, asset, amount, balance_after)
ORDER BY bought.id, l.leg"""
"""By whom it was not bought before: also accounts that are older than the market get it."""


@dataclass(frozen=True)
class Inventory:
    """Lots of a spot market's base asset, and the price in ticks that they are bought at."""

    spec: MarketSpec
    lots: int
    price_ticks: int


def buy_inventories(database_url: str, accounts: range, wanted: Sequence[Inventory]) -> None:
    """Each of the traders gets each inventory that it has not. Raises DatabaseUnavailable."""
    with wrapped(), connect(database_url, "bootstrap") as connection, connection.transaction():
        for one in wanted:
            values = {
                "source": ENDOWMENT,
                "market": one.spec.market_id,
                "asset": one.spec.base_asset,
                "type": EntryType.TRADE,
                "first": accounts[0],
                "last": accounts[-1],
                "lots": one.lots,
                "atoms": one.lots * one.spec.base_atoms_per_lot,
                "worth": one.spec.notional_atoms(one.price_ticks, one.lots),
                "now": now_us(),
            }
            connection.execute(BUY, values)
