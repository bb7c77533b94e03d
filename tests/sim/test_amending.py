"""What an amendment reserves, whatever of its order trades before the market does it."""

import random
from math import ceil

from sim.money.amending import Amendment, extra_atoms
from sim.money.margin import released_atoms

RUNS = 20_000


def test_an_amended_order_has_what_it_needs_whatever_has_traded_meanwhile() -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    dice = random.Random(seed)
    for _ in range(RUNS):
        lots = dice.randint(1, 1_000)
        reserved = lots * dice.randint(1, 10_000) + dice.randint(0, 3)
        added = dice.choice([0, dice.randint(1, 1_000), -dice.randint(0, lots - 1)])
        needed = (lots + added) * dice.randint(1, 10_000) + dice.randint(0, 3)
        extra = extra_atoms(needed, lots + added, added, reserved)
        amendment = Amendment(added, 1, 0, extra, needed, lots + added)
        left, has = lots, reserved
        while left > max(0, -added) and dice.random() < 0.7:
            traded = dice.randint(1, left - max(0, -added))
            has -= released_atoms(has, traded, left)
            left -= traded
        needs = ceil(needed * (left + added) / (lots + added))
        if left + added == 0:
            continue
        assert amendment.kept_atoms(has + extra, left + added, left) == needs


def test_one_that_only_becomes_smaller_reserves_nothing_and_keeps_its_share() -> None:
    assert Amendment(-3, 0, 0).kept_atoms(1_000, 7, 10) == 700
    assert extra_atoms(700, 7, -3, 1_000) == 0
