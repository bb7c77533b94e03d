"""One leverage for an account's position and orders in a market: changing it."""

from bisect import bisect_left
from dataclasses import replace

from sim.market import COLLATERAL, MarketSpec
from sim.money.margin import Exposure, available_atoms, check_marks
from sim.refusals import Name, Refusal, Refused
from sim.units import format_atoms
from storage.intake.exposures import exposures
from storage.intake.transfers import Balance, locked_balance
from storage.postgres.unit_of_work import Connection

SET_LEVERAGE = """
WITH changed AS (UPDATE balances SET version = version + 1 WHERE account_id = %(account)s)
INSERT INTO leverages (account_id, market_id, leverage)
VALUES (%(account)s, %(market)s, %(leverage)s)
ON CONFLICT (account_id, market_id) DO UPDATE SET leverage = excluded.leverage"""
"""The version changes: an order that is being decided meanwhile is decided again."""


async def set_leverage(
    connection: Connection, account_id: int, spec: MarketSpec, leverage: int
) -> None:
    """The leverage of a position, if there is one, and of the orders to come. Raises Refused."""
    balance = await locked_balance(connection, account_id, COLLATERAL)
    held = await exposures(connection, account_id)
    here = held.get(spec.market_id)
    if here is not None and here.leverage == leverage:
        return
    if here is not None and here.binds_leverage:
        check_change(balance, held, here, leverage)
    values = {"account": account_id, "market": spec.market_id, "leverage": leverage}
    await connection.execute(SET_LEVERAGE, values)


def check_change(
    balance: Balance, held: dict[str, Exposure], here: Exposure, leverage: int
) -> None:
    """Raises Refused where orders rest on the old leverage, or the margin does not permit it."""
    market_id = here.spec.market_id
    if any(side.plain_lots for side in here.open_sides.values()):
        raise Refused(
            Refusal.LEVERAGE_IN_USE,
            f"Open orders in {market_id} were checked at leverage"
            f" {here.leverage_in_force}; cancel them first",
            {"field": Name.LEVERAGE, "nearest": here.leverage_in_force},
        )
    check_marks(held.values())
    others = [one for one in held.values() if one is not here]

    def available_at(wanted: int) -> int:
        """Atoms that new orders may reserve with another leverage here: more at a higher one."""
        all_held = [*others, replace(here, leverage=wanted)]
        return available_atoms(balance.total_atoms, balance.locked_atoms, all_held)

    before_atoms = available_at(here.leverage_in_force)
    least_atoms = min(0, before_atoms)
    if available_at(leverage) < least_atoms:
        lowest = bisect_left(range(here.leverage_in_force), least_atoms, lo=1, key=available_at)
        more = replace(here, leverage=leverage).margin_atoms - here.margin_atoms
        raise Refused(
            Refusal.INSUFFICIENT_MARGIN,
            f"At {Name.LEVERAGE} {leverage} the position needs more margin than is available; the"
            f" nearest that it permits is {lowest}",
            {
                "field": Name.LEVERAGE,
                "nearest": lowest,
                "required": format_atoms(more),
                "available": format_atoms(before_atoms),
            },
        )
