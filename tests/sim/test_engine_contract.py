"""What any matching engine must do, asked of the kernel and of the naive book alike."""

import numpy as np
import pytest

from sim.book.engine import MarketEngine
from sim.rows.messages import (
    CommandKind,
    EventKind,
    MarketStatus,
    OrderFlag,
    Reason,
    Rows,
    TimeInForce,
)
from tests.sim.engine_rows import (
    BUY,
    SELL,
    SPEC,
    Builder,
    Engine,
    applied,
    cancel,
    cancel_all,
    command,
    depth_lists,
    limit,
    market,
    resting,
    set_status,
)

POST_ONLY, REDUCE_ONLY = OrderFlag.POST_ONLY, OrderFlag.REDUCE_ONLY
IOC, FOK = TimeInForce.IOC, TimeInForce.FOK


def rejection(engine: Engine, row: Rows) -> Reason:
    """The reason one row is refused for; it must be all that happens."""
    [(kind, reason, *_)] = applied(engine, row)
    assert kind in ("REJECTED", "CANCEL_REJECTED")
    return Reason[str(reason)]


def test_an_order_that_meets_nobody_rests(engine: Engine) -> None:
    assert applied(engine, limit(1, 7, BUY, 5, 100)) == [("RESTED", "NONE", 1, 5, 100)]
    assert resting(engine) == [(1, 7, BUY, 100, 5, 0)]


def test_trades_are_at_the_makers_price_best_first_then_oldest_first(engine: Engine) -> None:
    applied(engine, limit(1, 1, SELL, 5, 102), limit(2, 1, SELL, 5, 101), limit(3, 2, SELL, 5, 101))
    assert applied(engine, limit(9, 9, BUY, 12, 103)) == [
        ("TRADE", 2, 9, 5, 101),
        ("TRADE", 3, 9, 5, 101),
        ("TRADE", 1, 9, 2, 102),
    ]
    assert (engine.position_lots(9), engine.position_lots(1), engine.last_price_ticks) == (
        12,
        -7,
        102,
    )


def test_a_partial_fill_keeps_its_place_in_the_queue(engine: Engine) -> None:
    applied(engine, limit(1, 1, SELL, 5, 101), limit(2, 2, SELL, 5, 101))
    applied(engine, limit(3, 3, BUY, 2, 101))
    assert applied(engine, limit(4, 4, BUY, 4, 101)) == [
        ("TRADE", 1, 4, 3, 101),
        ("TRADE", 2, 4, 1, 101),
    ]


def test_the_rest_of_a_crossing_limit_order_rests(engine: Engine) -> None:
    applied(engine, limit(1, 1, SELL, 5, 101))
    events = applied(engine, limit(2, 2, BUY, 8, 101))
    assert events == [("TRADE", 1, 2, 5, 101), ("RESTED", "NONE", 2, 3, 101)]
    assert (engine.best_bid_ticks, engine.best_ask_ticks) == (101, 0)


def test_the_rest_of_an_ioc_order_expires(engine: Engine) -> None:
    applied(engine, limit(1, 1, SELL, 5, 101))
    events = applied(engine, limit(2, 2, BUY, 8, 101, IOC))
    assert events == [("TRADE", 1, 2, 5, 101), ("EXPIRED", "IOC_UNFILLED", 2, 3, 101)]
    assert engine.open_order_count == 0


@pytest.mark.parametrize("time_in_force", list(TimeInForce)[:2])
def test_a_market_order_never_rests(engine: Engine, time_in_force: TimeInForce) -> None:
    applied(engine, limit(1, 1, SELL, 5, 101))
    events = applied(engine, market(2, 2, BUY, 8, 0, time_in_force))
    assert events == [
        ("TRADE", 1, 2, 5, 101),
        ("EXPIRED", "MARKET_LIQUIDITY_EXHAUSTED", 2, 3, 0),
    ]


def test_a_market_order_stops_at_its_worst_price(engine: Engine) -> None:
    applied(engine, limit(1, 1, BUY, 5, 100), limit(2, 1, BUY, 5, 98))
    assert applied(engine, market(3, 3, SELL, 8, 99)) == [
        ("TRADE", 1, 3, 5, 100),
        ("EXPIRED", "MARKET_LIQUIDITY_EXHAUSTED", 3, 3, 99),
    ]


@pytest.mark.parametrize("build", [limit, market])
def test_a_fok_order_trades_whole_or_not_at_all(engine: Engine, build: Builder) -> None:
    applied(engine, limit(1, 1, SELL, 5, 101), limit(2, 2, SELL, 5, 102))
    events = applied(engine, build(3, 3, BUY, 11, 102, FOK))
    assert events == [("EXPIRED", "FOK_UNFILLABLE", 3, 11, 102)]
    events = applied(engine, build(3, 3, BUY, 10, 102, FOK))
    assert events == [("TRADE", 1, 3, 5, 101), ("TRADE", 2, 3, 5, 102)]


def test_a_fok_order_counts_nothing_behind_an_order_of_its_own_account(engine: Engine) -> None:
    applied(engine, limit(1, 1, SELL, 5, 101), limit(2, 9, SELL, 1, 101), limit(3, 1, SELL, 5, 101))
    assert applied(engine, limit(4, 9, BUY, 6, 101, FOK))[0][1] == "FOK_UNFILLABLE"
    assert applied(engine, limit(4, 9, BUY, 5, 101, FOK)) == [("TRADE", 1, 4, 5, 101)]


def test_a_fok_order_counts_reduce_only_makers(engine: Engine) -> None:
    applied(engine, limit(1, 1, BUY, 5, 100), limit(2, 2, SELL, 5, 100))
    applied(engine, limit(3, 1, SELL, 5, 101, flags=REDUCE_ONLY))
    assert applied(engine, limit(4, 4, BUY, 6, 101, FOK))[0][1] == "FOK_UNFILLABLE"
    assert applied(engine, limit(4, 4, BUY, 5, 101, FOK)) == [("TRADE", 3, 4, 5, 101)]


def test_a_post_only_order_that_would_take_is_rejected(engine: Engine) -> None:
    applied(engine, limit(1, 1, SELL, 5, 101))
    would_take = limit(2, 2, BUY, 5, 101, flags=POST_ONLY)
    assert rejection(engine, would_take) == Reason.POST_ONLY_WOULD_TAKE
    applied(engine, limit(2, 2, BUY, 5, 100, flags=POST_ONLY))
    assert (2, 2, BUY, 100, 5, POST_ONLY) in resting(engine)


def test_self_trade_prevention_expires_the_incoming_rest_and_keeps_the_resting_order(
    engine: Engine,
) -> None:
    applied(engine, limit(1, 1, SELL, 2, 101), limit(2, 9, SELL, 5, 101), limit(3, 1, SELL, 5, 101))
    assert applied(engine, limit(4, 9, BUY, 6, 102)) == [
        ("TRADE", 1, 4, 2, 101),
        ("EXPIRED", "SELF_TRADE_PREVENTION", 4, 4, 102),
    ]
    assert [row[0] for row in resting(engine)] == [2, 3]


def test_self_trade_is_prevented_inside_one_batch(engine: Engine) -> None:
    events = applied(engine, limit(1, 9, SELL, 5, 101), limit(2, 9, BUY, 5, 101))
    assert events == [
        ("RESTED", "NONE", 1, 5, 101),
        ("EXPIRED", "SELF_TRADE_PREVENTION", 2, 5, 101),
    ]


def give_position(engine: Engine, account_id: int, lots: int, price_ticks: int = 100) -> None:
    """Let an account buy (or sell, lots < 0) from account 77 on an empty book."""
    side = BUY if lots > 0 else SELL
    maker = limit(900, 77, 3 - side, abs(lots), price_ticks)
    applied(engine, maker, limit(901, account_id, side, abs(lots), price_ticks))


@pytest.mark.parametrize("lots", [0, 5, -5])
def test_a_reduce_only_order_that_would_increase_is_rejected(engine: Engine, lots: int) -> None:
    if lots:
        give_position(engine, 1, lots)
    same_side = SELL if lots < 0 else BUY
    row = limit(1, 1, same_side, 1, 100, flags=REDUCE_ONLY)
    assert rejection(engine, row) == Reason.REDUCE_ONLY_WOULD_INCREASE


def test_a_reduce_only_order_fills_up_to_the_position_and_loses_the_excess(engine: Engine) -> None:
    give_position(engine, 1, 5)
    applied(engine, limit(1, 2, BUY, 20, 100))
    assert applied(engine, limit(2, 1, SELL, 8, 99, IOC, REDUCE_ONLY)) == [
        ("TRADE", 1, 2, 5, 100),
        ("CANCELED", "REDUCE_ONLY_EXCESS", 2, 3, 99),
    ]
    assert engine.position_lots(1) == 0


def test_a_reduce_only_order_rests_with_what_is_left_of_the_position(engine: Engine) -> None:
    give_position(engine, 1, 5)
    applied(engine, limit(1, 2, BUY, 2, 100))
    assert applied(engine, limit(2, 1, SELL, 8, 100, flags=REDUCE_ONLY)) == [
        ("TRADE", 1, 2, 2, 100),
        ("REDUCED", "REDUCE_ONLY_EXCESS", 2, 3, 100),
        ("RESTED", "NONE", 2, 3, 100),
    ]
    assert applied(engine, limit(3, 3, BUY, 9, 100, IOC)) == [
        ("TRADE", 2, 3, 3, 100),
        ("EXPIRED", "IOC_UNFILLED", 3, 6, 100),
    ]


def test_a_reduce_only_fok_order_beyond_the_position_expires(engine: Engine) -> None:
    give_position(engine, 1, 5)
    applied(engine, limit(1, 2, BUY, 20, 100))
    events = applied(engine, limit(2, 1, SELL, 6, 100, FOK, REDUCE_ONLY))
    assert events == [("EXPIRED", "FOK_UNFILLABLE", 2, 6, 100)]


def test_a_resting_reduce_only_order_never_flips_its_owner(engine: Engine) -> None:
    give_position(engine, 1, 5)
    applied(engine, limit(1, 1, SELL, 5, 105, flags=REDUCE_ONLY), limit(2, 2, SELL, 9, 105))
    applied(engine, limit(3, 3, BUY, 2, 101))
    assert applied(engine, limit(4, 1, SELL, 2, 101)) == [
        ("TRADE", 3, 4, 2, 101),
        ("REDUCED", "REDUCE_ONLY_EXCESS", 1, 2, 105),
    ]
    assert applied(engine, limit(5, 5, BUY, 8, 105)) == [
        ("TRADE", 1, 5, 3, 105),
        ("TRADE", 2, 5, 5, 105),
    ]
    assert engine.position_lots(1) == 0


def test_a_forced_orders_trades_carry_the_bit_and_it_changes_nothing_else(engine: Engine) -> None:
    give_position(engine, 1, 5)
    engine.apply(limit(7, 7, BUY, 3, 101))
    trade, rest = engine.apply(limit(8, 1, SELL, 9, 101, IOC, REDUCE_ONLY | OrderFlag.FORCED))
    assert (trade["kind"], trade["quantity_lots"], trade["flags"]) == (EventKind.TRADE, 3, 6)
    assert (rest["kind"], rest["reason"], rest["flags"]) == (
        EventKind.EXPIRED,
        Reason.IOC_UNFILLED,
        6,
    )


def test_a_resting_reduce_only_order_leaves_with_the_position(engine: Engine) -> None:
    give_position(engine, 1, 5)
    applied(engine, limit(1, 1, SELL, 5, 105, flags=REDUCE_ONLY))
    assert applied(engine, limit(3, 3, BUY, 5, 101), limit(4, 1, SELL, 5, 101))[1:] == [
        ("TRADE", 3, 4, 5, 101),
        ("CANCELED", "REDUCE_ONLY_EXCESS", 1, 5, 105),
    ]
    assert engine.open_order_count == 0


def test_a_cancel_says_what_remained(engine: Engine) -> None:
    applied(engine, limit(1, 1, SELL, 5, 101), limit(2, 2, BUY, 2, 101))
    assert applied(engine, cancel(1, 1)) == [("CANCELED", "REQUESTED", 1, 3, 101)]
    assert rejection(engine, cancel(1, 1)) == Reason.ORDER_NOT_OPEN


def test_nobody_cancels_the_order_of_another(engine: Engine) -> None:
    applied(engine, limit(1, 1, SELL, 5, 101))
    assert rejection(engine, cancel(1, 2)) == Reason.USER_MISMATCH
    assert engine.open_order_count == 1


def test_cancel_all_takes_back_the_accounts_orders_in_order_of_acceptance(engine: Engine) -> None:
    rows = [limit(3, 1, SELL, 5, 105), limit(1, 1, BUY, 5, 99), limit(4, 2, BUY, 5, 99)]
    applied(engine, *rows, limit(2, 1, BUY, 5, 100))
    assert applied(engine, cancel_all(1)) == [
        ("CANCELED", "REQUESTED", 3, 5, 105),
        ("CANCELED", "REQUESTED", 1, 5, 99),
        ("CANCELED", "REQUESTED", 2, 5, 100),
    ]
    assert applied(engine, cancel_all(1)) == []


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (28, "DEAD_MANS_SWITCH"),
        (29, "OPERATOR"),
        (24, "REQUESTED"),
        (19, "REQUESTED"),
        (255, "REQUESTED"),
    ],
)
def test_a_cancel_says_who_asked_for_it_and_nothing_else(
    asked: int, told: str, engine: Engine
) -> None:
    applied(engine, limit(1, 1, BUY, 5, 99), limit(2, 1, BUY, 5, 98))
    one, rest = cancel(1, 1), cancel_all(1)
    one["reason"] = rest["reason"] = asked
    assert applied(engine, one, rest) == [
        ("CANCELED", told, 1, 5, 99),
        ("CANCELED", told, 2, 5, 98),
    ]


def test_a_halted_market_takes_nothing_but_a_status(engine: Engine) -> None:
    applied(engine, limit(1, 1, SELL, 5, 101), set_status(MarketStatus.HALTED))
    assert engine.status == MarketStatus.HALTED
    for row in (limit(2, 2, BUY, 5, 101), cancel(1, 1), cancel_all(1)):
        assert rejection(engine, row) == Reason.MARKET_HALTED
    events = applied(engine, set_status(MarketStatus.ACTIVE), cancel(1, 1))
    assert events[0] == ("STATUS_CHANGED", "NONE", 0, MarketStatus.ACTIVE, 0)
    assert events[1][0] == "CANCELED"


def test_a_cancel_only_market_takes_cancels(engine: Engine) -> None:
    applied(engine, limit(1, 1, SELL, 5, 101), set_status(MarketStatus.CANCEL_ONLY))
    assert rejection(engine, limit(2, 2, BUY, 5, 101)) == Reason.MARKET_CANCEL_ONLY
    assert applied(engine, cancel(1, 1))[0][0] == "CANCELED"


MALFORMED = [
    command(0),
    command(9, order_id=1),
    limit(0, 1, BUY, 1, 100),
    limit(1, 1, 0, 1, 100),
    limit(1, 1, 3, 1, 100),
    limit(1, 1, BUY, 1, 100, 0),
    limit(1, 1, BUY, 1, 100, 4),
    limit(1, 1, BUY, 1, 100, flags=8),
    set_status(0),
    set_status(4),
]


@pytest.mark.parametrize("row", MALFORMED)
def test_a_row_that_makes_no_sense_is_an_invalid_command(engine: Engine, row: Rows) -> None:
    assert rejection(engine, row) == Reason.INVALID_COMMAND
    assert (engine.input_seq, engine.event_seq) == (1, 1)


def test_rejections_follow_the_order_of_precedence(engine: Engine) -> None:
    give_position(engine, 2, -5)
    applied(engine, limit(1, 1, SELL, 5, 101), set_status(MarketStatus.HALTED))
    row = market(1, 2, SELL, 0, -1, IOC, POST_ONLY | REDUCE_ONLY)
    broken = []
    for repair in (
        {"time_us": 0},
        {"status": 0},
        {"quantity_lots": 1},
        {"price_ticks": 1},
        {"order_type": 1},
        {"time_in_force": 1},
        {"order_id": 5},
        {"account_id": 1, "side": BUY, "price_ticks": 101, "flags": POST_ONLY},
    ):
        for name, value in repair.items():
            row[name] = value
        broken.append(rejection(engine, row))
        if broken[-1] == Reason.MARKET_HALTED:
            applied(engine, set_status(MarketStatus.CANCEL_ONLY))
            broken.append(rejection(engine, row))
            applied(engine, set_status(MarketStatus.ACTIVE))
    assert broken == sorted(broken)
    assert set(range(2, 11)) == set(broken)


def test_an_id_is_free_again_once_its_order_is_gone(engine: Engine) -> None:
    applied(engine, limit(1, 1, SELL, 5, 101))
    assert rejection(engine, limit(1, 2, BUY, 5, 100)) == Reason.DUPLICATE_ORDER_ID
    applied(engine, cancel(1, 1))
    assert applied(engine, limit(1, 2, BUY, 5, 100))[0][0] == "RESTED"


def test_depth_sums_each_level_best_first(engine: Engine) -> None:
    bids = [limit(1, 1, BUY, 5, 99), limit(2, 1, BUY, 3, 99), limit(3, 1, BUY, 4, 98)]
    applied(engine, *bids, limit(4, 1, SELL, 7, 101), limit(5, 2, SELL, 2, 101))
    assert depth_lists(engine) == [[[99, 8, 2], [98, 4, 1]], [[101, 9, 2]]]
    assert depth_lists(engine, 1) == [[[99, 8, 2]], [[101, 9, 2]]]


def test_a_replaced_book_never_stands_crossed(engine: Engine) -> None:
    generator = np.random.default_rng(5)
    for step in range(60):
        middle = 100 + int(generator.integers(-20, 20))
        rows = [cancel_all(1)]
        for place in range(1, 6):
            rows.append(limit(20 * step + place, 1, BUY, 3, middle - place))
            rows.append(limit(20 * step + place + 10, 1, SELL, 3, middle + place))
        events = applied(engine, *rows, limit(-1 - step, 2, BUY, 4, middle + 1, IOC))
        assert engine.best_bid_ticks < engine.best_ask_ticks
        assert not [event for event in events if event[1] == "SELF_TRADE_PREVENTION"]


def test_sequence_numbers_have_no_gaps_and_name_the_cause(engine: Engine) -> None:
    rows = [limit(1, 1, SELL, 5, 101), cancel_all(5), limit(2, 2, BUY, 5, 101), cancel(1, 1)]
    events = engine.apply(np.concatenate(rows))
    assert events["event_seq"].tolist() == [1, 2, 3]
    assert events["input_seq"].tolist() == [1, 3, 4]
    assert (engine.event_seq, engine.input_seq) == (3, 4)


def test_an_engine_goes_on_from_its_snapshot_as_if_nothing_had_happened(engine: Engine) -> None:
    applied(engine, limit(1, 1, SELL, 5, 101), limit(2, 2, BUY, 2, 101), limit(3, 1, SELL, 5, 101))
    other = type(engine).restore(SPEC, engine.snapshot())
    rows = [limit(4, 4, BUY, 7, 101), cancel_all(1), cancel(3, 1)]
    assert applied(other, *rows) == applied(engine, *rows)
    assert (other.event_seq, other.input_seq) == (engine.event_seq, engine.input_seq)


def test_an_empty_batch_leaves_no_events(engine: Engine) -> None:
    assert len(engine.apply(limit(1, 1, BUY, 1, 1)[:0])) == 0


def test_a_mark_that_is_told_is_the_mark_of_a_row() -> None:
    by_row, told = MarketEngine(SPEC), MarketEngine(SPEC)
    for engine in (by_row, told):
        applied(engine, limit(1, 7, BUY, 5, 100))
    applied(by_row, command(CommandKind.SET_MARK, price_ticks=90))
    told.tell_mark(90)
    assert told.state_hash() == by_row.state_hash()
    assert (told.mark_ticks, told.input_seq) == (90, 2)
    taking = limit(2, 8, SELL, 5, 80)
    assert applied(told, taking) == applied(by_row, taking)
