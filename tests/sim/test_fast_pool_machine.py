"""A fast pool and a plain one, asked the same by somebody who looks for the one difference."""

from random import randrange

from hypothesis import seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from sim.fast_pool.engine import (
    Asked,
    AskedBurn,
    AskedCollect,
    AskedMint,
    AskedSwap,
    FastPool,
    answers_of,
    batch_of,
)
from sim.pool.pool import Pool
from sim.pool.positions import PositionKey
from sim.pool.swapping import Order
from sim.pool.tick_math import MAX_TICK, MIN_TICK, sqrt_ratio_at_tick
from tests.sim.fast_pool_lives import plainly
from tests.sim.pool_lives import OWNERS, SPACINGS, contents

REACH = 12
UINT128 = st.integers(0, 2**128 - 1)
ENDS = st.integers(-REACH, REACH)
PAYS = st.none() | st.tuples(st.integers(0, 2**256 - 1), st.integers(0, 2**256 - 1))
LIQUIDITIES = st.integers(0, 10**21) | UINT128
AMOUNTS = st.integers(-(10**24), 10**24) | st.integers(-(2**255), 2**255 - 1)


class BothPools(RuleBasedStateMachine):
    """What is asked between two looks goes to the fast pool in one batch."""

    @initialize(spacing=st.sampled_from(list(SPACINGS)), tick=st.integers(MIN_TICK, MAX_TICK - 1))
    def begin(self, spacing: int, tick: int) -> None:
        self.pool = Pool(SPACINGS[spacing], spacing)
        self.pool.initialize(1, sqrt_ratio_at_tick(tick))
        self.fast, self.time_s, self.spacing = FastPool(self.pool), 1, spacing
        self.middle = tick // spacing * spacing
        self.waiting: list[Asked] = []

    def key(self, owner: int, ends: tuple[int, int], shift: int) -> PositionKey:
        lower, upper = (self.middle + self.spacing * end for end in ends)
        return PositionKey(OWNERS[owner], lower + shift, upper)

    keys = st.tuples(st.integers(0, 1), st.tuples(ENDS, ENDS), st.sampled_from([0, 0, 0, 0, 1]))

    @rule(key=keys, liquidity=LIQUIDITIES, pay=PAYS)
    def mint(
        self, key: tuple[int, tuple[int, int], int], liquidity: int, pay: tuple[int, int] | None
    ) -> None:
        self.waiting.append(AskedMint(self.time_s, self.key(*key), liquidity, pay))

    @rule(key=keys, liquidity=LIQUIDITIES)
    def mint_what_is_owed(self, key: tuple[int, tuple[int, int], int], liquidity: int) -> None:
        self.waiting.append(AskedMint(self.time_s, self.key(*key), liquidity))

    @rule(data=st.data(), part=st.sampled_from([0, 1, 2, 3]))
    def burn(self, data: st.DataObject, part: int) -> None:
        self.look()
        if known := list(self.pool.store.positions):
            key = data.draw(st.sampled_from(known))
            held = self.pool.store.positions[key].liquidity
            self.waiting.append(AskedBurn(self.time_s, key, held * part // 2))

    @rule(key=keys, liquidity=LIQUIDITIES)
    def burn_anything(self, key: tuple[int, tuple[int, int], int], liquidity: int) -> None:
        self.waiting.append(AskedBurn(self.time_s, self.key(*key), liquidity))

    @rule(data=st.data(), requested=st.tuples(UINT128, UINT128))
    def collect(self, data: st.DataObject, requested: tuple[int, int]) -> None:
        if known := list(self.pool.store.positions):
            key = data.draw(st.sampled_from(known))
            self.waiting.append(AskedCollect(key, requested))

    @rule(amount=AMOUNTS, down=st.booleans(), way=st.integers(-1, 3 * REACH))
    def swap(self, amount: int, down: bool, way: int) -> None:
        ticks = -way * self.spacing if down else way * self.spacing
        tick = min(max(self.middle + ticks, MIN_TICK), MAX_TICK)
        order = Order(down, amount, sqrt_ratio_at_tick(tick))
        self.waiting.append(AskedSwap(self.time_s, order))

    @rule(seconds=st.integers(0, 2**31))
    def wait(self, seconds: int) -> None:
        self.time_s += seconds

    @rule()
    def look(self) -> None:
        answers = answers_of(self.fast.operate(batch_of(self.waiting)))
        for answer, asked in zip(answers, self.waiting, strict=True):
            assert answer == plainly(self.pool, asked)
        self.waiting = []
        assert contents(self.fast.plain()) == contents(self.pool)

    @invariant()
    def goes_on(self) -> None:
        """No batch grows without end."""
        if len(self.waiting) > REACH:
            self.look()

    def teardown(self) -> None:
        if hasattr(self, "waiting"):
            self.look()


def test_whatever_is_asked_both_pools_answer_the_same() -> None:
    at_random = randrange(2**32)
    print(f"seed {at_random}")
    profile = settings(max_examples=100, stateful_step_count=40, deadline=None, database=None)
    run_state_machine_as_test(seed(at_random)(BothPools), settings=profile)
