"""Markets for tests beside BTC-PERP, of other steps; one is a spot market."""

from decimal import Decimal
from typing import Any

from sim.market import COLLATERAL, SPOT_TERMS, MarketKind, MarketSpec

ETH_PERP = MarketSpec("ETH-PERP", "ETH", COLLATERAL, Decimal("0.01"), Decimal("0.01"), 2_000_000)
SPOT: dict[str, Any] = {**SPOT_TERMS, "kind": MarketKind.SPOT}
ETH_SPOT = MarketSpec(
    "ETH_USDC", "ETH", COLLATERAL, Decimal("0.01"), Decimal("0.001"), 20_000_000, **SPOT
)
BTC_SPOT = MarketSpec(
    "BTC_USDC", "BTC", COLLATERAL, Decimal("0.1"), Decimal("0.00001"), 100_000_000, **SPOT
)
