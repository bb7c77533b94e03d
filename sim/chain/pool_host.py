"""A pool among blocks: what each asks of it happens, or is forgotten with the block.

A block is begun, asks its calls in runs, and is sealed. Whoever builds it may die before it is
kept: the next beginning of the same number forgets what there was of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import NamedTuple

from sim.pool.pool import Pool, copied
from sim.pool.positions import PositionKey
from sim.pool.reverts import Reverted, require
from sim.pool.saving import pool_bytes
from sim.pool.swapping import Order
from sim.pool.words import UINT128_MAX, Pair

DIGEST_BYTES = 32
MINT, CLOSE, SWAP = "mint", "close", "swap"
OUT_OF_GAS = "out of gas"


class PoolCall(NamedTuple):
    """One call by an address, of plain values: it is kept with its block, and travels.

    amount            liquidity of a mint, what goes into a swap; a close takes all
    crossed_max       ticks that a swap has gas for
    sqrt_prices_x96   it reverts unless the pool's price is within
    """

    kind: str
    owner: bytes
    sqrt_prices_x96: Pair
    amount: int = 0
    tick_lower: int = 0
    tick_upper: int = 0
    zero_for_one: bool = False
    sqrt_limit_x96: int = 0
    crossed_max: int = 0


class PoolAnswer(NamedTuple):
    """What came of a call.

    revert         the reason, of one that came to nothing; None of one that happened
    amounts        positive into the pool; of a close the principal, negative
    collected      what a close paid in all, fees with it
    liquidity      of the position, minted or burnt; of a swap the pool's
    new_ticks      that came into use
    crossed        ticks, by a swap
    in_range       whether the position had the price in it
    """

    revert: str | None = None
    amounts: Pair = (0, 0)
    collected: Pair = (0, 0)
    liquidity: int = 0
    sqrt_price_x96: int = 0
    tick: int = 0
    new_ticks: int = 0
    crossed: int = 0
    in_range: bool = False


Purses = Mapping[bytes, Pair]
"""What each caller has of both tokens."""


@dataclass(frozen=True, slots=True)
class PoolStand:
    """A pool after a block."""

    sqrt_price_x96: int
    tick: int
    liquidity: int
    amounts: Pair
    state_hash: bytes


class PoolHost:
    """A pool, and the block that is under way.

    number       of the last block that is kept
    state_hash   of all calls and answers until then
    """

    def __init__(self, pool: Pool, number: int, state_hash: bytes = bytes(DIGEST_BYTES)) -> None:
        self._pool = pool
        self._before: Pool | None = None
        self._hash = self.state_hash = state_hash
        self.number = number

    @property
    def pool(self) -> Pool:
        """As it is, with the block under way."""
        return self._pool

    def saved(self) -> bytes:
        """As it was after the last block that is kept."""
        return pool_bytes(self._before or self._pool)

    def begin(self, number: int, state_hash: bytes) -> None:
        """A block after the last that is kept, of which this is known. Raises AssertionError."""
        assert number == self.number + 1, f"block {number} does not follow {self.number}"
        assert state_hash == self.state_hash, f"the pool of block {self.number} is another one"
        self.settled()

    def settled(self) -> PoolStand:
        """How it is without a block that may be under way, which is forgotten."""
        self._pool = self._before or self._pool
        self._hash, self._before = self.state_hash, None
        return self.stand()

    def run(self, time_s: int, purses: Purses, calls: Sequence[PoolCall]) -> list[PoolAnswer]:
        """Calls of the block under way, one after the other; a revert ends its own call alone."""
        self._before = self._before or copied(self._pool)
        left = dict(purses)
        answers = []
        for call in calls:
            answer = answered(self._pool, time_s, left[call.owner], call)
            left[call.owner] = after(left[call.owner], answer)
            self._hash = hashed(self._hash, (time_s, *call, *answer))
            answers.append(answer)
        return answers

    def stand(self) -> PoolStand:
        """With the block under way."""
        state = self._pool.state
        return PoolStand(
            state.sqrt_price_x96, state.tick, state.liquidity, state.balances, self._hash
        )

    def keep(self, number: int) -> None:
        """The block under way is kept."""
        self.number, self.state_hash, self._before = number, self._hash, None


def hashed(before: bytes, values: tuple[object, ...]) -> bytes:
    return blake2b(before + repr(values).encode(), digest_size=DIGEST_BYTES).digest()


def after(purse: Pair, answer: PoolAnswer) -> Pair:
    """What the caller has then."""
    if answer.revert is not None:
        return purse
    paid = answer.amounts if answer.collected == (0, 0) else (0, 0)
    (have0, have1), (got0, got1) = purse, answer.collected
    return have0 - paid[0] + got0, have1 - paid[1] + got1


def answered(pool: Pool, time_s: int, purse: Pair, call: PoolCall) -> PoolAnswer:
    """What the pool answers to one who has so much."""
    before = pool.state
    low_x96, high_x96 = call.sqrt_prices_x96
    try:
        require(low_x96 <= before.sqrt_price_x96 <= high_x96, "Price slippage check")
        answer = CALLS[call.kind](pool, time_s, purse, call)
    except Reverted as reverted:
        answer = PoolAnswer(revert=reverted.reason)
    state = pool.state
    in_range = call.tick_lower <= before.tick < call.tick_upper
    return answer._replace(sqrt_price_x96=state.sqrt_price_x96, tick=state.tick, in_range=in_range)


def _mint(pool: Pool, time_s: int, purse: Pair, call: PoolCall) -> PoolAnswer:
    key = PositionKey(call.owner, call.tick_lower, call.tick_upper)
    before = _used(pool, key)
    require(affords(purse, copied(pool).mint(time_s, key, call.amount)), "STF")
    amounts = pool.mint(time_s, key, call.amount)
    return PoolAnswer(amounts=amounts, liquidity=call.amount, new_ticks=_used(pool, key) - before)


def _close(pool: Pool, time_s: int, _purse: Pair, call: PoolCall) -> PoolAnswer:
    key = PositionKey(call.owner, call.tick_lower, call.tick_upper)
    liquidity = pool.store.positions[key].liquidity
    burnt0, burnt1 = pool.burn(time_s, key, liquidity)
    collected = pool.collect(key, (UINT128_MAX, UINT128_MAX))
    return PoolAnswer(amounts=(-burnt0, -burnt1), collected=collected, liquidity=liquidity)


def _swap(pool: Pool, time_s: int, purse: Pair, call: PoolCall) -> PoolAnswer:
    tick, in_use = pool.state.tick, len(pool.store.ticks)
    if in_use > call.crossed_max or call.amount > purse[0 if call.zero_for_one else 1]:
        trial = copied(pool)
        taken = trial.swap(time_s, order_of(call))
        require(affords(purse, taken), "STF")
        require(_crossed(trial, tick, trial.state.tick) <= call.crossed_max, OUT_OF_GAS)
    amounts = pool.swap(time_s, order_of(call))
    return PoolAnswer(
        amounts=amounts,
        liquidity=pool.state.liquidity,
        crossed=_crossed(pool, tick, pool.state.tick),
    )


CALLS = {MINT: _mint, CLOSE: _close, SWAP: _swap}


def order_of(call: PoolCall) -> Order:
    return Order(call.zero_for_one, call.amount, call.sqrt_limit_x96)


def affords(purse: Pair, taken: Pair) -> bool:
    return taken[0] <= purse[0] and taken[1] <= purse[1]


def _used(pool: Pool, key: PositionKey) -> int:
    ticks = pool.store.ticks
    return sum(ticks[tick].initialized for tick in (key.tick_lower, key.tick_upper))


def _crossed(pool: Pool, tick: int, then: int) -> int:
    """Ticks in use between two places of the price."""
    low, high = min(tick, then), max(tick, then)
    return sum(low < one <= high for one in pool.store.ticks)
