"""Records of runs that never ran, for reports: prices as a test wants them."""

from decimal import Decimal

import numpy as np

from sim.market import MarketSpec
from sim.record.run import QUOTE, STANDING, TRADE, MarketRecord, RunRecord, StrategyRecord
from sim.scenario.scenario import Happening
from sim.units import ATOMS_PER_UNIT

STEP_US = 100_000
SAMPLE_US = 1_000_000
BTC = MarketSpec("BTC-PERP", "BTC", "USDC", Decimal("0.1"), Decimal("0.001"), 1_000_000)


def market_record(price_ticks: np.ndarray, spec: MarketSpec = BTC) -> MarketRecord:
    """A sample a second with these last prices (0: none yet), a tick of spread, a trade each."""
    quotes = np.zeros(len(price_ticks), QUOTE)
    quotes["time_us"] = SAMPLE_US * np.arange(1, len(price_ticks) + 1)
    quotes["last_price_ticks"] = price_ticks
    quotes["index_ticks"] = quotes["mark_ticks"] = np.where(price_ticks > 0, price_ticks, 660_000)
    traded = price_ticks > 0
    quotes["best_bid_ticks"] = np.where(traded, price_ticks, 0)
    quotes["best_ask_ticks"] = np.where(traded, price_ticks + 1, 0)
    quotes["bid_lots"] = quotes["ask_lots"] = quotes["volume_lots"] = np.where(traded, 1_500, 0)
    quotes["trades"] = traded
    trades = np.zeros(int(traded.sum()), TRADE)
    trades["time_us"] = quotes["time_us"][traded]
    trades["price_ticks"] = price_ticks[traded]
    trades["quantity_lots"], trades["taker_side"] = 1, 1
    return MarketRecord(spec, trades, quotes)


def strategy_record(
    equity_units: np.ndarray,
    name: str = "makers",
    strategy: str = "ladder",
    markets: int = 1,
    makes_markets: bool = True,
) -> StrategyRecord:
    """A sample a second with this equity, of ten traders with an equal part in what is won."""
    standings = np.zeros(len(equity_units), STANDING)
    standings["time_us"] = SAMPLE_US * np.arange(1, len(equity_units) + 1)
    standings["equity_atoms"] = equity_units * ATOMS_PER_UNIT
    inventory = np.zeros((len(equity_units), markets), np.int64)
    inventory[:, 0] = np.arange(len(equity_units))
    pnl = ATOMS_PER_UNIT * np.arange(-5, 5)
    capital = 1_000 * ATOMS_PER_UNIT
    return StrategyRecord(name, strategy, 10, capital, standings, inventory, pnl, makes_markets)


def run_record(
    markets: list[MarketRecord],
    strategies: list[StrategyRecord],
    happenings: tuple[Happening, ...] = (),
    steps_planned: int = 0,
) -> RunRecord:
    """A run as long as its first market's samples; whole, unless more steps were planned."""
    steps = len(markets[0].quotes) * SAMPLE_US // STEP_US
    return RunRecord(
        scenario="made",
        seed=7,
        step_us=STEP_US,
        steps=steps,
        steps_planned=max(steps, steps_planned),
        orders=12_345,
        fills=sum(len(market.trades) for market in markets),
        wall_s=2.5,
        state_hash="c0ffee" * 10,
        actors="one process",
        peak_memory_bytes=300 << 20,
        markets=markets,
        strategies=strategies,
        happenings=happenings,
    )
