"""What a book is told in front of a batch, and what its traders see and hear."""

import numpy as np
import pytest

from sim.book.engine import MarketEngine
from sim.hosting.host import MarketHost
from sim.rows.columns import kind_of
from sim.rows.messages import CommandKind, EventKind, Rows
from sim.rows.packed import CODES, WHOSE
from sim.stepping.part import NOTHING, Batch
from tests.sim.engine_rows import BUY, SELL, SPEC, limit, stop, told, until
from tests.sim.scenario_texts import BTC, MAKERS, scenario_of, world_of

FIRST, SECOND = range(10, 13), range(20, 22)


def opened(mark_ticks: int = 100) -> MarketHost:
    host = MarketHost(MarketEngine(SPEC), index_ticks=101, mark_ticks=mark_ticks)
    host.tell_to([FIRST, SECOND])
    return host


def at(time_us: int, *rows: Rows) -> Rows:
    joined = np.concatenate(rows)
    joined["time_us"] = time_us
    return joined


def test_the_book_is_told_mark_in_front_of_the_first_batch_after_it_moved() -> None:
    host, batch = opened(), at(7, limit(1, 10, BUY, 5, 99))
    (row,) = host.mark_in_front(batch)
    assert (row["kind"], row["price_ticks"], row["time_us"]) == (CommandKind.SET_MARK, 100, 7)
    host.apply(batch)
    assert host.engine.mark_ticks == 100
    assert host.engine.input_seq == 2
    assert len(host.mark_in_front(batch)) == 0
    host.mark_ticks = 103
    assert host.mark_in_front(batch)["price_ticks"].tolist() == [103]


def test_nothing_is_put_in_front_of_nothing_nor_before_a_mark_is_known() -> None:
    assert len(opened().mark_in_front(at(1, limit(1, 10, BUY, 5, 99))[:0])) == 0
    assert len(opened(mark_ticks=0).mark_in_front(at(1, limit(1, 10, BUY, 5, 99)))) == 0


def test_traders_hear_of_their_own_and_of_nobody_elses() -> None:
    host = opened()
    events = host.apply(
        at(1, limit(1, 10, BUY, 5, 99), limit(2, 21, SELL, 2, 99), limit(3, 30, BUY, 1, 98))
    )
    first, second = host.told(events)
    assert first[:, WHOSE].tolist() == [1, 1 << 32]
    assert second[:, WHOSE].tolist() == [2]
    host.tell_to([SECOND])
    assert len(host.told(events)) == 1


def test_no_account_is_told_to_two() -> None:
    with pytest.raises(AssertionError, match="share an account"):
        opened().tell_to([range(10, 13), range(1, 11)])


def test_a_view_is_of_the_book_as_it_is_and_of_prices_as_they_were_last_said() -> None:
    host = opened()
    host.apply(at(1, limit(1, 10, BUY, 5, 99), limit(2, 20, SELL, 4, 102)))
    before = host.view(5)
    host.index_ticks = 104
    host.count_volume(host.apply(at(2, limit(3, 11, BUY, 4, 102))))
    after = host.view(6, activity_ppm=3)
    assert before.asks.tolist() == [[102, 4, 1]]
    assert after.asks.tolist() == []
    assert after.bids.tolist() == [[99, 5, 1]]
    assert (before.index_ticks, after.index_ticks, after.mark_ticks) == (101, 104, 100)
    assert (before.volume_lots, after.volume_lots) == (0, 4)
    assert (after.time_us, after.activity_ppm, after.event_seq) == (6, 3, host.engine.event_seq)


def test_a_host_that_goes_on_shows_the_book_that_was_kept() -> None:
    host, other = opened(), opened()
    host.apply(at(1, limit(1, 10, BUY, 5, 99)))
    other.apply(at(1, limit(1, 10, BUY, 5, 98)))
    assert host.view(1).bids.tolist() == [[99, 5, 1]]
    host.go_on(MarketEngine.restore(SPEC, other.engine.snapshot()), 17)
    assert host.view(1).bids.tolist() == [[98, 5, 1]]
    assert host.view(1).volume_lots == 17


def test_a_quiet_host_wakes_for_time_and_for_mark_where_orders_wait_for_them() -> None:
    host = MarketHost(MarketEngine(SPEC), 100, 100)
    assert len(host.waking_rows(10)) == 0
    host.apply(until(50, limit(1, 1, SELL, 5, 120)))
    assert len(host.waking_rows(49)) == 0
    [ended] = told(host.apply(host.waking_rows(50)))
    assert ended[:3] == ("EXPIRED", "TIME", 1)
    host.apply(stop(2, 2, BUY, 5, 110, flags=8))
    assert len(host.waking_rows(60)) == 0
    host.mark_ticks = 111
    events = told(host.apply(host.waking_rows(61)))
    assert events[0][:3] == ("TRIGGERED", "NONE", 2)
    assert len(host.waking_rows(62)) == 0


def test_an_order_in_a_simulation_ends_in_the_first_step_that_begins_at_its_time() -> None:
    scenario = scenario_of(BTC + MAKERS)
    [market] = world_of(scenario).markets
    rows = until(2 * scenario.step_us, limit(-5, 1, BUY, 100, 1_000), time_us=1)
    kinds: list[int] = []
    for step, batch in enumerate((Batch(rows), NOTHING, NOTHING, NOTHING), 1):
        assert step == 1 or market.busy_step == step or kinds[-1:] == [EventKind.EXPIRED]
        [reply] = market.step(step, [batch])
        kinds += kind_of(reply.events[:, CODES]).tolist() or [0]
    assert kinds == [EventKind.RESTED, 0, EventKind.EXPIRED, 0]
