"""Which rungs a ladder should have at a signal, and what becomes of those that stand."""

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from sim.droid.config import DroidConfig
from sim.droid.curves import weights
from sim.droid.ladder import Share
from sim.droid.lattice import Lattice, nearest_first
from sim.pool.terms import PoolTerms
from sim.pool.tick_math import tick_at_sqrt_ratio


@dataclass(frozen=True)
class Choice:
    """The buckets nearest to the signal's, nearest first."""

    signal_bucket: int
    shares: tuple[Share, ...]


@dataclass(frozen=True)
class Division:
    """What becomes of the open rungs, and those that come, nearest first."""

    kept: tuple[int, ...]
    closing: tuple[int, ...]
    new: tuple[Share, ...]


def chosen(config: DroidConfig, terms: PoolTerms, signal: float) -> Choice:
    """As many buckets as the droid may have; the lower price is nearer where two are as near."""
    signal_bucket = config.lattice(terms).bucket_of(tick_at_sqrt_ratio(terms.in_range_x96(signal)))
    ordered = nearest_first(config.eligible(terms), signal_bucket, terms.quote_is_token0)
    buckets = [bucket for bucket, _ in zip(ordered, range(config.max_bots), strict=False)]
    distances = [abs(bucket - signal_bucket) for bucket in buckets]
    shares = zip(buckets, weights(config.funding_curve, distances), strict=True)
    return Choice(signal_bucket, tuple(Share(*share) for share in shares))


def divided(
    choice: Choice,
    config: DroidConfig,
    terms: PoolTerms,
    signal: float,
    standing: Collection[int],
    margin: Decimal | None,
) -> Division:
    """Rungs stay that are chosen or not beyond the margin; without a margin none stays."""
    wanted = {share.bucket for share in choice.shares}
    inside, lattice = config.eligible(terms), config.lattice(terms)
    kept = [
        bucket
        for bucket in standing
        if margin is not None
        and bucket in inside
        and (bucket in wanted or not is_beyond(lattice, terms, bucket, signal, margin))
    ]
    kept.sort(key=lambda bucket: _farness(bucket, choice.signal_bucket, terms))
    del kept[config.max_bots :]
    new = [share for share in choice.shares if share.bucket not in kept]
    closing = sorted(bucket for bucket in standing if bucket not in kept)
    return Division(tuple(kept), tuple(closing), tuple(new[: config.max_bots - len(kept)]))


def is_beyond(
    lattice: Lattice, terms: PoolTerms, bucket: int, signal: float, margin: Decimal
) -> bool:
    """Whether the signal has left a rung's prices by more than a part of them."""
    low, high = sorted(terms.price_at_tick(tick) for tick in lattice.ticks(bucket))
    part = Fraction(margin)
    return signal < low * (1 - part) or signal > high * (1 + part)


def _farness(bucket: int, signal_bucket: int, terms: PoolTerms) -> tuple[int, int]:
    """The dearer of two that are as far is the farther."""
    return abs(bucket - signal_bucket), -bucket if terms.quote_is_token0 else bucket
