"""Random lives of droids: what holds whatever happens to them.

World counts the tokens after every block, and asserts at every mint that the rung lies on the
lattice inside the bounds and is not one too many.
"""

from decimal import Decimal
from random import Random, SystemRandom

from sim.droid.config import ConfigRefused, read_config
from sim.droid.states import Active, Status
from tests.sim.droid_facts import POOLS, SETTINGS
from tests.sim.droid_world import GWEI, World

LIVES, BLOCKS = 25, 120
CURVES = ["LINEAR", "FLAT", "EXPONENTIAL", "GAUSSIAN", "BID_ASK"]


class RandomLife:
    def __init__(self, dice: Random) -> None:
        self.dice = dice
        pool_id = dice.choice([42, 43])
        buckets = dice.choice([1, 3, 10, 20])
        config = read_config(
            SETTINGS
            | {
                "trigger_type": dice.choice(["EMA", "SPOT", "TWAP"]),
                "funding_curve": dice.choice(CURVES),
                "tick_buckets": buckets,
                "bucket_offset": dice.randrange(buckets),
                "max_bots": dice.choice([1, 2, 5, 8]),
                "min_price": 1500,
                "max_price": 6000,
                "gas_budget_usd": dice.choice([None, None, 500, 2000]),
                "derivative_threshold": dice.choice([0, Decimal("0.01")]),
                "falling_trigger": Decimal("0.01"),
                "rising_trigger": Decimal("0.01"),
                "ladder_margin": dice.choice([0, Decimal("0.02")]),
            },
            POOLS[pool_id],
        )
        self.world = World(config, pool_id=pool_id)
        self.price, self.prices = 3215.5, [3215.5]
        self.world.pool.increase_observation_cardinality_next(dice.choice([1, 20, 100]))

    def block(self) -> None:
        dice, world = self.dice, self.world
        self.price *= dice.choice([1, 1, 1, 1 + dice.gauss(0, 0.004), 1 + dice.gauss(0, 0.06)])
        self.price = min(max(self.price, 1000), 9000)
        if dice.random() < 0.1:
            self.befall()
        if dice.random() < 0.05:
            world.active = Active(dice.choice([0, 1, 1, 1, 2, 3]))
        world.base_fee_wei = dice.choice([8, 12, 12, 12, 20, 49, 60]) * GWEI
        broken = dice.random() < 0.1
        world.fails = lambda _: broken and dice.random() < 0.5
        world.is_full = dice.random() < 0.05
        moved = f"{self.price:.6f}"
        world.block(*((None, moved) if dice.random() < 0.3 else (moved, None)))

    def check_budget(self) -> None:
        """Kept in ether: its price may rise while a transaction is on its way."""
        budget_usd = self.world.config.gas_budget_usd
        self.prices.append(self.price)
        if budget_usd is not None:
            spent_usd = self.world.state.gas_spent / self.world.terms.quote_unit
            assert spent_usd <= float(budget_usd) * max(self.prices) / min(self.prices)

    def befall(self) -> None:
        dice, world = self.dice, self.world
        changes: dict[str, object] = dice.choice(
            [
                {"max_bots": dice.randint(1, 10)},
                {"min_price": dice.randint(1500, 3300)},
                {"max_price": dice.randint(3000, 6000)},
                {"funding_usd": dice.randint(1, 100_000)},
                {"ladder_margin": Decimal(dice.randint(0, 10)) / 100},
                {"max_gas_price_gwei": dice.choice([15, 50, 100])},
            ]
        )
        try:
            world.patch(**changes)
        except ConfigRefused:
            return
        if not world.state.pending:
            world.ether_wei = dice.choice([10**15, 2 * 10**17])

    def end(self) -> None:
        """Everything is closed, and whatever it is in is in the wallet."""
        world = self.world
        world.fails, world.is_full = lambda _: False, False
        world.active, world.ether_wei, world.base_fee_wei = Active.CLOSE, 10**18, GWEI
        for _ in range(20):
            world.block()
        assert (world.rungs, world.state.status) in (({}, Status.STOPPED),)


def test_whatever_happens_to_a_droid_no_token_is_lost() -> None:
    seed = SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    dice = Random(seed)
    plans = mints = 0
    for _ in range(LIVES):
        life = RandomLife(dice)
        for _ in range(BLOCKS):
            life.block()
            life.check_budget()
        plans += life.world.state.plans
        life.end()
        mints += sum("/mint/" in label for label in life.world.labels)
    assert plans > LIVES
    assert mints > 5 * LIVES
