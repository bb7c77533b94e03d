"""Lives of a pool at random, asked by somebody who keeps the tokens' books himself."""

from dataclasses import dataclass, field
from random import Random

from sim.pool.observations import Observation
from sim.pool.pool import Pool
from sim.pool.positions import Position, PositionKey
from sim.pool.reverts import Reverted
from sim.pool.store import PoolState
from sim.pool.swapping import Order
from sim.pool.tick_math import MAX_SQRT_RATIO, MIN_SQRT_RATIO, sqrt_ratio_at_tick
from sim.pool.ticks import Tick
from sim.pool.words import Pair

SPACINGS = {1: 100, 10: 500, 60: 3000, 200: 10000}
OWNERS = [bytes([number]) * 20 for number in (1, 2, 3)]
EVERYTHING = (2**128 - 1, 2**128 - 1)


@dataclass(frozen=True)
class Contents:
    """All that a pool remembers."""

    state: PoolState
    ticks: dict[int, Tick]
    bitmap: dict[int, int]
    positions: dict[PositionKey, Position]
    observations: dict[int, Observation]


def contents(pool: Pool) -> Contents:
    store = pool.store
    return Contents(
        store.state,
        dict(store.ticks),
        dict(store.bitmap),
        dict(store.positions),
        dict(store.observations),
    )


@dataclass
class Life:
    """A pool, and what has gone into it so far."""

    dice: Random
    time_s: int = 1_700_000_000
    paid_in: list[int] = field(default_factory=lambda: [0, 0])
    reverts: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.spacing = self.dice.choice(list(SPACINGS))
        self.pool = Pool(SPACINGS[self.spacing], self.spacing)
        self.pool.initialize(self.time_s, sqrt_ratio_at_tick(self.dice.randint(-200_000, 200_000)))
        self.middle = self.pool.state.tick // self.spacing * self.spacing

    def book(self, amounts: Pair) -> None:
        self.paid_in = [before + now for before, now in zip(self.paid_in, amounts, strict=True)]

    def key(self) -> PositionKey:
        reach = self.dice.choice([1, 3, 20, 300])
        lower, upper = sorted(self.dice.randint(-reach, reach) for _ in range(2))
        return PositionKey(
            self.dice.choice(OWNERS),
            self.middle + lower * self.spacing + (self.dice.random() < 0.02),
            self.middle + upper * self.spacing,
        )

    def known_key(self) -> PositionKey:
        known = list(self.pool.store.positions)
        return self.dice.choice(known) if known and self.dice.random() < 0.9 else self.key()

    def step(self) -> None:
        """Something is asked at random; a revert is noted."""
        self.time_s += self.dice.choice([0, 1, 12, 3600])
        ask = self.dice.choices(
            [
                *(self.mint, self.burn, self.collect, self.swap, self.flash, self.cheat),
                *(self.set_fee_protocol, self.collect_protocol, self.grow),
            ],
            [5, 3, 2, 10, 1, 1, 1, 1, 1],
        )[0]
        try:
            ask()
        except Reverted as reverted:
            self.reverts.append(reverted.reason)

    def mint(self) -> None:
        liquidity = 10 ** self.dice.randint(0, 24)
        self.book(self.pool.mint(self.time_s, self.key(), liquidity))

    def burn(self) -> None:
        key = self.known_key()
        held = self.pool.store.positions[key].liquidity
        part = self.dice.choice([0, held // 3, held, held + 1])
        self.pool.burn(self.time_s, key, part)

    def collect(self) -> None:
        paid0, paid1 = self.pool.collect(self.known_key(), EVERYTHING)
        self.book((-paid0, -paid1))

    def swap(self) -> None:
        amount = self.dice.choice([1, -1]) * 10 ** self.dice.randint(0, 26)
        self.book(self.pool.swap(self.time_s, self.order(amount)))

    def order(self, amount: int) -> Order:
        zero_for_one = self.dice.random() < 0.5
        if self.dice.random() < 0.5:
            return Order(zero_for_one, amount, unlimited(zero_for_one))
        near_x96 = sqrt_ratio_at_tick(self.pool.state.tick + self.dice.randint(-500, 500))
        return Order(zero_for_one, amount, near_x96)

    def flash(self) -> None:
        balance0, balance1 = self.pool.state.balances
        lent = self.dice.randint(0, balance0), self.dice.randint(0, balance1)
        self.book(self.pool.flash(lent, (lent[0] + lent[0] // 50, lent[1] + lent[1] // 50)))

    def set_fee_protocol(self) -> None:
        self.pool.set_fee_protocol((self.dice.randint(3, 10), self.dice.choice([0, 4, 11])))

    def collect_protocol(self) -> None:
        paid0, paid1 = self.pool.collect_protocol(EVERYTHING)
        self.book((-paid0, -paid1))

    def grow(self) -> None:
        room = self.pool.state.observation_cardinality_next + self.dice.randint(0, 3)
        self.pool.increase_observation_cardinality_next(room)

    def cheat(self) -> None:
        """Asks for something and pays nothing."""
        if self.dice.random() < 0.5:
            self.pool.mint(self.time_s, self.key(), 10**12, pay=(0, 0))
        else:
            self.book(self.pool.swap(self.time_s, self.order(10**18), pay=(0, 0)))


def unlimited(zero_for_one: bool) -> int:
    return MIN_SQRT_RATIO + 1 if zero_for_one else MAX_SQRT_RATIO - 1


def owed(pool: Pool) -> list[int]:
    """Of each token, what positions and the protocol may take out at once."""
    positions = pool.store.positions.values()
    return [
        sum(one.tokens_owed[token] for one in positions) + pool.state.protocol_fees[token]
        for token in (0, 1)
    ]
