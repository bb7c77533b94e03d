"""A market for tests beside BTC-PERP, of other steps."""

from decimal import Decimal

from sim.market import COLLATERAL, MarketSpec

ETH_PERP = MarketSpec("ETH-PERP", "ETH", COLLATERAL, Decimal("0.01"), Decimal("0.01"), 2_000_000)
