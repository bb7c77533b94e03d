"""What a simulation leaves behind for its report: tapes and samples, in arrays."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from sim.market import MarketSpec
from sim.record.chain import ChainRecord
from sim.rows.messages import Rows
from sim.scenario.scenario import Happening, MarketShock
from sim.signals.course import AgentsCourse

Integers = npt.NDArray[np.int64]

TRADE: np.dtype[np.void] = np.dtype(
    [
        ("time_us", "<i8"),
        ("price_ticks", "<i8"),
        ("quantity_lots", "<i8"),
        ("taker_account", "<i8"),
        ("maker_account", "<i8"),
        ("taker_side", "<i8"),
    ]
)
"""One trade of a simulation, 48 bytes; time_us is simulated time since the start."""

QUOTE: np.dtype[np.void] = np.dtype(
    [
        ("time_us", "<i8"),
        ("best_bid_ticks", "<i8"),
        ("best_ask_ticks", "<i8"),
        ("last_price_ticks", "<i8"),
        ("index_ticks", "<i8"),
        ("mark_ticks", "<i8"),
        ("bid_lots", "<i8"),
        ("ask_lots", "<i8"),
        ("trades", "<i8"),
        ("volume_lots", "<i8"),
        ("liquidations", "<i8"),
        ("deleveragings", "<i8"),
    ]
)
"""A market after a step. bid_lots, ask_lots: the visible depth; the last four since the sample
before. liquidations: trades that closed a position by force; deleveragings: takeovers of one
without a trade. A missing side is 0."""

STANDING: np.dtype[np.void] = np.dtype(
    [
        ("time_us", "<i8"),
        ("equity_atoms", "<i8"),
        ("fees_atoms", "<i8"),
        ("funding_atoms", "<i8"),
        ("volume_atoms", "<i8"),
        ("liquidated_traders", "<i8"),
    ]
)
"""A whole strategy at a sample: sums over its traders; all but equity are totals so far."""


@dataclass(frozen=True)
class ShockDone:
    """What a shock came to. until_us: the end of the step of its last trade, 0 where none was."""

    shock: MarketShock
    traded_lots: int
    notional_atoms: int
    until_us: int

    @property
    def is_whole(self) -> bool:
        """Whether all was traded that was to be."""
        return self.traded_lots == self.shock.quantity_lots


@dataclass
class MarketRecord:
    """One market's tape, and what its shocks came to."""

    spec: MarketSpec
    trades: Rows
    quotes: Rows
    shocks: tuple[ShockDone, ...] = ()


@dataclass
class StrategyRecord:
    """One strategy's standing over time.

    inventory_lots      int64 (samples, markets): sum of its traders' positions
    trader_pnl_atoms    int64 (traders,): equity at the end less the capital at the start
    makes_markets       as its strategy declares
    """

    name: str
    strategy: str
    traders: int
    capital_atoms: int
    standings: Rows
    inventory_lots: Integers
    trader_pnl_atoms: Integers
    makes_markets: bool = False


@dataclass(frozen=True, eq=False)
class AgentsRecord:
    """What a population of signal agents leaves; `capital_atoms` is that of one head."""

    name: str
    capital_atoms: int
    course: AgentsCourse


@dataclass(frozen=True)
class OtherGain:
    """What somebody who is no strategy gained; with those of the strategies they sum to zero.

    volume_atoms   traded, where they trade
    """

    name: str
    gain_atoms: int
    volume_atoms: int = 0


@dataclass(frozen=True)
class Origin:
    """Where a run comes from: the command, the version of sandpit, and the day and time (UTC)."""

    command: str = ""
    version: str = ""
    made_at: str = ""


ORIGIN_UNKNOWN = Origin()


@dataclass
class RunRecord:
    """A finished (or interrupted) simulation; happenings: the shocks and halts of its scenario."""

    scenario: str
    seed: int
    step_us: int
    steps: int
    steps_planned: int
    orders: int
    fills: int
    wall_s: float
    state_hash: str
    actors: str
    peak_memory_bytes: int
    markets: list[MarketRecord] = field(default_factory=list)
    strategies: list[StrategyRecord] = field(default_factory=list)
    happenings: tuple[Happening, ...] = ()
    others: tuple[OtherGain, ...] = ()
    origin: Origin = ORIGIN_UNKNOWN
    chain: ChainRecord | None = None
    agents: list[AgentsRecord] = field(default_factory=list)
