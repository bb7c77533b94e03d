"""A swap's way through a pool: step by step to the next initialised tick or the edge of a word."""

from dataclasses import dataclass
from functools import cached_property

from sim.pool.bitmap import next_initialized_tick, past_empty_words
from sim.pool.full_math import add_delta, mul_div
from sim.pool.store import Store
from sim.pool.swap_math import SwapStep, swap_step
from sim.pool.tick_math import MAX_TICK, MIN_TICK, sqrt_ratio_at_tick, tick_at_sqrt_ratio
from sim.pool.ticks import Grown
from sim.pool.words import Q128, Pair, checked, checked_signed, wrapped, wrapped_signed


@dataclass(frozen=True)
class Order:
    """What is asked of a swap: amount > 0 is paid in exactly, < 0 is paid out exactly."""

    zero_for_one: bool
    amount_specified: int
    sqrt_price_limit_x96: int

    @property
    def is_exact_in(self) -> bool:
        return self.amount_specified > 0


class Walk:
    """Where a swap has come to. Ticks are crossed in the store; all else is told to it at the end.

    fee_growth_x128, protocol_fee   of the token that is paid in
    """

    def __init__(self, store: Store, time_s: int, order: Order) -> None:
        state = store.state
        self._store, self._time_s, self._order = store, time_s, order
        self._token_in = 0 if order.zero_for_one else 1
        self._remaining, self._calculated = order.amount_specified, 0
        self.sqrt_price_x96, self.tick = state.sqrt_price_x96, state.tick
        self.liquidity = state.liquidity
        self.fee_growth_x128 = state.fee_growth_global_x128[self._token_in]
        self.protocol_fee = 0

    def to_the_end(self) -> None:
        """Until nothing remains, or the limit is reached. Raises Reverted."""
        while self._remaining != 0 and self.sqrt_price_x96 != self._order.sqrt_price_limit_x96:
            self._go_on()

    @property
    def amounts(self) -> Pair:
        """Of both tokens, positive into the pool."""
        specified = wrapped_signed(self._order.amount_specified - self._remaining, 256)
        if self._order.zero_for_one == self._order.is_exact_in:
            return specified, self._calculated
        return self._calculated, specified

    def _go_on(self) -> None:
        order, spacing = self._order, self._store.tick_spacing
        self._store.steps_walked += 1
        found, is_initialized = next_initialized_tick(
            self._store.bitmap, self._start, spacing, order.zero_for_one
        )
        next_tick = min(max(found, MIN_TICK), MAX_TICK)
        next_x96 = sqrt_ratio_at_tick(next_tick)
        nearer = max if order.zero_for_one else min
        target_x96 = nearer(next_x96, order.sqrt_price_limit_x96)
        step = swap_step(
            self.sqrt_price_x96,
            target_x96,
            self.liquidity,
            self._remaining,
            self._store.fee_pips,
        )
        before_x96, self.sqrt_price_x96 = self.sqrt_price_x96, step.sqrt_next_x96
        self._count(step)
        self._share_fee(step.fee_amount)
        if self.sqrt_price_x96 == next_x96:
            if is_initialized:
                self._cross(next_tick)
            self.tick = next_tick - 1 if order.zero_for_one else next_tick
        elif self.sqrt_price_x96 != before_x96:
            self.tick = tick_at_sqrt_ratio(self.sqrt_price_x96)

    @property
    def _start(self) -> int:
        """The tick to look on from: where nobody provides liquidity, nothing happens at the edges
        of words, and there may be thousands of them."""
        if self.liquidity:
            return self.tick
        spacing, downwards = self._store.tick_spacing, self._order.zero_for_one
        return past_empty_words(self._store.bitmap, self.tick, spacing, self._limit_tick, downwards)

    @cached_property
    def _limit_tick(self) -> int:
        return tick_at_sqrt_ratio(self._order.sqrt_price_limit_x96)

    def _count(self, step: SwapStep) -> None:
        paid_in = checked(wrapped(step.amount_in + step.fee_amount, 256), 255)
        paid_out = checked(step.amount_out, 255)
        if self._order.is_exact_in:
            self._remaining = wrapped_signed(self._remaining - paid_in, 256)
            self._calculated = checked_signed(self._calculated - paid_out, 256)
        else:
            self._remaining = wrapped_signed(self._remaining + paid_out, 256)
            self._calculated = checked_signed(self._calculated + paid_in, 256)

    def _share_fee(self, fee: int) -> None:
        """The protocol takes its part, the rest is for whoever provides the liquidity, if any."""
        parts = self._store.state.fee_protocols[self._token_in]
        if parts:
            self.protocol_fee = wrapped(self.protocol_fee + fee // parts, 128)
            fee -= fee // parts
        if self.liquidity:
            growth_x128 = mul_div(fee, Q128, self.liquidity)
            self.fee_growth_x128 = wrapped(self.fee_growth_x128 + growth_x128, 256)

    def _cross(self, tick: int) -> None:
        growths = list(self._store.state.fee_growth_global_x128)
        growths[self._token_in] = self.fee_growth_x128
        start = self._at_start
        now = Grown(
            (growths[0], growths[1]),
            start.tick_cumulative,
            start.seconds_per_liquidity_x128,
            start.seconds,
        )
        crossed = self._store.ticks[tick].crossed(now)
        self._store.ticks.put(tick, crossed)
        net = crossed.liquidity_net
        self.liquidity = add_delta(self.liquidity, -net if self._order.zero_for_one else net)

    @cached_property
    def _at_start(self) -> Grown:
        return self._store.grown(self._time_s)
