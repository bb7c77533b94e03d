"""Markets for tests beside BTC-PERP, of other steps, and one of another kind."""

from decimal import Decimal

from sim.market import COLLATERAL, SPOT_TERMS, MarketKind, MarketSpec

ETH_PERP = MarketSpec("ETH-PERP", "ETH", COLLATERAL, Decimal("0.01"), Decimal("0.01"), 2_000_000)

ETH_SPOT = MarketSpec(
    "ETH_USDC",
    "ETH",
    COLLATERAL,
    Decimal("0.01"),
    Decimal("0.001"),
    20_000_000,
    kind=MarketKind.SPOT,
    **SPOT_TERMS,
)
