"""The stylised facts of a run's markets, ready to stand beside those of real trades."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from sim.facts.stylized import (
    INTRADAY_SPAN_MIN_US,
    ORDERS_MIN,
    RETURNS_MIN,
    Fact,
    FactTable,
    Verdict,
    fact_table,
)
from sim.folding import upper
from sim.record.run import MarketRecord, RunRecord
from sim.record.tape import SECOND_US, Tape, simulated_tape

HOUR_US = 3_600 * SECOND_US
OF_EVERY_ORDER = frozenset({"order_sign_persistence", "inter_arrival", "market_impact"})
"""Facts about neighbouring orders: a sample of the trades says nothing about them."""


@dataclass(frozen=True)
class MarketFacts:
    """The facts of one tape. traded: how many trades there were, table.trades: of how many."""

    table: FactTable
    traded: int

    @property
    def open_facts(self) -> int:
        """How many cannot be judged."""
        return sum(fact.verdict is Verdict.NOT_ENOUGH_DATA for fact in self.table.facts)

    def why_open(self, fact: Fact) -> str:
        """Why a fact cannot be judged; empty where it can."""
        key, recorded = fact.description.key, self.table.trades
        if fact.verdict is not Verdict.NOT_ENOUGH_DATA:
            return ""
        if recorded == 0:
            return "no trade was recorded" if self.traded else "there was no trade"
        if key in OF_EVERY_ORDER and recorded < self.traded:
            one_of = f"{self.traded / recorded:.3g}"
            return f"one trade in {one_of} was recorded, it needs all (--record all)"
        if fact.value is not None:
            return "too close to the edge of the band for so short a tape"
        if key in OF_EVERY_ORDER:
            return f"under {ORDERS_MIN:,} orders"
        if key == "intraday_volume":
            return f"under {INTRADAY_SPAN_MIN_US // HOUR_US} hours of trades"
        return f"under {RETURNS_MIN:,} returns, or a price that stands still"


@dataclass(frozen=True)
class Reference:
    """Real trades put through the same code, and the markets of the run they stand beside."""

    file: str
    market_ids: tuple[str, ...]
    facts: MarketFacts


def run_facts(record: RunRecord) -> tuple[MarketFacts, ...]:
    """The facts of every market of a run, in its order."""
    return tuple(_market_facts(market) for market in record.markets)


def tape_facts(tape: Tape) -> MarketFacts:
    """The facts of a tape that holds every trade."""
    return MarketFacts(fact_table(tape), len(tape))


def compared_markets(file: str, markets: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """Whom a file of real trades is compared with: the markets, as (id, base asset), whose base
    asset its name begins with (BTCUSDT-trades.csv: BTC-PERP), the longest such asset; else all."""
    name = upper(file)
    named = [base for _, base in markets if name.startswith(upper(base))]
    longest = max(named, key=len, default=None)
    return tuple(market_id for market_id, base in markets if longest is None or base == longest)


def _market_facts(market: MarketRecord) -> MarketFacts:
    tape = simulated_tape(market.spec.market_id, market.trades)
    table = fact_table(tape)
    traded = max(len(tape), int(market.quotes["trades"].sum()))
    if len(tape) < traded:
        facts = tuple(_of_a_sample(fact) for fact in table.facts)
        table = dataclasses.replace(table, facts=facts)
    return MarketFacts(table, traded)


def _of_a_sample(fact: Fact) -> Fact:
    if fact.description.key not in OF_EVERY_ORDER:
        return fact
    return Fact(fact.description, None, 0.0, {}, Verdict.NOT_ENOUGH_DATA)
