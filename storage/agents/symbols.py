"""Names of markets as signal agents call them: BTC/USDT."""

from dataclasses import dataclass

from storage.postgres.database import AsyncPool
from storage.postgres.unit_of_work import fetch_all

SELECT_SYMBOLS = """
SELECT s.symbol, m.market_id, m.ordinal FROM markets m LEFT JOIN symbols s USING (market_id)
ORDER BY m.ordinal"""


@dataclass(frozen=True)
class Symbols:
    """Every symbol with its market, and all markets' ordinals."""

    markets: dict[str, str]
    ordinals: dict[str, int]

    @property
    def names(self) -> dict[str, str]:
        """The symbol of each market."""
        return {market_id: symbol for symbol, market_id in self.markets.items()}


async def read_symbols(pool: AsyncPool) -> Symbols:
    """All of them, in the order of listing. Raises DatabaseUnavailable."""
    rows = await fetch_all(pool, SELECT_SYMBOLS)
    symbols = {symbol: market_id for symbol, market_id, _ in rows if symbol is not None}
    return Symbols(symbols, {market_id: ordinal for _, market_id, ordinal in rows})
