"""Random lives in which each swap is asked of a plain pool and of a fast one."""

from random import Random, SystemRandom

from sim.fast_pool.engine import AskedSwap, FastPool, Swapped, answers_of, batch_of
from sim.pool.observations import Observation
from sim.pool.pool import Pool
from sim.pool.positions import PositionKey
from sim.pool.reverts import Reverted
from sim.pool.swapping import Order
from sim.pool.tick_math import MAX_TICK, MIN_TICK, sqrt_ratio_at_tick
from sim.pool.words import Pair
from tests.sim.pool_lives import OWNERS, Life, contents, unlimited

STEPS_BETWEEN, BATCHES, BATCH_SWAPS = 12, 3, 20
TIME_WRAP_S, INT256_MAX = 2**32, 2**255 - 1


def seeded() -> Random:
    seed = SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    return Random(seed)


class SwapsFast(Pool):
    """A pool whose swaps alone are a fast pool's."""

    def swap(self, time_s: int, order: Order, pay: Pair | None = None) -> Pair:
        with self.store.call():
            fast, batch = FastPool(self), batch_of([AskedSwap(time_s, order, pay)])
            fast.swap(batch)
            (answer,) = answers_of(batch)
            after = fast.plain().store
            self.store.steps_walked = after.steps_walked
            if answer.revert is not None:
                assert contents(fast.plain()) == contents(self)
                raise Reverted(answer.revert)
            self.store.state = after.state
            for tick in list(self.store.ticks):
                self.store.ticks.put(tick, after.ticks[tick])
            for index in list(after.observations):
                self.store.observations.put(index, after.observations[index])
            return answer.amounts


def plainly(pool: Pool, asked: AskedSwap) -> Swapped:
    """What the plain pool answers."""
    revert, amounts = None, (0, 0)
    try:
        amounts = pool.swap(asked.time_s, asked.order, asked.pay)
    except Reverted as reverted:
        revert = reverted.reason
    state = pool.state
    return Swapped(revert, amounts, state.sqrt_price_x96, state.liquidity, state.tick)


class TwinLife(Life):
    """A life whose swaps come in batches, to both pools; `reverts` are those of swaps too. It may
    begin where times, growths, fees or what was observed are about to go around, and with balances
    that nobody has paid."""

    swaps = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.dice_of_swaps = Random(self.dice.getrandbits(32))
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
        """Other operations, and then batches; how many have been asked."""
        for _ in range(STEPS_BETWEEN):
            self.step()
        fast = FastPool(self.pool)
        for _ in range(BATCHES):
            self.trade(fast)
        return STEPS_BETWEEN + BATCHES * BATCH_SWAPS

    def trade(self, fast: FastPool) -> None:
        asked, answers = [], []
        for _ in range(BATCH_SWAPS):
            asked.append(self.asked())
            answers.append(plainly(self.pool, asked[-1]))
        batch = batch_of(asked)
        fast.swap(batch)
        for one, found, answer in zip(asked, answers_of(batch), answers, strict=True):
            assert found == answer, one
        after = fast.plain()
        assert contents(after) == contents(self.pool)
        assert after.steps_walked == self.pool.steps_walked
        self.swaps += len(asked)
        self.reverts += [one.revert for one in answers if one.revert is not None]

    def asked(self) -> AskedSwap:
        dice = self.dice_of_swaps
        self.time_s += dice.choice([0, 0, 1, 12, 3600])
        down = dice.random() < 0.5
        order = Order(down, self.amount(dice), self.limit_x96(dice, down))
        bits = dice.choice([0, 40, 90])
        pay = (dice.getrandbits(bits), dice.getrandbits(bits)) if dice.random() < 0.05 else None
        if dice.random() < 0.005:
            pay = (2**256 - 1, 2**256 - 1)
        return AskedSwap(self.time_s, order, pay)

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


def lived(dice: Random, operations: int) -> tuple[int, set[str]]:
    """So many random operations at least, two thirds and more of them swaps: how many swaps, and
    all reasons for which something has reverted."""
    asked, swaps, reverts = 0, 0, set()
    while asked < operations:
        life = TwinLife(dice)
        for _ in range(6):
            asked += life.live()
        swaps += life.swaps
        reverts |= set(life.reverts)
    return swaps, reverts


def wide_pool() -> Pool:
    """With one position around its price."""
    pool = Pool(3000, 60)
    pool.initialize(1, 2**96)
    pool.mint(1, PositionKey(OWNERS[0], -60_000, 60_000), 10**20)
    return pool
