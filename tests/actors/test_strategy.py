import pickle

import numpy as np
import pytest

from actors.live.strategy import RESENDS_MAX, RETRY_US_MAX, ROWS_MAX
from sim.market import BTC_PERP
from sim.populations.crowd import Crowd
from sim.populations.population import StrategyReply
from sim.populations.registry import STRATEGIES, build_population
from sim.rows.columns import kind_of
from sim.rows.messages import EventKind
from sim.rows.order_ids import ids_of_batch
from sim.rows.packed import CODES
from tests.actors.strategy_market import (
    MAKERS,
    STEP_US,
    STRATEGY_NO,
    Clock,
    Port,
    Recorded,
    step,
    strategy_of,
)
from tests.sim.simulated_market import still_view

LIVE = {name for name, kind in STRATEGIES.items() if kind.is_for_worlds}


def makers() -> Crowd:
    built = build_population("ladder", STRATEGIES["ladder"].parameters(), MAKERS, 1, 5, 3)
    assert isinstance(built, Crowd)
    return built


def test_a_strategy_registers_and_its_orders_rest_under_ids_of_its_own() -> None:
    port, clock = Port(), Clock()
    strategy = strategy_of(makers(), [port], clock)
    step(strategy, clock)
    ids = port.market.engine.resting_orders()["order_id"]
    assert sorted(ids.tolist()) == sorted(ids_of_batch(STRATEGY_NO, 1, 48).tolist())
    assert strategy.health()["markets"] == 1


def test_batches_are_numbered_without_a_gap_and_steps_never_repeat() -> None:
    port, clock, population = Port(), Clock(), Recorded()
    strategy = strategy_of(population, [port], clock)
    step(strategy, clock, 5)
    assert [batch_no for batch_no, _ in port.sent] == [1, 2, 3, 4, 5]
    assert population.steps == [1, 2, 3, 4, 5]


def test_a_market_that_restarts_is_entered_again_and_orders_are_forgotten() -> None:
    port, clock = Port(), Clock()
    strategy = strategy_of(makers(), [port], clock)
    step(strategy, clock, 3)
    port.away = True
    step(strategy, clock, 4)
    assert strategy.health()["markets"] == 0
    port.away = False
    step(strategy, clock, 30)
    assert port.registrations == 2
    assert port.market.engine.open_order_count == 48
    assert strategy.health()["markets"] == 1


def test_a_market_that_stays_away_is_asked_less_and_less_often() -> None:
    port, clock = Port(), Clock()
    port.away = True
    strategy = strategy_of(makers(), [port], clock)
    step(strategy, clock, 600)
    rounds = 600 * STEP_US // RETRY_US_MAX
    assert rounds - 2 <= port.attempts <= rounds + 8


def test_one_market_away_does_not_stop_the_other() -> None:
    ports, clock = [Port(), Port()], Clock()
    ports[0].away = True
    population = Recorded()
    strategy = strategy_of(population, ports, clock)
    step(strategy, clock, 4)
    assert [batch_no for batch_no, _ in ports[1].sent] == [1, 2, 3, 4]
    assert ports[0].sent == []


def test_after_a_lost_reply_nothing_is_sent_twice() -> None:
    port, clock = Port(), Clock()
    strategy = strategy_of(makers(), [port], clock)
    step(strategy, clock)
    port.loses_next_reply = True
    step(strategy, clock, 4)
    assert port.registrations == 2
    assert port.market.engine.open_order_count == 48
    assert port.market.rejected == 0


def test_a_batch_that_is_late_is_sent_again_as_it_was() -> None:
    port, clock, population = Port(), Clock(), Recorded()
    strategy = strategy_of(population, [port], clock)
    port.delays = 2
    step(strategy, clock, 4)
    numbers = [batch_no for batch_no, _ in port.sent]
    assert numbers == [1, 1, 1, 2]
    assert all(np.array_equal(rows, port.sent[0][1]) for _, rows in port.sent[:3])
    assert port.market.engine.open_order_count == 2


def test_a_batch_that_never_comes_through_ends_in_a_new_registration() -> None:
    port, clock = Port(), Clock()
    strategy = strategy_of(Recorded(), [port], clock)
    port.delays = RESENDS_MAX + 1
    step(strategy, clock, RESENDS_MAX + 5)
    assert port.registrations == 2


def test_a_strategy_that_is_started_again_lives_another_life() -> None:
    port, clock, first, second = Port(), Clock(), Recorded(), Recorded()
    step(strategy_of(first, [port], clock), clock, 5)
    step(strategy_of(second, [port], clock), clock, 2)
    assert (first.entered, second.entered) == ([(0, 1)], [(0, 6)])
    assert [batch_no for batch_no, _ in port.sent] == [1, 2, 3, 4, 5, 6, 7]
    assert port.market.engine.open_order_count == 2


def test_a_full_batch_is_cut_and_says_so() -> None:
    port, clock = Port(), Clock()
    strategy = strategy_of(Recorded(ROWS_MAX + 7), [port], clock)
    step(strategy, clock)
    assert len(port.sent[0][1]) == ROWS_MAX
    assert strategy.health()["rows_cut"] == 7


def test_what_happened_reaches_the_population_once() -> None:
    port, clock, population = Port(), Clock(), Recorded()
    step(strategy_of(population, [port], clock), clock, 3)
    kinds = kind_of(np.concatenate(population.events)[:, CODES])
    assert (kinds == EventKind.RESTED).sum() == 3


def test_a_strategy_stops_when_told() -> None:
    clock = Clock()
    strategy = strategy_of(Recorded(), [Port()], clock)
    strategy.stop()
    strategy.run()
    assert strategy.health()["steps"] == 0


def test_positions_the_market_tells_replace_what_was_counted() -> None:
    class Telling(Port):
        def register(self, strategy_no: int, first: int, last: int) -> StrategyReply:
            view = still_view(BTC_PERP, 660_000)
            told = np.array([7, -7, 0], dtype=np.int64)
            events = self.market.register(strategy_no, first, last).events
            return StrategyReply(0, view, events, told)

    population, clock = makers(), Clock()
    step(strategy_of(population, [Telling()], clock), clock)
    assert population.holdings[0].positions_lots.tolist() == [7, -7, 0]


@pytest.mark.parametrize("name", sorted(LIVE))
def test_every_population_travels_by_pickle(name: str) -> None:
    one = build_population(name, STRATEGIES[name].parameters(), range(10, 20), 2, 5, 1)
    views = [still_view(BTC_PERP, 660_000), still_view(BTC_PERP, 660_000)]
    other = pickle.loads(pickle.dumps(one))
    for mine, theirs in zip(one.act(1, views), other.act(1, views), strict=True):
        assert np.array_equal(mine, theirs)
