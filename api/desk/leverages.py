"""Setting the leverage of a market."""

from api.desk.orders import check_leverage, find_market
from storage.intake.leverages import set_leverage
from storage.postgres.database import AsyncPool
from storage.postgres.unit_of_work import unit_of_work
from storage.reading.market_data import MarketCatalog


async def change_leverage(
    pool: AsyncPool, markets: MarketCatalog, account_id: int, market_id: str, leverage: int
) -> None:
    """The account's leverage in a market from now on. Raises Refused."""
    spec = (await find_market(markets, market_id)).spec
    check_leverage(leverage, spec)
    async with unit_of_work(pool) as connection:
        await set_leverage(connection, account_id, spec, leverage)
