"""Which wishes come into a block, and in which order."""

from fractions import Fraction

from sim.chain.acts import Mint, Wish, Work
from sim.chain.building import BLOCK_GAS_LIMIT
from sim.chain.wallets import Wallets
from sim.chain.world import ChainWorld, genesis_pool, genesis_state, genesis_tip, give

SEED, TIME_S = 1, 1_700_000_000
GWEI = 10**9
RUNGS = 4
WORK_GAS = 6_300_000


def mint(rung: int) -> Wish:
    """Of a droid: USDC alone, beyond the price."""
    lower = 210_000 + 600 * rung
    act = Mint(42, lower, lower + 600, 10**15, may_be_in_range=False)
    return Wish(f"mint/{rung}", "droid-1", act, 50 * GWEI, GWEI, 1 << 62)


def test_all_mints_of_a_plan_come_into_one_block_that_is_nearly_full() -> None:
    wallets = Wallets(SEED)
    state = genesis_state(wallets)
    give(state, wallets, "droid-1", 1, 50_000)
    pools = {42: genesis_pool(42, Fraction(3_215), TIME_S)}
    world = ChainWorld(SEED, state, genesis_tip(SEED, TIME_S), pools, is_quiet=True)
    others = [
        Wish(f"other/{number}", f"outsider-{number}", Work(WORK_GAS, number), 50 * GWEI, 0, 1 << 62)
        for number in range(BLOCK_GAS_LIMIT // WORK_GAS)
    ]
    wishes = [*others, *map(mint, range(RUNGS))]
    block = world.built(TIME_S + 12, wishes, None).block
    labels = [one.wish.label for one in block.transactions]
    mints = [label for label in labels if label.startswith("mint/")]
    assert mints == [f"mint/{rung}" for rung in range(RUNGS)]
    behind = [label for label in labels if label.startswith("other/")]
    assert 0 < len(behind) < len(others)
    assert max(map(labels.index, mints)) < min(map(labels.index, behind))
