"""Random lives in which each operation is asked of a plain pool and of a fast one."""

from collections import Counter
from collections.abc import Callable
from random import Random, SystemRandom
from typing import Any

from sim.fast_pool.engine import (
    Answer,
    Asked,
    AskedBurn,
    AskedCollect,
    AskedMint,
    AskedSwap,
    FastPool,
    answers_of,
    batch_of,
)
from sim.pool.observations import Observation
from sim.pool.pool import Pool
from sim.pool.positions import PositionKey
from sim.pool.reverts import Reverted
from sim.pool.store import Undoable
from sim.pool.swapping import Order
from sim.pool.tick_math import MAX_TICK, MIN_TICK, sqrt_ratio_at_tick
from sim.pool.words import Pair
from tests.sim.pool_lives import EVERYTHING, OWNERS, Life, contents, unlimited

STEPS_BETWEEN, BATCHES, BATCH_OPERATIONS = 12, 3, 20
TIME_WRAP_S, INT256_MAX = 2**32, 2**255 - 1


def seeded() -> Random:
    seed = SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    return Random(seed)


class OperatesFast(Pool):
    """A pool whose swaps, mints, burns and collects are a fast pool's."""

    def swap(self, time_s: int, order: Order, pay: Pair | None = None) -> Pair:
        return self._operated(AskedSwap(time_s, order, pay))

    def mint(self, time_s: int, key: PositionKey, liquidity: int, pay: Pair | None = None) -> Pair:
        return self._operated(AskedMint(time_s, key, liquidity, pay))

    def burn(self, time_s: int, key: PositionKey, liquidity: int) -> Pair:
        return self._operated(AskedBurn(time_s, key, liquidity))

    def collect(self, key: PositionKey, requested: Pair) -> Pair:
        return self._operated(AskedCollect(key, requested))

    def _operated(self, asked: Asked) -> Pair:
        with self.store.call():
            fast = FastPool(self)
            (answer,) = answers_of(fast.operate(batch_of([asked])))
            after = fast.plain().store
            self.store.steps_walked = after.steps_walked
            if answer.revert is not None:
                assert contents(fast.plain()) == contents(self)
                raise Reverted(answer.revert)
            self.store.state = after.state
            mine, its = self.store, after
            put_all(mine.ticks, its.ticks)
            put_all(mine.bitmap, its.bitmap)
            put_all(mine.positions, its.positions)
            put_all(mine.observations, its.observations)
            return answer.amounts


def put_all(mine: Undoable[Any, Any], its: Undoable[Any, Any]) -> None:
    for key in {*mine, *its}:
        mine.put(key, its[key])


def plainly(pool: Pool, asked: Asked) -> Answer:
    """What the plain pool answers."""
    revert, amounts = None, (0, 0)
    try:
        amounts = asked_of(pool, asked)
    except Reverted as reverted:
        revert = reverted.reason
    state = pool.state
    return Answer(revert, amounts, state.sqrt_price_x96, state.liquidity, state.tick)


def asked_of(pool: Pool, asked: Asked) -> Pair:
    """Raises Reverted."""
    match asked:
        case AskedSwap(time_s, order, pay):
            return pool.swap(time_s, order, pay)
        case AskedMint(time_s, key, liquidity, pay):
            return pool.mint(time_s, key, liquidity, pay)
        case AskedBurn(time_s, key, liquidity):
            return pool.burn(time_s, key, liquidity)
        case AskedCollect(key, requested):
            return pool.collect(key, requested)


class TwinLife(Life):
    """A life that comes in batches, to both pools; `reverts` are those of the batches too. It may
    begin where times, growths, fees or what was observed are about to go around, and with balances
    that nobody has paid."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.asked_for: Counter[type] = Counter()
        if self.dice.random() < 0.3:
            self.time_s = TIME_WRAP_S - self.dice.randint(0, 50_000)
        if self.dice.random() < 0.3:
            growths = 2**256 - self.dice.getrandbits(130), 2**256 - self.dice.getrandbits(150)
            fees = 2**128 - self.dice.getrandbits(60), 2**128 - self.dice.getrandbits(60)
            self.pool.store.set(fee_growth_global_x128=growths, protocol_fees=fees)
        if self.dice.random() < 0.4:
            cumulative = self.dice.choice([-1, 1]) * (2**55 - self.dice.getrandbits(30))
            per_liquidity = 2**160 - 1 - self.dice.getrandbits(self.dice.choice([80, 140]))
            newest = Observation(self.time_s % TIME_WRAP_S, cumulative, per_liquidity, True)
            self.pool.store.observations.put(0, newest)
        if self.dice.random() < 0.9:
            reach = self.spacing * self.dice.choice([1_000, 3_000])
            lower, upper = max(self.middle - reach, MIN_TICK), min(self.middle + reach, MAX_TICK)
            ticks = -(-lower // self.spacing) * self.spacing, upper // self.spacing * self.spacing
            key = PositionKey(OWNERS[2], ticks[0], ticks[1])
            self.pool.mint(self.time_s, key, 10 ** self.dice.randint(6, 24))
        if self.dice.random() < 0.3:
            balances = [self.dice.getrandbits(70), 2**256 - 1 - self.dice.getrandbits(90)]
            pair = self.dice.choice(balances), self.dice.choice(balances)
            self.pool.store.set(balances=pair)

    def live(self) -> int:
        """What is not compiled, and then batches; how many operations have been asked."""
        for _ in range(STEPS_BETWEEN):
            self.step()
        fast = FastPool(self.pool)
        for _ in range(BATCHES):
            self.operate(fast)
        return STEPS_BETWEEN + BATCHES * BATCH_OPERATIONS

    def operate(self, fast: FastPool) -> None:
        asked, answers = [], []
        for _ in range(BATCH_OPERATIONS):
            self.time_s += self.dice.choice([0, 0, 1, 12, 3600])
            asked.append(self.asked())
            answers.append(plainly(self.pool, asked[-1]))
        told = answers_of(fast.operate(batch_of(asked)))
        for one, found, answer in zip(asked, told, answers, strict=True):
            assert found == answer, (one, found, answer)
        after = fast.plain()
        assert contents(after) == contents(self.pool)
        assert after.steps_walked == self.pool.steps_walked
        self.asked_for.update(map(type, asked))
        self.reverts += [one.revert for one in answers if one.revert is not None]

    def asked(self) -> Asked:
        asks: list[Callable[[], Asked]] = [self.asked_swap, self.asked_mint]
        asks += [self.asked_burn, self.asked_collect]
        return self.dice.choices(asks, [10, 4, 4, 1])[0]()

    def asked_swap(self) -> AskedSwap:
        dice = self.dice
        down = dice.random() < 0.5
        order = Order(down, self.amount(dice), self.limit_x96(dice, down))
        return AskedSwap(self.time_s, order, self.pay())

    def asked_mint(self) -> AskedMint:
        dice = self.dice
        key = self.key() if dice.random() < 0.6 else self.known_key()
        if dice.random() < 0.03:
            far = dice.choice([MIN_TICK - 1, MIN_TICK, MAX_TICK, MAX_TICK + 1, 2**23 - 1])
            key = PositionKey(key.owner, min(far, key.tick_upper), max(far, 0))
        return AskedMint(self.time_s, key, self.liquidity(key), self.pay())

    def asked_burn(self) -> AskedBurn:
        key = self.known_key()
        held = self.pool.store.positions[key].liquidity
        parts = [0, 0, 1, held // 3, held, held, held, held + 1]
        if self.dice.random() < 0.02:
            parts = [2**127 - 1, 2**127, 2**128 - 1]
        return AskedBurn(self.time_s, key, self.dice.choice(parts))

    def asked_collect(self) -> AskedCollect:
        bits = self.dice.choice([0, 40, 128, 128])
        requested = (self.dice.getrandbits(bits), self.dice.getrandbits(bits))
        if self.dice.random() < 0.5:
            requested = EVERYTHING
        return AskedCollect(self.known_key(), requested)

    def liquidity(self, key: PositionKey) -> int:
        """Mostly what a pool may have; seldom nothing, or as much as a tick may have, or more."""
        if self.dice.random() < 0.9:
            return int(10 ** self.dice.randint(0, 24))
        store = self.pool.store
        room = store.liquidity_per_tick_max - store.ticks[key.tick_lower].liquidity_gross
        most = 2**127
        return self.dice.choice([0, room, room, room + 1, most - 1, most, 2 * most - 1])

    def pay(self) -> Pair | None:
        """What is paid in place of what is owed, seldom."""
        dice = self.dice
        if dice.random() < 0.005:
            return 2**256 - 1, 2**256 - 1
        bits = dice.choice([0, 40, 90]), dice.choice([0, 40, 90, 120])
        pair = dice.getrandbits(bits[0]), dice.getrandbits(bits[1])
        return pair if dice.random() < 0.06 else None

    def limit_x96(self, dice: Random, down: bool) -> int:
        """Mostly some ticks further on, seldom behind the price or beyond all prices."""
        if dice.random() < 0.02:
            return dice.choice([0, 1, 2**160 - 1, 2**256 - 1])
        if dice.random() < 0.04:
            return unlimited(down)
        ticks = dice.randint(0, self.spacing * dice.choice([2, 30, 100])) - 1
        middle = self.middle if dice.random() < 0.1 else self.pool.state.tick
        tick = min(max(middle - ticks if down else middle + ticks, MIN_TICK), MAX_TICK)
        return sqrt_ratio_at_tick(tick) + dice.choice([0, 0, 1, -1])

    def amount(self, dice: Random) -> int:
        if dice.random() < 0.03:
            return dice.choice([0, INT256_MAX, -INT256_MAX - 1, -INT256_MAX, 1, -1])
        return dice.choice([1, -1]) * dice.getrandbits(dice.randint(1, dice.choice([80, 110, 254])))


def lived(dice: Random, operations: int) -> tuple[Counter[type], set[str]]:
    """So many random operations at least: how many the kernel did of each kind, and all reasons for
    which something has reverted."""
    asked, counted, reverts = 0, Counter[type](), set()
    while asked < operations:
        life = TwinLife(dice)
        for _ in range(6):
            asked += life.live()
        counted += life.asked_for
        reverts |= set(life.reverts)
    return counted, reverts


def wide_pool() -> Pool:
    """With one position around its price."""
    pool = Pool(3000, 60)
    pool.initialize(1, 2**96)
    pool.mint(1, PositionKey(OWNERS[0], -60_000, 60_000), 10**20)
    return pool
