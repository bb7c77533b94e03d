"""Liquidity of rungs for a value, and the amounts of both tokens that it takes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from sim.droid.lattice import Lattice
from sim.pool.amounts import amounts_at
from sim.pool.terms import PoolTerms
from sim.pool.words import Q96, Pair


class Rung(NamedTuple):
    """An open position: its bucket and its liquidity."""

    bucket: int
    liquidity: int


class Share(NamedTuple):
    """A rung that is to be, and its weight among those that are to be."""

    bucket: int
    weight: int


@dataclass(frozen=True)
class Ladder:
    """New rungs at a price.

    value   what they may be worth, in base units of the quote
    needs   of both tokens, each rung's rounded up as the pool asks them
    """

    value: Fraction
    rungs: tuple[Rung, ...]
    needs: Pair


@dataclass(frozen=True)
class Wanted:
    """What a ladder is made for: the same at every price that is tried.

    funding   the most that all rungs together shall be worth, in base units of the quote
    kept      rungs that stand already
    """

    terms: PoolTerms
    lattice: Lattice
    funding: Fraction
    kept: Sequence[Rung]
    new: Sequence[Share]

    def at(self, sqrt_price_x96: int, wallet: Pair) -> Ladder:
        kept = total(
            rung_amounts(self.lattice, one, sqrt_price_x96, round_up=False) for one in self.kept
        )
        left = self.funding - self.terms.in_quote(kept, sqrt_price_x96)
        value = max(Fraction(0), min(left, self.terms.in_quote(wallet, sqrt_price_x96)))
        rungs = self.rungs(sqrt_price_x96, value)
        return Ladder(
            value,
            rungs,
            total(rung_amounts(self.lattice, one, sqrt_price_x96, round_up=True) for one in rungs),
        )

    def rungs(self, sqrt_price_x96: int, value: Fraction) -> tuple[Rung, ...]:
        """The value divided by weight, in floored liquidity."""
        whole = sum(share.weight for share in self.new) or 1
        return tuple(
            Rung(
                share.bucket,
                liquidity_for(
                    value * share.weight / whole,
                    unit_value(self.terms, self.lattice.ratios_x96(share.bucket), sqrt_price_x96),
                ),
            )
            for share in self.new
        )


def liquidity_for(value: Fraction, unit: Pair) -> int:
    return (value.numerator * unit[1]) // (value.denominator * unit[0])


def unit_value(terms: PoolTerms, ratios_x96: Pair, sqrt_price_x96: int) -> Pair:
    """What one unit of liquidity between two prices is worth in base units of the quote.

    A numerator and a denominator: with s the price within the range [a, b], token0 is
    x = 2⁹⁶(b − s)/(s·b) and token1 y = (s − a)/2⁹⁶; worth y + x·raw, or x + y/raw.
    """
    low, high = ratios_x96
    within = min(max(sqrt_price_x96, low), high)
    raw = sqrt_price_x96 * sqrt_price_x96
    numerator = (within - low) * within * high + (high - within) * raw
    if terms.quote_is_token0:
        return numerator * Q96, within * high * raw
    return numerator, within * high * Q96


def rung_amounts(lattice: Lattice, rung: Rung, sqrt_price_x96: int, *, round_up: bool) -> Pair:
    """Of both tokens."""
    ticks = lattice.ticks(rung.bucket)
    return amounts_at(sqrt_price_x96, ticks, rung.liquidity, round_up=round_up)


def total(amounts: Iterable[Pair]) -> Pair:
    sum0, sum1 = 0, 0
    for amount0, amount1 in amounts:
        sum0, sum1 = sum0 + amount0, sum1 + amount1
    return sum0, sum1


def scaled_to(ladder: Ladder, wallet: Pair) -> tuple[Rung, ...]:
    """As much of a ladder as the wallet can pay, a unit spared for each rung of what it lacks."""
    part = scale(ladder, wallet)
    return tuple(
        Rung(one.bucket, one.liquidity * part.numerator // part.denominator) for one in ladder.rungs
    )


def scale(ladder: Ladder, wallet: Pair) -> Fraction:
    spared = len(ladder.rungs)
    parts = [
        Fraction(have - spared, need)
        for have, need in zip(wallet, ladder.needs, strict=True)
        if need > have
    ]
    return max(Fraction(0), min([Fraction(1), *parts]))
