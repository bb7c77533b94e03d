"""The samples of a market in units of the trade, as a report draws them."""

from dataclasses import dataclass

import numpy as np

from sim.market import MarketSpec
from sim.ratios import Floats
from sim.record.run import Integers, MarketRecord, RunRecord
from sim.units import PPM


@dataclass(frozen=True)
class MarketSeries:
    """A market's samples in units of the trade: float64 (samples,), NaN where a side was empty.

    Prices in quote units, depth and volume in base units, spread in millionths of the middle.
    """

    spec: MarketSpec
    end_us: int
    times_us: Integers
    last: Floats
    index: Floats
    mark: Floats
    spread_ppm: Floats
    bid_depth: Floats
    ask_depth: Floats
    volume: Floats
    trades: Integers
    liquidations: Integers

    @property
    def decimals(self) -> int:
        """Of a price."""
        return max(0, -int(self.spec.tick_size.normalize().as_tuple().exponent))


def market_series(record: RunRecord, market: MarketRecord) -> MarketSeries:
    """The samples of a market as they are drawn."""
    spec, quotes = market.spec, market.quotes
    tick, lot = float(spec.tick_size), float(spec.lot_size)
    bid, ask = _prices(quotes["best_bid_ticks"]), _prices(quotes["best_ask_ticks"])
    return MarketSeries(
        spec,
        record.steps * record.step_us,
        quotes["time_us"].astype(np.int64),
        _prices(quotes["last_price_ticks"]) * tick,
        _prices(quotes["index_ticks"]) * tick,
        _prices(quotes["mark_ticks"]) * tick,
        2 * PPM * (ask - bid) / (ask + bid),
        quotes["bid_lots"] * lot,
        quotes["ask_lots"] * lot,
        quotes["volume_lots"] * lot,
        quotes["trades"].astype(np.int64),
        quotes["liquidations"].astype(np.int64),
    )


def _prices(ticks: Integers) -> Floats:
    """No price is written as 0."""
    return np.where(ticks > 0, ticks, np.nan).astype(np.float64)
