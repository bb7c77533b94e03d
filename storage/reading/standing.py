"""How an account stands: its money and what it holds, all at one moment."""

from collections.abc import Sequence
from dataclasses import dataclass

from sim.market import COLLATERAL
from sim.money import margin
from sim.money.liquidation import liquidation_price_ticks
from sim.money.margin import Exposure, check_marks
from storage.errors import wrapped
from storage.intake.exposures import exposures_of
from storage.intake.transfers import Balance
from storage.postgres.database import AsyncPool
from storage.postgres.unit_of_work import Row

AT_ONE_MOMENT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
SELECT_BALANCES = """
SELECT account_id, asset, total_atoms, locked_atoms, open_orders FROM balances
WHERE account_id = ANY(%b) ORDER BY account_id, asset"""


@dataclass(frozen=True)
class Standing:
    """An account's balances, and what it has in each market that it was ever in.

    Sums are of the collateral, at mark. They raise Refused PRICE_UNAVAILABLE where a position or
    an open order has no mark.
    """

    balances: list[Balance]
    exposures: list[Exposure]

    @property
    def collateral(self) -> Balance:
        """The balance that margin is reckoned in."""
        return next(one for one in self.balances if one.asset == COLLATERAL)

    @property
    def held(self) -> list[Exposure]:
        """Where there is a position or an open order, valued."""
        held = [one for one in self.exposures if one.binds_leverage]
        check_marks(held)
        return held

    @property
    def equity_atoms(self) -> int:
        """Wallet and unrealised profit."""
        return margin.equity_atoms(self.collateral.total_atoms, self.held)

    @property
    def available_atoms(self) -> int:
        """What new orders may reserve."""
        money = self.collateral
        return margin.available_atoms(money.total_atoms, money.locked_atoms, self.held)

    @property
    def withdrawable_atoms(self) -> int:
        """What may leave."""
        money = self.collateral
        return margin.withdrawable_atoms(money.total_atoms, money.locked_atoms, self.held)

    @property
    def maintenance_atoms(self) -> int:
        """What equity must stay above."""
        return sum(one.maintenance_atoms for one in self.held)

    def liquidation_ticks(self, here: Exposure) -> int | None:
        """The mark at which a position is closed by force if nothing else moves."""
        others = [one for one in self.held if one is not here]
        return liquidation_price_ticks(
            here.spec,
            here.position.quantity_lots,
            here.position.cost_atoms,
            self.collateral.total_atoms,
            sum(one.unrealized_atoms - one.maintenance_atoms for one in others),
        )


async def standing(pool: AsyncPool, account_id: int) -> Standing:
    """How an account stands now. Raises DatabaseUnavailable."""
    return (await standings(pool, [account_id]))[account_id]


async def standings(pool: AsyncPool, account_ids: Sequence[int]) -> dict[int, Standing]:
    """How accounts stand now, all at one moment. Raises DatabaseUnavailable."""
    ids = list(account_ids)
    with wrapped():
        async with pool.connection() as connection, connection.transaction():
            await connection.execute(AT_ONE_MOMENT)
            rows: list[Row] = await (await connection.execute(SELECT_BALANCES, (ids,))).fetchall()
            held = await exposures_of(connection, ids)
    found = {one: Standing([], list(held.get(one, {}).values())) for one in ids}
    for row in rows:
        found[row[0]].balances.append(Balance(*row))
    return found
