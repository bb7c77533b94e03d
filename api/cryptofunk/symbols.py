"""Symbols and markets: what this family sees of the exchange."""

from dataclasses import dataclass
from uuid import UUID

from starlette.requests import Request

from api.cryptofunk.identifiers import IdKind, uuid_of
from api.door.routing import services_of
from sim.market import MarketSpec
from sim.refusals import Refusal, Refused
from storage.agents.symbols import Symbols, read_symbols
from storage.reading.market_data import ListedMarket


@dataclass(frozen=True)
class Listing:
    """Symbols, and the markets that they name."""

    symbols: Symbols
    markets: dict[str, ListedMarket]

    def market_of(self, symbol: str) -> str:
        """The market that a body names. Raises Refused."""
        market_id = self.symbols.markets.get(symbol)
        if market_id is None:
            known = ", ".join(self.symbols.markets) or "none yet"
            raise Refused(
                Refusal.INVALID_REQUEST,
                f"symbol: must be one of {known}",
                {"field": "symbol"},
            )
        return market_id

    def symbol_of(self, market_id: str) -> str:
        """What a market is called: its own name where it has no symbol."""
        return self.symbols.names.get(market_id, market_id)

    def spec(self, market_id: str) -> MarketSpec:
        """What a market is."""
        return self.markets[market_id].spec

    def position_id(self, market_id: str, opened_fill_id: int) -> UUID:
        """The id of the position that a fill opened."""
        return uuid_of(IdKind.POSITION, opened_fill_id, self.symbols.ordinals[market_id])


async def listing_of(request: Request) -> Listing:
    """Symbols and markets as they are now."""
    services = services_of(request)
    return Listing(await read_symbols(services.pool), await services.markets.markets())
