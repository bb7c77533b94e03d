"""One pool: what may be asked of it, and what it answers.

Everything above asks a `Pool` and nothing below it. Each operation is told the time of its block,
answers or raises Reverted, and a revert leaves the pool as it was.
"""

from collections.abc import Sequence

from sim.pool.full_math import mul_div, mul_div_rounding_up
from sim.pool.liquidity import change_liquidity
from sim.pool.observations import PREPARED_SECOND, Observation, observed
from sim.pool.positions import PositionKey
from sim.pool.reverts import require
from sim.pool.store import Changes, PoolState, Store
from sim.pool.swap_math import PIPS
from sim.pool.swapping import Order, Walk
from sim.pool.tick_math import MAX_SQRT_RATIO, MIN_SQRT_RATIO, tick_at_sqrt_ratio
from sim.pool.ticks import Grown, check_ticks, grown_inside, place_of
from sim.pool.words import Q128, Pair, checked, checked_signed, wrapped

FEE_PROTOCOLS = (0, *range(4, 11))
"""The protocol takes nothing, or one part of 4 to 10."""


class Pool:
    """A pool of two tokens. Amounts are positive into the pool and negative out of it.

    pay   what the payer pays in the end; without it just what is owed
    """

    def __init__(self, fee_pips: int, tick_spacing: int) -> None:
        self.store = Store(fee_pips, tick_spacing)

    @property
    def state(self) -> PoolState:
        return self.store.state

    @property
    def steps_walked(self) -> int:
        """Of all swaps so far."""
        return self.store.steps_walked

    def changed(self) -> Changes:
        """What the last operation that may write has changed."""
        return self.store.changed()

    def initialize(self, time_s: int, sqrt_price_x96: int) -> None:
        """Sets the first price. Raises Reverted: AI, R."""
        with self.store.call():
            require(self.state.sqrt_price_x96 == 0, "AI")
            tick = tick_at_sqrt_ratio(sqrt_price_x96)
            self.store.observations.put(0, Observation(wrapped(time_s, 32), 0, 0, True))
            self.store.set(
                sqrt_price_x96=sqrt_price_x96,
                tick=tick,
                observation_cardinality=1,
                observation_cardinality_next=1,
            )

    def mint(self, time_s: int, key: PositionKey, liquidity: int, pay: Pair | None = None) -> Pair:
        """Adds liquidity to a position; what is owed for it. Raises Reverted."""
        with self.store.call():
            self._unlock()
            require(liquidity > 0)
            owed = change_liquidity(self.store, time_s, key, checked_signed(liquidity, 128))
            paid0, paid1 = pay or owed
            self._take(0, owed[0], paid0, "M0")
            self._take(1, owed[1], paid1, "M1")
            return owed

    def burn(self, time_s: int, key: PositionKey, liquidity: int) -> Pair:
        """Takes liquidity from a position, which is owed the amounts returned. Raises Reverted."""
        with self.store.call():
            self._unlock()
            delta = -checked_signed(liquidity, 128)
            amount0, amount1 = change_liquidity(self.store, time_s, key, delta)
            credited = self.store.positions[key].credited((-amount0, -amount1))
            self.store.positions.put(key, credited)
            return -amount0, -amount1

    def collect(self, key: PositionKey, requested: Pair) -> Pair:
        """Pays what a position is owed, at most what is requested."""
        with self.store.call():
            self._unlock()
            position = self.store.positions[key]
            owed0, owed1 = position.tokens_owed
            paid0, paid1 = min(owed0, requested[0]), min(owed1, requested[1])
            self.store.positions.put(key, position.credited((-paid0, -paid1)))
            self._give(0, paid0)
            self._give(1, paid1)
            return paid0, paid1

    def swap(self, time_s: int, order: Order, pay: Pair | None = None) -> Pair:
        """Trades as far as amount and limit go. Raises Reverted: AS, LOK, SPL, IIA."""
        with self.store.call():
            require(order.amount_specified != 0, "AS")
            self._unlock()
            self._check_limit(order)
            walk = Walk(self.store, time_s, order)
            walk.to_the_end()
            self._arrive(time_s, walk, 0 if order.zero_for_one else 1)
            self._settle(walk.amounts, 0 if order.zero_for_one else 1, pay)
            return walk.amounts

    def flash(self, lent: Pair, repaid: Pair) -> Pair:
        """Lends within the call; what has come back beyond it, which is for the liquidity.

        Raises Reverted: LOK, L, F0, F1.
        """
        with self.store.call():
            self._unlock()
            require(self.state.liquidity > 0, "L")
            fees = [mul_div_rounding_up(amount, self.store.fee_pips, PIPS) for amount in lent]
            self._give(0, lent[0])
            self._give(1, lent[1])
            self._take(0, lent[0] + fees[0], repaid[0], "F0")
            self._take(1, lent[1] + fees[1], repaid[1], "F1")
            paid = repaid[0] - lent[0], repaid[1] - lent[1]
            self._share(0, paid[0])
            self._share(1, paid[1])
            return paid

    def set_fee_protocol(self, parts: Pair) -> None:
        """The protocol's part of each token's fees from now on. Raises Reverted."""
        with self.store.call():
            self._unlock()
            require(parts[0] in FEE_PROTOCOLS and parts[1] in FEE_PROTOCOLS)
            self.store.set(fee_protocol=parts[0] + (parts[1] << 4))

    def collect_protocol(self, requested: Pair) -> Pair:
        """Pays the protocol's fees; one unit of each stays where all is asked for."""
        with self.store.call():
            self._unlock()
            fees0, fees1 = self.state.protocol_fees
            paid0 = min(requested[0], max(fees0 - 1, 0))
            paid1 = min(requested[1], max(fees1 - 1, 0))
            self.store.set(protocol_fees=(fees0 - paid0, fees1 - paid1))
            self._give(0, paid0)
            self._give(1, paid1)
            return paid0, paid1

    def increase_observation_cardinality_next(self, cardinality_next: int) -> None:
        """Prepares the ring of observations to grow. Raises Reverted: LOK."""
        with self.store.call():
            self._unlock()
            before = self.state.observation_cardinality_next
            for index in range(before, cardinality_next):
                self.store.observations.put(index, Observation(PREPARED_SECOND))
            self.store.set(observation_cardinality_next=max(before, cardinality_next))

    def observe(self, time_s: int, seconds_agos: Sequence[int]) -> list[Observation]:
        """What had grown at these times. Raises Reverted: I, OLD."""
        require(self.state.observation_cardinality > 0, "I")
        moment = self.store.moment(time_s)
        return [observed(self.store.ring, moment, seconds_ago) for seconds_ago in seconds_agos]

    def snapshot_cumulatives_inside(self, time_s: int, lower: int, upper: int) -> Grown:
        """What has grown while the price was between two initialised ticks. Raises Reverted."""
        check_ticks(lower, upper)
        ticks = self.store.ticks[lower], self.store.ticks[upper]
        require(ticks[0].initialized and ticks[1].initialized)
        place = place_of(self.state.tick, lower, upper)
        return grown_inside(*ticks, place, self.store.grown(time_s))

    def _unlock(self) -> None:
        """Before its first price a pool is locked."""
        require(self.state.sqrt_price_x96 > 0, "LOK")

    def _check_limit(self, order: Order) -> None:
        limit_x96, price_x96 = order.sqrt_price_limit_x96, self.state.sqrt_price_x96
        if order.zero_for_one:
            require(MIN_SQRT_RATIO < limit_x96 < price_x96, "SPL")
        else:
            require(price_x96 < limit_x96 < MAX_SQRT_RATIO, "SPL")

    def _arrive(self, time_s: int, walk: Walk, token_in: int) -> None:
        state = self.state
        if walk.tick != state.tick:
            self.store.observe_now(time_s)
        self.store.set(
            sqrt_price_x96=walk.sqrt_price_x96,
            tick=walk.tick,
            liquidity=walk.liquidity,
            fee_growth_global_x128=with_one(
                state.fee_growth_global_x128, token_in, walk.fee_growth_x128
            ),
        )
        self._add_protocol_fee(token_in, walk.protocol_fee)

    def _settle(self, amounts: Pair, token_in: int, pay: Pair | None) -> None:
        """Pays out first, and then is paid."""
        self._give(1 - token_in, max(-amounts[1 - token_in], 0))
        paid = pay or with_one((0, 0), token_in, max(amounts[token_in], 0))
        self._take(token_in, amounts[token_in], paid[token_in], "IIA")
        self._take(1 - token_in, 0, paid[1 - token_in], "")

    def _share(self, token: int, paid: int) -> None:
        """What a flash leaves: the protocol's part, and the rest to the liquidity."""
        parts = self.state.fee_protocols[token]
        protocol_fee = paid // parts if parts else 0
        self._add_protocol_fee(token, protocol_fee)
        growths_x128 = self.state.fee_growth_global_x128
        growth_x128 = mul_div(paid - protocol_fee, Q128, self.state.liquidity)
        growth_x128 = wrapped(growths_x128[token] + growth_x128, 256)
        self.store.set(fee_growth_global_x128=with_one(growths_x128, token, growth_x128))

    def _add_protocol_fee(self, token: int, fee: int) -> None:
        fees = self.state.protocol_fees
        total = wrapped(fees[token] + wrapped(fee, 128), 128)
        self.store.set(protocol_fees=with_one(fees, token, total))

    def _take(self, token: int, owed: int, paid: int, reason: str) -> None:
        balances = self.state.balances
        require(paid >= owed, reason)
        self.store.set(balances=with_one(balances, token, checked(balances[token] + paid, 256)))

    def _give(self, token: int, amount: int) -> None:
        balances = self.state.balances
        require(balances[token] >= amount, "TF")
        self.store.set(balances=with_one(balances, token, balances[token] - amount))


def with_one(pair: Pair, token: int, number: int) -> Pair:
    """The pair with another number for one of its tokens."""
    return (number, pair[1]) if token == 0 else (pair[0], number)


def copied(pool: Pool) -> Pool:
    """The same pool, which goes its own way from now on."""
    store, copy = pool.store, Pool(pool.store.fee_pips, pool.store.tick_spacing)
    copy.store.state = store.state
    copy.store.steps_walked = store.steps_walked
    copy.store.ticks.update(store.ticks)
    copy.store.bitmap.update(store.bitmap)
    copy.store.positions.update(store.positions)
    copy.store.observations.update(store.observations)
    return copy
