"""Lives of droids on a pool, step by step as the contract's own bytecode had them."""

from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from sim.droid.config import DroidConfig, patched
from sim.droid.ladder import Ladder, Rung, Share, Wanted, scale, scaled_to
from sim.droid.plan import Division, chosen, divided
from sim.droid.swapping import Trials, least_swap
from sim.droid.valuation import Holdings, positions_held, uncollected
from sim.pool.pool import Pool
from sim.pool.positions import PositionKey
from sim.pool.swapping import Order
from sim.pool.terms import PoolTerms
from sim.pool.words import Pair
from tests.sim.droid_facts import POOLS, config_of, facts, named, texts
from tests.sim.pool_lives import EVERYTHING

DROID, OTHERS = b"\1" * 20, b"\2" * 20
TIME_S = 1_700_000_000
Told = dict[str, Any]


def pair(told: list[str]) -> Pair:
    return int(told[0]), int(told[1])


def of(told: Told, name: str = "amount") -> Pair:
    return int(told[f"{name}0"]), int(told[f"{name}1"])


@dataclass
class Lived:
    """A droid on a pool, and what it has."""

    terms: PoolTerms
    config: DroidConfig
    pool: Pool
    wallet: Pair
    standing: dict[int, int] = field(default_factory=dict)

    @classmethod
    def begun(cls, life: Told) -> "Lived":
        terms = POOLS[life["poolId"]]
        margin = Decimal(life["ladderPercMargin"])
        config = config_of(life["config"], terms, ladder_margin=margin)
        pool = Pool(life["fee"], terms.tick_spacing)
        start = terms.sqrt_price_x96(Decimal(life["start"]["price"]))
        assert start == int(life["start"]["sqrtPriceX96"])
        pool.initialize(TIME_S, start)
        return cls(terms, config, pool, terms.pair(0, int(config.funding_usd * terms.quote_unit)))

    @property
    def price_x96(self) -> int:
        return self.pool.state.sqrt_price_x96

    @property
    def rungs(self) -> list[Rung]:
        return [Rung(bucket, liquidity) for bucket, liquidity in self.standing.items()]

    def key(self, bucket: int) -> PositionKey:
        return PositionKey(DROID, *self.config.lattice(self.terms).ticks(bucket))

    def pay(self, amounts: Pair) -> None:
        self.wallet = self.wallet[0] - amounts[0], self.wallet[1] - amounts[1]

    def step(self, told: Told) -> None:
        kind = told["step"]
        if kind == "background mint":
            key = PositionKey(OTHERS, told["tickLower"], told["tickUpper"])
            assert self.pool.mint(TIME_S, key, int(told["liquidity"])) == of(told)
        elif kind == "others swap to price":
            self.others_swap(told)
        elif kind == "valuation":
            self.check_valuation(told)
        elif kind == "close all":
            self.close(told["closed"])
            assert texts(self.wallet) == told["wallet_after"]
        elif kind.startswith("PATCH"):
            self.patch(told)
        else:
            self.plan(told)

    def others_swap(self, told: Told) -> None:
        limit_x96 = int(told["sqrtPriceLimitX96"])
        order = Order(told["zeroForOne"], int(told["amountSpecified"]), limit_x96)
        assert self.pool.swap(TIME_S, order) == of(told)
        assert self.pool.state.tick == told["tick"]
        assert self.price_x96 == int(told["sqrtPriceX96"])
        assert self.price_x96 == self.terms.sqrt_price_x96(Decimal(told["price"]))

    def check_valuation(self, told: Told) -> None:
        lattice = self.config.lattice(self.terms)
        held = Holdings(
            positions_held(lattice, self.rungs, self.price_x96),
            uncollected(self.pool, map(self.key, self.standing), TIME_S),
            self.wallet,
        )
        assert texts(held.positions) == told["positions"]
        assert texts(held.fees) == told["uncollected_fees"]
        assert texts(held.wallet) == told["wallet"]
        worth = held.worth(self.terms, self.price_x96)
        assert str(int(worth)) == told["value_quote_units_floor"]
        with_ether = replace(held, ether_wei=10**18).worth(self.terms, self.price_x96)
        assert with_ether - worth == self.terms.price(self.price_x96) * self.terms.quote_unit
        self.tell_fees()

    def tell_fees(self) -> None:
        """As whoever wrote the file did to see them, by which they were rounded once more."""
        for bucket in self.standing:
            self.pool.burn(TIME_S, self.key(bucket), 0)

    def patch(self, told: Told) -> None:
        names = {
            "fundingUSD": "funding_usd",
            "maxBots": "max_bots",
            "minPrice": "min_price",
            "maxPrice": "max_price",
        }
        changes = {names[name]: value for name, value in told.items() if name in names}
        self.config = patched(self.config, changes, self.terms)
        quote = int(told.get("moved_from_paper_account", 0))
        amounts = self.terms.pair(0, quote)
        self.pay((-amounts[0], -amounts[1]))

    def plan(self, told: Told) -> None:
        assert self.pool.state.tick == told["tick"]
        division = self.divided(told)
        assert sorted(division.kept) == sorted(told["kept"])
        assert list(division.closing) == [one["bucket"] for one in told["closed"]]
        self.close(told["closed"])
        assert texts(self.wallet) == told["wallet_after_closing"]
        assert sorted(share.bucket for share in division.new) == [
            one["bucket"] for one in told["minted"]
        ]
        if division.new:
            self.place(told, division.new)

    def divided(self, told: Told) -> Division:
        signal, why = float(told["signal"]), told["why"]
        choice = chosen(self.config, self.terms, signal)
        assert choice.signal_bucket == told["signalBucket"]
        assert sorted(share.bucket for share in choice.shares) == told["chosen"]
        assert list(self.config.eligible(self.terms)) == told["eligible"]
        margin = Decimal(0) if "m = 0" in why else self.config.ladder_margin
        replaced = why == "fundingUSD raised"
        standing = list(self.standing)
        return divided(
            choice, self.config, self.terms, signal, standing, None if replaced else margin
        )

    def close(self, told: list[Told]) -> None:
        for one in told:
            liquidity = self.standing.pop(one["bucket"])
            assert str(liquidity) == one["liquidity"]
            key = self.key(one["bucket"])
            fees = uncollected(self.pool, [key], TIME_S)
            burnt = self.pool.burn(TIME_S, key, liquidity)
            assert burnt == of(one)
            collected = self.pool.collect(key, EVERYTHING)
            assert collected == of(one, "collected")
            assert collected == (burnt[0] + fees[0], burnt[1] + fees[1])
            if "fees0" in one:
                assert fees == of(one, "fees")
            self.pay((-collected[0], -collected[1]))

    def place(self, told: Told, new: tuple[Share, ...]) -> None:
        lattice = self.config.lattice(self.terms)
        funding = Fraction(self.config.funding_usd) * self.terms.quote_unit
        wanted = Wanted(self.terms, lattice, funding, self.rungs, new)
        kept = positions_held(lattice, self.rungs, self.price_x96)
        assert texts(kept) == told["kept_amounts"]
        ladder = wanted.at(self.price_x96, self.wallet)
        assert str(int(ladder.value)) == told["V_quote_units_floor"]
        assert texts(ladder.needs) == told["needs_before_swap"]
        assert {str(one.bucket): str(one.weight) for one in new} == told["weights"]
        self.swap(told.get("swap"), wanted)
        after = wanted.at(self.price_x96, self.wallet)
        if "V_after_swap_floor" in told:
            assert str(int(after.value)) == told["V_after_swap_floor"]
            assert texts(after.needs) == told["needs_after_swap"]
        assert scale(after, self.wallet) == Fraction(*pair(told["scale"]))
        self.mint(told, after)
        assert texts(self.wallet) == told["wallet_after"]

    def swap(self, told: Told | None, wanted: Wanted) -> None:
        order = least_swap(wanted, self.pool, TIME_S, self.wallet)
        if told is None:
            assert order is None
            return
        limit_x96 = int(told["sqrtPriceLimitX96"])
        assert order == Order(told["zeroForOne"], int(told["amountSpecified"]), limit_x96)
        tried = Trials(self.pool, TIME_S, self.wallet).after(order)
        amounts = self.pool.swap(TIME_S, order)
        assert amounts == of(told) == tried.amounts
        self.pay(amounts)
        assert self.price_x96 == int(told["sqrtPriceX96After"]) == tried.sqrt_price_x96
        assert self.pool.state.tick == told["tickAfter"]
        assert texts(self.wallet) == told["wallet"] == texts(tried.wallet)

    def mint(self, told: Told, ladder: Ladder) -> None:
        planned = {one.bucket: one.liquidity for one in ladder.rungs}
        scaled = {one.bucket: one.liquidity for one in scaled_to(ladder, self.wallet)}
        for one in told["minted"]:
            bucket = one["bucket"]
            assert str(planned[bucket]) == one["liquidity_planned"]
            assert str(scaled[bucket]) == one["liquidity"]
            key = self.key(bucket)
            assert [key.tick_lower, key.tick_upper] == [one["tickLower"], one["tickUpper"]]
            owed = self.pool.mint(TIME_S, key, scaled[bucket])
            assert owed == of(one)
            self.pay(owed)
            self.standing[bucket] = scaled[bucket]


@pytest.mark.parametrize("life", **named(facts("lives")["lives"]))
def test_a_droid_lives_as_it_was_worked_out(life: Told) -> None:
    lived = Lived.begun(life)
    for told in life["steps"]:
        lived.step(told)
