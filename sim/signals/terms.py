"""All that may be set about a strategy: seven agents, their vote, and what risk allows.

Defaults are those of the original where a market of 1-minute candles can meet them. Prices are
never set, only parts of a price; `_pct` is in percent, all other parts are of 1.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

from sim.signals.bounds import number, order_fault, weights_fault, whole

PERIOD_MAX = 500
CYCLE_S_MAX = 86_400

Together = Iterator[tuple[str, str]]


def period(default: int, about: str) -> int:
    return whole(default, 2, PERIOD_MAX, f"{about}, in candles")


def cycle(default: int) -> int:
    return whole(default, 1, CYCLE_S_MAX, "how many seconds pass from one look to the next")


def vote_weight(default: float) -> float:
    return number(default, 0, 1, "how much the agent's vote counts")


def part_weight(default: float, what: str) -> float:
    return number(default, 0, 1, f"how much {what} counts in the agent's signal")


def level(default: float, about: str) -> float:
    return number(default, 0, 100, f"{about}, on a scale to 100")


def share(default: float, about: str, above: bool = False) -> float:
    return number(default, 0, 1, about, above)


@dataclass(frozen=True)
class TechnicalTerms:
    """Indicators that are weighed against each other."""

    cycle_s: int = cycle(30)
    weight: float = vote_weight(0.25)
    rsi_period: int = period(14, "what RSI looks back")
    rsi_low: float = level(30, "below which RSI says BUY")
    rsi_high: float = level(70, "above which RSI says SELL")
    macd_fast: int = period(12, "the faster mean of MACD")
    macd_slow: int = period(26, "the slower mean of MACD")
    macd_signal: int = period(9, "the mean of MACD itself")
    macd_full_pct: float = number(0.05, 0, 100, "its full scale, in % of price", True)
    bollinger_period: int = period(20, "what the bands look back")
    bollinger_deviations: float = number(2, 0, 10, "half the bands' width in deviations", True)
    ema_fast: int = period(9, "the faster mean")
    ema_slow: int = period(50, "the slower mean")
    volume_period: int = period(20, "what the mean volume looks back")
    volume_surge: float = number(1.5, 1, 100, "how many mean volumes a candle has that speaks")
    rsi_weight: float = part_weight(0.25, "RSI")
    macd_weight: float = part_weight(0.25, "MACD")
    bollinger_weight: float = part_weight(0.20, "the place between the bands")
    trend_weight: float = part_weight(0.20, "the gap of the means")
    volume_weight: float = part_weight(0.10, "volume")

    def together(self) -> Together:
        yield from order_fault(self, "rsi_low", "rsi_high")
        yield from order_fault(self, "macd_fast", "macd_slow")
        yield from order_fault(self, "ema_fast", "ema_slow")
        weights = ("rsi_weight", "macd_weight", "bollinger_weight", "trend_weight", "volume_weight")
        yield from weights_fault(self, weights)


@dataclass(frozen=True)
class OrderbookTerms:
    """What lies in the book, and what has gone from it."""

    cycle_s: int = cycle(10)
    weight: float = vote_weight(0.20)
    levels: int = whole(20, 1, 20, "how many levels of each side are looked at")
    threshold: float = share(0.3, "from which one side's excess speaks", True)
    wall_share: float = share(0.05, "above which part of its side's size a level is a wall", True)
    wall_reach: float = share(0.01, "how far from the middle a wall still counts", True)
    large_times: float = number(5, 1, 1_000, "how many mean orders the orders of a large level are")
    vanishing_s: float = number(5, 0, 600, "within how many seconds a large level vanishes", True)
    vanished_max: int = whole(5, 1, 100, "after how many vanished levels the book is not believed")
    imbalance_weight: float = part_weight(0.4, "the imbalance of the sides")
    walls_weight: float = part_weight(0.3, "walls")
    large_weight: float = part_weight(0.2, "large orders")
    vanishing_weight: float = part_weight(0.1, "vanishing orders")

    def together(self) -> Together:
        weights = ("imbalance_weight", "walls_weight", "large_weight", "vanishing_weight")
        yield from weights_fault(self, weights)


@dataclass(frozen=True)
class SentimentTerms:
    """What the news say."""

    cycle_s: int = cycle(300)
    weight: float = vote_weight(0.15)
    decay_h: float = number(24, 0, 1_000, "after how many hours a headline counts 1/e", True)
    forgotten_h: float = number(72, 0, 1_000, "after how many hours it is not looked at", True)
    threshold: float = share(0.3, "from which the mean of the headlines speaks", True)
    headlines_full: int = whole(5, 1, 1_000, "how many headlines are enough for full confidence")


@dataclass(frozen=True)
class TrendTerms:
    """Two means that part while the trend is strong.

    The original measures ADX against 100 and the gap against 2 %, which candles of a minute never
    come near: the full scales are settings here. It looks once a candle, where the original's
    candles are longer.
    """

    cycle_s: int = cycle(60)
    weight: float = vote_weight(0.30)
    ema_fast: int = period(9, "the faster mean")
    ema_slow: int = period(21, "the slower mean")
    adx_period: int = period(14, "what ADX looks back")
    adx_min: float = level(25, "from which ADX calls it a trend")
    adx_full: float = number(40, 0, 100, "ADX at full confidence", True)
    gap_full_pct: float = number(0.1, 0, 100, "the means' gap at full confidence, in %", True)
    adx_weight: float = part_weight(0.6, "ADX")
    gap_weight: float = part_weight(0.4, "the gap of the means")
    stop_loss: float = number(0.02, 0, 0.5, "the loss at which it would leave", True)
    take_profit: float = number(0.05, 0, 10, "the profit at which it would leave", True)
    reward_to_risk_min: float = number(2, 0, 100, "the least profit for each part of loss")

    def together(self) -> Together:
        yield from order_fault(self, "ema_fast", "ema_slow")
        yield from weights_fault(self, ("adx_weight", "gap_weight"))


@dataclass(frozen=True)
class ReversionTerms:
    """A price at the edge of its bands while there is no trend.

    The original calls it a touch within 0.5 % of price, where candles of a minute touch both bands
    at once: here the distance is a part of half the bands' width.
    """

    cycle_s: int = cycle(60)
    weight: float = vote_weight(0.25)
    bollinger_period: int = period(20, "what the bands look back")
    bollinger_deviations: float = number(2, 0, 10, "half the bands' width in deviations", True)
    touch: float = share(0.1, "how near to a band touches it, of half the bands' width")
    narrow: float = share(0.05, "below which width, of the middle, the bands are narrow")
    rsi_period: int = period(14, "what RSI looks back")
    rsi_low: float = level(30, "below which RSI says BUY")
    rsi_high: float = level(70, "above which RSI says SELL")
    rsi_very_low: float = level(20, "below which RSI says it loudly")
    rsi_very_high: float = level(80, "above which RSI says it loudly")
    adx_period: int = period(14, "what ADX looks back")
    adx_max: float = level(25, "from which ADX calls it a trend that is left alone")

    def together(self) -> Together:
        yield from order_fault(self, "rsi_low", "rsi_high")
        yield from order_fault(self, "rsi_very_low", "rsi_low")
        yield from order_fault(self, "rsi_high", "rsi_very_high")


@dataclass(frozen=True)
class ArbitrageTerms:
    """The perpetual against the spot market and the pool of the same base asset.

    The original's score has weights of 0.75 in all; what is missing is given to fresh prices.
    """

    cycle_s: int = cycle(5)
    weight: float = vote_weight(0.20)
    profit_min_pct: float = number(0, 0, 100, "the least profit beyond both taker fees, in %")
    profit_scale_pct: float = number(0.1, 0, 100, "the profit that is scored 1 − 1/e, in %", True)
    liquidity_full: float = number(
        10_000, 0, 1e12, "what lies at the worse venue for the full score, in quote units", True
    )
    stale_s: float = number(10, 0, 3_600, "the age from which a venue's price is not used", True)
    score_min: float = share(0.6, "the least score that speaks")
    profit_weight: float = part_weight(0.5, "profit")
    liquidity_weight: float = part_weight(0.25, "liquidity")
    freshness_weight: float = part_weight(0.25, "freshness")

    def together(self) -> Together:
        weights = ("profit_weight", "liquidity_weight", "freshness_weight")
        yield from weights_fault(self, weights)


@dataclass(frozen=True)
class RiskTerms:
    """What no session may go beyond. The risk agent has no vote: its word is the last."""

    cycle_s: int = cycle(10)
    max_position_size: float = share(0.1, "the most of equity that one position is worth", True)
    max_positions: int = whole(3, 1, 1_000, "how many positions may be open at once")
    max_daily_loss: float = share(0.02, "the loss in a day after which nothing is opened", True)
    max_drawdown: float = share(0.1, "the fall from a peak after which nothing is opened", True)
    default_stop_loss: float = share(0.02, "the loss at which a position is left", True)
    default_take_profit: float = number(0.05, 0, 100, "the profit at which it is left", True)
    default_quantity: float = number(0.1, 0, 1e9, "what is opened unless capped, in base", True)
    kelly_fraction: float = share(0.25, "which part of Kelly's stake is put at risk", True)
    kelly_trades_min: int = whole(10, 1, 10_000, "from how many trades on history is believed")
    kelly_win_rate: float = share(0.55, "the win rate while history is too short")
    kelly_win: float = number(200, 0, 1e12, "the mean win while history is too short")
    kelly_loss: float = number(100, 0, 1e12, "the mean loss while history is too short", True)
    volatility_max: float = number(0.04, 0, 10, "a day's deviation that full accounts do not take")
    utilisation_max: float = share(0.85, "the part of equity in use that makes an account full")
    stale_price_s: float = number(10, 0, 3_600, "the age from which a price is not traded on", True)


@dataclass(frozen=True)
class VotingTerms:
    """When many voices are a decision."""

    cycle_s: int = cycle(10)
    quorum: float = share(0.6, "the least share of all weight that is present")
    min_votes: int = whole(2, 1, 7, "how many agents have to say something, if only HOLD")
    min_consensus: float = share(0.6, "the least consensus, times the share that has voted")
    min_confidence: float = share(0.5, "the least confidence of those who agree")


@dataclass(frozen=True)
class AgentsTerms:
    technical: TechnicalTerms = field(default_factory=TechnicalTerms)
    orderbook: OrderbookTerms = field(default_factory=OrderbookTerms)
    sentiment: SentimentTerms = field(default_factory=SentimentTerms)
    trend: TrendTerms = field(default_factory=TrendTerms)
    reversion: ReversionTerms = field(default_factory=ReversionTerms)
    arbitrage: ArbitrageTerms = field(default_factory=ArbitrageTerms)
    risk: RiskTerms = field(default_factory=RiskTerms)

    @property
    def total_weight(self) -> float:
        """Of all who vote: what a quorum is a share of."""
        voters = (self.technical, self.orderbook, self.sentiment)
        others = (self.trend, self.reversion, self.arbitrage)
        return math.fsum(one.weight for one in (*voters, *others))

    def together(self) -> Together:
        if not self.total_weight:
            yield "technical.weight", "above 0, or the weight of another agent"


@dataclass(frozen=True)
class StrategyTerms:
    """One strategy, as a session runs it."""

    candle_s: int = whole(60, 1, CYCLE_S_MAX, "how many seconds a candle is long")
    agents: AgentsTerms = field(default_factory=AgentsTerms)
    voting: VotingTerms = field(default_factory=VotingTerms)
