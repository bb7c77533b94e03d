"""Hypothesis walks both engines through the same rows and compares event by event.

600 walks of 60 steps, a step being a batch of 1 to 4 rows or a restart from a
snapshot: 36,000 steps in all. The profile is deterministic, its seed is printed.
"""

from dataclasses import replace

from hypothesis import seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from sim.book.engine import MarketEngine
from sim.rows.messages import (
    CommandKind,
    MarketStatus,
    OrderFlag,
    OrderType,
    Rows,
    TimeInForce,
    joined,
)
from tests.sim.engine_rows import SPEC, command, depth_lists, resting
from tests.sim.naive_book import NaiveBook

SEED = 20240808
BANDED = replace(SPEC, price_band_ppm=30_000, min_quantity_lots=2, max_price_ticks=2**31 - 2)
"""Three ticks to either side where these rows trade, and little that is too small or too dear."""
EXTREME_PRICES = [1, 2, 63, 64, 65, 4095, 4096, 2**18 - 1, 2**18, 2**30, 2**31 - 2, 2**31 - 1]
ORDER_IDS = st.sampled_from([*range(1, 25), *range(-24, 0), 2**63 - 1, -(2**63)])
ACCOUNTS = st.integers(1, 4)
NEAR_PRICES = st.integers(95, 105)
TIMES = st.integers(1, 60)
REDUCE_ONLY, MAY_OPEN = int(OrderFlag.REDUCE_ONLY), int(OrderFlag.MAY_OPEN)
QUANTITIES = st.one_of(st.integers(1, 12), st.just(SPEC.max_quantity_lots))


def places(prices: st.SearchStrategy[int]) -> st.SearchStrategy[Rows]:
    """PLACE rows that are mostly acceptable."""
    return st.builds(
        command,
        st.just(CommandKind.PLACE),
        order_id=ORDER_IDS,
        account_id=ACCOUNTS,
        side=st.integers(1, 2),
        quantity_lots=QUANTITIES,
        price_ticks=prices,
        order_type=st.sampled_from([OrderType.LIMIT] * 4 + [OrderType.MARKET]),
        time_in_force=st.sampled_from([TimeInForce.GTC] * 4 + [TimeInForce.IOC, TimeInForce.FOK]),
        flags=st.sampled_from([0, 0, 0, 0, 1, 2, 2, 3, 4, 6]),
        time_us=st.integers(0, 2**62),
    )


ANYTHING = st.builds(
    command,
    st.integers(0, 255),
    order_id=st.integers(-(2**63), 2**63 - 1),
    account_id=st.integers(-(2**63), 2**63 - 1),
    side=st.integers(0, 255),
    quantity_lots=st.integers(-(2**63), 2**63 - 1),
    price_ticks=st.integers(-(2**31), 2**31 - 1),
    order_type=st.integers(0, 9),
    time_in_force=st.integers(0, 4),
    flags=st.integers(0, 255),
    status=st.integers(0, 255),
)


def ways_of_waiting(order_type: st.SearchStrategy[int]) -> st.SearchStrategy[Rows]:
    """PLACE rows of a kind that waits or ends or is linked, mostly acceptable, near the middle."""
    return st.builds(
        command,
        st.just(CommandKind.PLACE),
        order_id=ORDER_IDS,
        account_id=ACCOUNTS,
        side=st.integers(1, 2),
        quantity_lots=QUANTITIES,
        price_ticks=NEAR_PRICES,
        order_type=order_type,
        time_in_force=st.sampled_from([TimeInForce.GTC] * 3 + [TimeInForce.IOC, TimeInForce.FOK]),
        flags=st.sampled_from([0, 0, 0, 2, 2, 8, 8, 10, 1, 9, 4]),
        time_us=TIMES,
        trigger_ticks=st.one_of(st.integers(0, 5), NEAR_PRICES),
        expires_us=st.one_of(st.just(0), TIMES),
        link_id=st.one_of(st.just(0), ORDER_IDS),
    )


STANDING = st.builds(
    command,
    st.just(CommandKind.PLACE),
    order_id=ORDER_IDS,
    account_id=ACCOUNTS,
    side=st.integers(1, 2),
    quantity_lots=QUANTITIES,
    price_ticks=NEAR_PRICES,
    order_type=st.just(OrderType.LIMIT),
    time_in_force=st.just(TimeInForce.GTC),
    flags=st.sampled_from([0, 0, 0, 1, 2]),
    time_us=TIMES,
    expires_us=st.one_of(st.just(0), TIMES),
    link_id=st.one_of(st.just(0), ORDER_IDS),
)
WAITING = ways_of_waiting(st.sampled_from([3, 4, 5, 6, 7, 7]))
TRAILING = ways_of_waiting(st.just(OrderType.TRAILING))
AMENDS = st.builds(
    command,
    st.just(CommandKind.AMEND),
    order_id=ORDER_IDS,
    account_id=ACCOUNTS,
    quantity_lots=st.one_of(st.just(0), QUANTITIES, st.integers(-2, 3)),
    price_ticks=st.one_of(st.just(0), NEAR_PRICES),
    trigger_ticks=st.one_of(st.just(0), st.just(0), NEAR_PRICES),
    flags=st.sampled_from([0, 0, REDUCE_ONLY, MAY_OPEN, MAY_OPEN, REDUCE_ONLY | MAY_OPEN, 1]),
    time_us=TIMES,
)
PAIRS = st.builds(
    lambda first, second, order_id, other_id, account_id: linked(
        first, second, order_id, other_id, account_id
    ),
    st.one_of(STANDING, WAITING),
    st.one_of(STANDING, WAITING),
    ORDER_IDS,
    ORDER_IDS,
    ACCOUNTS,
)


def linked(first: Rows, second: Rows, order_id: int, other_id: int, account_id: int) -> Rows:
    """Two rows as one array: orders of an account of which the second names the first."""
    first["order_id"], second["order_id"] = order_id, other_id
    for row in (first, second):
        row["account_id"], row["link_id"] = account_id, order_id
    return joined([first, second])


CANCELS = st.builds(command, st.just(CommandKind.CANCEL), order_id=ORDER_IDS, account_id=ACCOUNTS)
CANCEL_ALLS = st.builds(command, st.just(CommandKind.CANCEL_ALL), account_id=ACCOUNTS)
TICKS = st.builds(command, st.just(CommandKind.TICK), time_us=TIMES)
NEAR_ROWS = st.one_of(*[places(NEAR_PRICES)] * 6, CANCELS, CANCELS, CANCEL_ALLS)


class BothEngines(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.engine = MarketEngine(BANDED, capacity_orders=1)
        self.naive = NaiveBook(BANDED)

    def both_apply(self, rows: list[Rows]) -> None:
        batch = joined(rows)
        assert self.engine.apply(batch).tolist() == self.naive.apply(batch).tolist()

    @rule(rows=st.lists(NEAR_ROWS, min_size=1, max_size=4))
    def trade_near_the_middle(self, rows: list[Rows]) -> None:
        self.both_apply(rows)

    @rule(rows=st.lists(NEAR_ROWS, min_size=4, max_size=4))
    def trade_more_near_the_middle(self, rows: list[Rows]) -> None:
        self.both_apply(rows)

    @rule(rows=st.lists(st.one_of(WAITING, WAITING, TRAILING, PAIRS), min_size=1, max_size=4))
    def wait_near_the_middle(self, rows: list[Rows]) -> None:
        self.both_apply(rows)

    @rule(rows=st.lists(st.one_of(STANDING, STANDING, PAIRS, TICKS), min_size=1, max_size=4))
    def stand_for_a_while(self, rows: list[Rows]) -> None:
        self.both_apply(rows)

    @rule(rows=st.lists(st.one_of(AMENDS, AMENDS, WAITING, NEAR_ROWS), min_size=1, max_size=4))
    def amend_orders(self, rows: list[Rows]) -> None:
        self.both_apply(rows)

    @rule(row=places(st.one_of(st.sampled_from(EXTREME_PRICES), st.integers(1, 2**31 - 1))))
    def place_far_away(self, row: Rows) -> None:
        self.both_apply([row])

    @rule(rows=st.lists(ANYTHING, min_size=1, max_size=2))
    def send_anything(self, rows: list[Rows]) -> None:
        self.both_apply(rows)

    @rule(status=st.sampled_from([1, 2, 3, 4]), rows=st.lists(NEAR_ROWS, max_size=3))
    def change_the_status_and_back(self, status: int, rows: list[Rows]) -> None:
        change = command(CommandKind.SET_STATUS, status=status)
        back = command(CommandKind.SET_STATUS, status=MarketStatus.ACTIVE)
        self.both_apply([change, *rows, back])

    @rule(mark_ticks=st.integers(94, 106), rows=st.lists(NEAR_ROWS, min_size=1, max_size=3))
    def move_the_mark(self, mark_ticks: int, rows: list[Rows]) -> None:
        self.both_apply([command(CommandKind.SET_MARK, price_ticks=mark_ticks), *rows])

    @rule()
    def restart_from_a_snapshot(self) -> None:
        before = self.engine.state_hash()
        self.engine = MarketEngine.restore(BANDED, self.engine.snapshot())
        assert self.engine.state_hash() == before

    @invariant()
    def the_books_are_equal(self) -> None:
        assert resting(self.engine) == resting(self.naive)
        assert depth_lists(self.engine) == depth_lists(self.naive)
        bid, ask = self.engine.best_bid_ticks, self.engine.best_ask_ticks
        assert (bid, ask) == (self.naive.best_bid_ticks, self.naive.best_ask_ticks)
        assert bid == 0 or ask == 0 or bid < ask

    @invariant()
    def the_same_orders_wait(self) -> None:
        naive = [
            (o.order_id, o.account_id, o.remaining, o.trigger, o.expires, o.link, bool(o.due))
            for o in self.naive.waiting_orders()
        ]
        names = "order_id account_id remaining_lots trigger_ticks expires_us link_id due_no"
        rows = self.engine.waiting_orders()[names.split()].tolist()
        assert [(*row[:-1], bool(row[-1])) for row in rows] == naive

    @invariant()
    def the_numbers_are_equal(self) -> None:
        held = {account: lots for account, lots in self.naive.positions.items() if lots}
        assert dict(self.engine.positions().tolist()) == held
        numbers = ("event_seq", "input_seq", "last_price_ticks", "status", "open_order_count")
        for name in (*numbers, "mark_ticks"):
            assert getattr(self.engine, name) == getattr(self.naive, name)


def test_the_kernel_and_the_naive_book_agree_event_by_event() -> None:
    print(f"seed {SEED}")
    profile = settings(max_examples=600, stateful_step_count=60, deadline=None, database=None)
    run_state_machine_as_test(seed(SEED)(BothEngines), settings=profile)
