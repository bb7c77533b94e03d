"""A session of signal agents, second by second, in a market that is made by hand."""

import subprocess
import sys
from collections.abc import Sequence

import numpy as np
import pytest

from sim.market import MarketSpec
from sim.money.waiting import worst_behind_ticks
from sim.populations.crowd import Crowd
from sim.populations.population import CANDLE_COLUMNS, Endowment, Integers, MarketView
from sim.populations.registry import build_population
from sim.rows.messages import EVENT, EventKind, OrderFlag, OrderType, Rows, Side
from sim.rows.packed import bounds_of, packed_for
from sim.scenario.fields import ScenarioError
from sim.scenario.scenario import parse_scenario
from sim.scenario.world import parse_world
from sim.signals.bounds import read
from sim.signals.course import AgentsCourse
from sim.signals.risk import Ruling
from sim.signals.signal import Action
from sim.signals.steps import ExitReason
from sim.signals.terms import StrategyTerms
from tests.markets import ETH_PERP
from tests.sim.agents_runs import AGENTS, CROWD, EAGER, ETH, TEXT, agents_scenario
from tests.sim.scenario_texts import HEAD, SPOT
from tests.waiting import PROGRAM_S_MAX

SECOND_US, MINUTE_US = 1_000_000, 60_000_000
ACCOUNT = 50
CAPITAL_ATOMS = 10_000_000_000
TICKS = 350_000
TERMS = read(
    StrategyTerms,
    {"voting": {"min_votes": 1, "quorum": 0}, "agents": {"orderbook": {"cycle_s": 60}}},
)
"""One agent is enough; the book is looked at once a minute, and says nothing."""


class ByHand:
    """One session; each step is a second, and trades at what the test says."""

    def __init__(
        self, closes: Sequence[int], terms: StrategyTerms = TERMS, spec: MarketSpec = ETH_PERP
    ) -> None:
        self.spec, self.step, self.seq = spec, 0, 0
        built = build_population("signal-agents", terms, range(ACCOUNT, ACCOUNT + 1), 1, 1, 1)
        self.crowd: Crowd = built
        self.crowd.endow(Endowment(CAPITAL_ATOMS, 10, [spec], [past(closes)]))
        self.last, self.volume = closes[-1], 0
        self.margins = np.zeros((2, 1), np.int64)

    def acts(self, ticks: int, seconds: int = 1) -> list[Rows]:
        """So much later, each second with a trade at a price; what it sends in each."""
        sent = []
        for _ in range(seconds):
            self.step += 1
            self.seq += 1
            self.volume += 1
            [rows] = self.crowd.act(self.step, [self.view(ticks)])
            sent += [rows] if len(rows) else []
        return sent

    def view(self, ticks: int) -> MarketView:
        bids, asks = (
            np.array([[ticks + sign * (1 + n), 1_000, 1] for n in range(20)], np.int64)
            for sign in (-1, 1)
        )
        time_us = (self.step - 1) * SECOND_US
        prices = (ticks, ticks, ticks - 1, ticks + 1, ticks)
        return MarketView(
            self.spec, self.seq, time_us, *prices, bids, asks, self.volume, 10**6, *[ticks] * 3
        )

    def happens(self, kind: EventKind, order_id: int, **columns: int) -> None:
        """The session is told of an event of its own."""
        row = np.zeros(1, EVENT)
        row["kind"], row["account_id"], row["order_id"] = kind, ACCOUNT, order_id
        for name, value in columns.items():
            row[name] = value
        [packed] = packed_for(row, bounds_of([self.crowd.accounts]))
        self.crowd.learn(0, packed)

    def fills(self, order: Rows, ticks: int) -> None:
        traded = {"side": int(order["side"]), "quantity_lots": int(order["quantity_lots"])}
        somebody = {"maker_order_id": 7, "maker_account_id": 9}
        self.happens(EventKind.TRADE, 1, price_ticks=ticks, **traded, **somebody)

    @property
    def course(self) -> AgentsCourse:
        left = self.crowd.left()
        assert left is not None
        return left


def past(closes: Sequence[int]) -> Integers:
    """Candles of a minute up to the start."""
    rows = [
        ((place - len(closes)) * MINUTE_US, close, close + 3, close - 3, close, 10)
        for place, close in enumerate(closes)
    ]
    return np.array(rows, np.int64).reshape(-1, CANDLE_COLUMNS)


RISING = [TICKS + 150 * place for place in range(-80, 1)]
FALLING = [2 * TICKS - one for one in RISING]


def test_a_trend_is_bought_and_what_is_held_gets_its_exits() -> None:
    market = ByHand(RISING)
    [bought] = market.acts(TICKS)
    assert market.course.decisions[0].action is Action.BUY
    assert market.course.decisions[0].verdicts[0].ruling is not Ruling.VETOED
    [order] = bought
    assert (order["side"], order["order_type"]) == (Side.BUY, OrderType.MARKET)
    assert order["price_ticks"] > TICKS
    assert not order["flags"]
    market.fills(order, TICKS + 1)
    [exits] = market.acts(TICKS)
    assert exits["order_type"].tolist() == [OrderType.STOP, OrderType.TAKE_PROFIT]
    assert set(exits["side"].tolist()) == {Side.SELL}
    assert exits["quantity_lots"].tolist() == [order["quantity_lots"]] * 2
    assert exits["trigger_ticks"].tolist() == [343_001, 367_502]
    flags = OrderFlag.REDUCE_ONLY | OrderFlag.TRIGGER_ON_MARK
    assert exits["flags"].tolist() == [flags, flags]
    limits = [worst_behind_ticks(ticks, Side.SELL, ETH_PERP) for ticks in (343_001, 367_502)]
    assert exits["price_ticks"].tolist() == limits


def opened(closes: Sequence[int] = RISING) -> tuple[ByHand, Rows, Rows]:
    """A market with a session that is long and has its exits; what was bought, and the exits."""
    market = ByHand(closes)
    [[order]] = market.acts(TICKS)
    market.fills(order, TICKS + 1)
    [exits] = market.acts(TICKS)
    for number, row in enumerate(exits, start=2):
        market.happens(
            EventKind.WAITING,
            number,
            price_ticks=int(row["price_ticks"]),
            quantity_lots=int(row["quantity_lots"]),
        )
    return market, order, exits


def test_exits_are_sent_once_and_again_when_one_has_ended_in_vain() -> None:
    market, _, exits = opened()
    assert market.acts(TICKS, seconds=5) == []
    market.happens(EventKind.TRIGGERED, 2)
    market.happens(EventKind.EXPIRED, 2)
    [again] = market.acts(TICKS)
    assert again["order_type"].tolist() == [OrderType.STOP]
    assert again["trigger_ticks"].tolist() == exits["trigger_ticks"].tolist()[:1]


def test_a_stop_that_was_met_closes_a_round_trip_that_says_so() -> None:
    market, order, exits = opened()
    market.happens(EventKind.TRIGGERED, 2)
    market.fills(exits[0], 343_000)
    market.happens(EventKind.CANCELED, 3)
    market.acts(343_000)
    [trip, *_] = market.course.trips[0]
    lots, atoms = int(order["quantity_lots"]), ETH_PERP.atoms_per_tick_lot
    assert trip.reason is ExitReason.STOP_LOSS
    assert trip.trip.realized_pnl_atoms == (343_000 - TICKS - 1) * lots * atoms
    assert trip.decision == 0


def test_a_position_that_is_closed_by_force_says_so() -> None:
    market, order, _ = opened()
    forced = {"quantity_lots": int(order["quantity_lots"]), "side": Side.SELL}
    somebody = {"maker_order_id": 7, "maker_account_id": 9, "flags": OrderFlag.FORCED}
    market.happens(EventKind.TRADE, 8, price_ticks=TICKS - 90, **forced, **somebody)
    market.acts(TICKS)
    assert market.course.trips[0][0].reason is ExitReason.LIQUIDATED


def test_what_is_held_is_closed_and_nothing_opened_when_agents_turn() -> None:
    market, order, _ = opened()
    sent = market.acts(TICKS - 40_000, seconds=150)
    closing = sent[0]
    assert closing["side"].tolist() == [Side.SELL]
    assert closing["order_type"].tolist() == [OrderType.MARKET]
    assert closing["flags"].tolist() == [OrderFlag.REDUCE_ONLY]
    assert closing["quantity_lots"].tolist() == [order["quantity_lots"]]


def test_with_few_candles_agents_warm_up_and_nobody_trades() -> None:
    market = ByHand(RISING[:10])
    assert market.acts(TICKS, seconds=100) == []
    assert market.course.actions[Action.HOLD] == market.course.decided == 10
    assert market.course.spoken["technical-agent"] == {
        Action.HOLD: 4,
        Action.BUY: 0,
        Action.SELL: 0,
    }


def test_a_market_that_falls_is_sold() -> None:
    [[order]] = ByHand(FALLING).acts(TICKS)
    assert order["side"] == Side.SELL
    assert order["price_ticks"] < TICKS


READ = """
import sys
from storage.files.scenario_file import load_scenario
load_scenario("agents")
assert {"talib", "pandas", "numba"}.isdisjoint(sys.modules)
"""

WRONG = (
    ("rsi_period = 10", "rsi_period = 1", "agents.technical.rsi_period: must be a whole number"),
    ("rsi_period = 10", "rsi_perod = 1", "agents.technical.rsi_perod: is not known"),
    ("ema_slow = 20", "ema_slow = 5", "agents.technical.ema_fast: must be below ema_slow"),
    ("candle_s = 10", "candle = 10", "candle: unknown, allowed here is agents, candle_s"),
    ("candle_s = 10", "candle_s = 10.5", "candle_s: must be a whole number"),
    ("min_votes = 1", 'min_votes = "1"', "voting.min_votes: must be a whole number"),
    ("min_votes = 1", "min_votes = nan", "voting.min_votes: must be a whole number"),
)


@pytest.mark.parametrize(("there", "instead", "told"), WRONG)
def test_wrong_terms_are_refused_in_a_sentence(there: str, instead: str, told: str) -> None:
    with pytest.raises(ScenarioError) as refused:
        agents_scenario(TEXT.replace(there, instead, 1))
    assert str(refused.value).startswith(f"populations[2].parameters.{told}")
    assert refused.value.field == f"populations[2].parameters.{told.split(':')[0]}"


def test_candles_that_steps_do_not_divide_are_refused() -> None:
    with pytest.raises(ScenarioError, match=r"candle_s: found 10, allowed is a multiple of the st"):
        agents_scenario(step_us=300_000)


def test_whoever_only_looks_at_spot_markets_needs_another_and_holds_nothing() -> None:
    spot_alone = AGENTS + 'markets = ["ETH_USDC"]\n'
    with pytest.raises(ScenarioError, match=r"populations\[2\]\.markets: .* one perpetual market"):
        agents_scenario(ETH + SPOT + CROWD + spot_alone)
    holding = AGENTS + 'inventory = {ETH_USDC = "1"}\n'
    with pytest.raises(ScenarioError, match=r"populations\[2\]\.inventory: .* allowed is none"):
        agents_scenario(ETH + SPOT + CROWD + holding)


def test_reading_what_agents_go_by_loads_no_library_of_indicators() -> None:
    command = [sys.executable, "-c", READ]
    done = subprocess.run(command, check=False, capture_output=True, timeout=PROGRAM_S_MAX)
    assert (done.returncode, done.stderr) == (0, b"")


def test_terms_that_are_left_out_have_their_defaults() -> None:
    [*_, agents] = agents_scenario(ETH + SPOT + CROWD + AGENTS).world.populations
    assert agents.parameters == StrategyTerms()
    [*_, eager] = agents_scenario(TEXT).world.populations
    assert eager.parameters.agents.technical.rsi_period == 10
    assert eager.parameters.agents.technical.macd_fast == 12


def test_no_more_heads_than_anybody_can_wait_for() -> None:
    with pytest.raises(ScenarioError, match=r"heads: found 1001, allowed .* 1 to 1000"):
        parse_scenario(
            HEAD.format(seed=1, duration_s=10)
            + (ETH + SPOT + CROWD + AGENTS).replace(
                'heads = 3\ncapital = "10000"', 'heads = 1001\ncapital = "10000"'
            )
        )


def test_a_world_has_its_own_agents() -> None:
    text = 'name = "w"\nseed = 1\n' + ETH + SPOT + CROWD + AGENTS + EAGER
    with pytest.raises(ScenarioError, match=r"populations\[2\]\.strategy: .*agents = true"):
        parse_world(text)
