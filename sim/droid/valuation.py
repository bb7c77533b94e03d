"""What a droid's positions, their fees and its wallet are worth at a pool's price."""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from sim.droid.ladder import Rung, rung_amounts, total
from sim.droid.lattice import Lattice
from sim.pool.pool import Pool
from sim.pool.positions import PositionKey
from sim.pool.terms import PoolTerms
from sim.pool.ticks import Grown, grown_inside, place_of
from sim.pool.words import Pair


@dataclass(frozen=True)
class Holdings:
    """Amounts in the chain's order of tokens.

    positions   what the open rungs would give if they were burnt, without fees
    fees        what has grown beside it and is not collected
    wallet      tokens, without ether
    """

    positions: Pair
    fees: Pair
    wallet: Pair
    ether_wei: int = 0

    def worth(self, terms: PoolTerms, sqrt_price_x96: int) -> Fraction:
        """In base units of the quote, ether at the price of the base."""
        ether = terms.pair(self.ether_wei, 0)
        return terms.in_quote(
            total((self.positions, self.fees, self.wallet, ether)), sqrt_price_x96
        )


def positions_held(lattice: Lattice, rungs: Iterable[Rung], sqrt_price_x96: int) -> Pair:
    return total(rung_amounts(lattice, one, sqrt_price_x96, round_up=False) for one in rungs)


def uncollected(pool: Pool, keys: Iterable[PositionKey], time_s: int) -> Pair:
    """The fees that positions would be owed if they were told them now."""
    now = pool.store.grown(time_s)
    return total(_fees(pool, key, now) for key in keys)


def _fees(pool: Pool, key: PositionKey, now: Grown) -> Pair:
    ticks = pool.store.ticks
    place = place_of(pool.state.tick, key.tick_lower, key.tick_upper)
    inside = grown_inside(ticks[key.tick_lower], ticks[key.tick_upper], place, now)
    return pool.store.positions[key].updated(0, inside.fee_growth_x128).tokens_owed


def impermanent_loss(
    terms: PoolTerms, sqrt_price_x96: int, put_in: Pair, positions: Pair
) -> Fraction:
    """By how much positions, without fees, are worth less than what was put in for them would be
    now; in base units of the quote."""
    held = terms.in_quote(put_in, sqrt_price_x96)
    return held - terms.in_quote(positions, sqrt_price_x96)
