"""What a market is: its kind, its grid, its limits, its fees and its margin rates."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from functools import cached_property

from sim.units import ATOMS_PER_UNIT, PPM, asset_decimals

MARKET_ID_PATTERN = r"[A-Z0-9]{2,12}[-_][A-Z0-9]{2,12}"
"""Market names become stream and actor names, so the alphabet is closed."""


class MarketKind(StrEnum):
    """What a trade comes to.

    PERPETUAL   a position, backed by margin in the quote asset
    SPOT        quote asset against base asset, both of which the traders have
    """

    PERPETUAL = "PERPETUAL"
    SPOT = "SPOT"


QUANTITY_LOTS_MAX = 10**12
"""Highest max_quantity_lots of a market: nine million such orders still add up in 64 bits."""


COLLATERAL = "USDC"
"""What markets of the exchange are quoted in, and the one asset that backs positions."""
GAS_ASSET = "ETH"
CHAIN_ASSETS = (GAS_ASSET, "USDT")
"""What droids need beside the collateral: it is listed whatever the spot markets trade."""

PRICE_BAND_PPM = 100_000
"""Nobody takes at a price that is further from mark, where a market does not say otherwise."""

LEVERAGE_DEFAULT = 10
"""Where the market allows as much."""


SPOT_TERMS = {
    "max_leverage": 1,
    "initial_margin_ppm": PPM,
    "maintenance_margin_ppm": 0,
    "funding_cap_ppm": 0,
}
"""A spot market's values of what only a perpetual chooses: whoever buys pays the whole of it."""


@dataclass(frozen=True)
class MarketSpec:
    """One market.

    tick_size and lot_size are decimals of quote and base units; tick × lot is a
    whole number of quote atoms, so a notional never rounds, and in a spot market a lot is a whole
    number of base atoms. Rates are in parts per million, quantities in lots, `max_price_ticks` in
    ticks. `price_band_ppm` is how far from mark an order may take.
    """

    market_id: str
    base_asset: str
    quote_asset: str
    tick_size: Decimal
    lot_size: Decimal
    max_quantity_lots: int
    max_price_ticks: int = 2**31 - 1
    min_quantity_lots: int = 1
    max_leverage: int = 20
    initial_margin_ppm: int = 50_000
    maintenance_margin_ppm: int = 5_000
    maker_fee_ppm: int = 200
    taker_fee_ppm: int = 500
    funding_interval_hours: int = 8
    funding_cap_ppm: int = 3_750
    price_band_ppm: int = PRICE_BAND_PPM
    kind: MarketKind = MarketKind.PERPETUAL

    def __post_init__(self) -> None:
        exact = self.tick_size * self.lot_size * ATOMS_PER_UNIT
        if exact != int(exact) or exact < 1:
            raise ValueError(f"{self.market_id}: tick × lot is not a whole number of quote atoms")
        if not self.is_spot:
            return
        if self.lot_size.scaleb(asset_decimals(self.base_asset)) % 1:
            raise ValueError(f"{self.market_id}: a lot is not a whole number of base atoms")
        for name, value in SPOT_TERMS.items():
            if getattr(self, name) != value:
                raise ValueError(f"{self.market_id}: {name} of a spot market is {value}")

    @property
    def is_spot(self) -> bool:
        """Whether both assets change hands at a fill."""
        return self.kind == MarketKind.SPOT

    @property
    def default_leverage(self) -> int:
        """Of an order that names none, and of a population that does not."""
        return min(LEVERAGE_DEFAULT, self.max_leverage)

    @cached_property
    def atoms_per_tick_lot(self) -> int:
        """Quote atoms of one lot at one tick."""
        return int(self.tick_size * self.lot_size * ATOMS_PER_UNIT)

    @cached_property
    def base_atoms_per_lot(self) -> int:
        """Base atoms of one lot; whole in a spot market."""
        return int(self.lot_size.scaleb(asset_decimals(self.base_asset)))

    def reserved_asset(self, is_sale: bool) -> str:
        """Which asset an order of one side locks: a spot sale what it sells, all others quote."""
        return self.base_asset if self.is_spot and is_sale else self.quote_asset

    def notional_atoms(self, price_ticks: int, quantity_lots: int) -> int:
        """Price × quantity in quote atoms, exactly."""
        return price_ticks * quantity_lots * self.atoms_per_tick_lot


def average_price_text(spec: MarketSpec, tick_lots: int, lots: int) -> str | None:
    """Volume-weighted price of fills, for display: at most 8 decimals, half up."""
    if lots == 0 or tick_lots == 0:
        return None
    price = (Decimal(tick_lots) * spec.tick_size / lots).quantize(Decimal("1e-8"), ROUND_HALF_UP)
    return f"{price:f}".rstrip("0").rstrip(".")


BTC_PERP = MarketSpec("BTC-PERP", "BTC", COLLATERAL, Decimal("0.1"), Decimal("0.001"), 1_000_000)
