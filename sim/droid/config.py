"""What may be set about a droid, and all that is wrong with what somebody has set.

Fields are named neutrally; their values are what stands in a request or a TOML file: text, whole
numbers and exact decimals. A family spells them in its own way.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from enum import StrEnum
from fractions import Fraction
from functools import cached_property
from typing import TypeGuard

from sim.droid.curves import FundingCurve
from sim.droid.lattice import Lattice
from sim.pool.terms import PoolTerms
from sim.pool.tick_math import MAX_TICK, tick_at_sqrt_ratio

GWEI_WEI = 10**9
DECIMALS_MAX = 32
"""As many as are read behind the point."""

FUNDING_USD_MAX = Decimal(10**12)
PRICE_USD_MAX = Decimal(10**18)
GAS_PRICE_GWEI_MAX = Decimal(10**9)
GAS_BUDGET_USD_MAX = Decimal(10**12)
RATIO_MAX = Decimal(10**6)
BOTS_MAX = 100
ZERO, ONE = Decimal(0), Decimal(1)

NEAREST_STEP, NEAREST_MAX = Decimal("1e-8"), Decimal(10**12 - 1)
"""Prices that a request can hold are multiples of one, and at most the other."""

NEAREST_DIGITS = 8
"""Of a bound that is named as the nearest which would do."""


class TriggerType(StrEnum):
    EMA = "EMA"
    SPOT = "SPOT"
    TWAP = "TWAP"


@dataclass(frozen=True)
class DroidConfig:
    """usd in whole USD, gwei for each unit of gas; thresholds, triggers and margin are parts of 1.

    gas_budget_usd   what a session may spend on all but closing; None without a limit
    """

    funding_usd: Decimal
    trigger_type: TriggerType
    tick_buckets: int
    bucket_offset: int
    funding_curve: FundingCurve
    max_bots: int
    min_price: Decimal
    max_price: Decimal
    max_gas_price_gwei: Decimal
    priority_gwei: Decimal
    derivative_threshold: Decimal
    ladder_margin: Decimal
    falling_trigger: Decimal
    rising_trigger: Decimal
    gas_budget_usd: Decimal | None = None

    @property
    def fee_per_gas_wei_max(self) -> int:
        return int(Fraction(self.max_gas_price_gwei) * GWEI_WEI)

    @property
    def priority_per_gas_wei(self) -> int:
        return int(Fraction(self.priority_gwei) * GWEI_WEI)

    @cached_property
    def band(self) -> tuple[Fraction, Fraction]:
        """The parts of a reference at which a droid fires, falling and rising."""
        return 1 - Fraction(self.falling_trigger), 1 + Fraction(self.rising_trigger)

    def lattice(self, terms: PoolTerms) -> Lattice:
        return lattice_of(terms, self.tick_buckets, self.bucket_offset)

    def eligible(self, terms: PoolTerms) -> range:
        """The buckets that lie wholly inside the bounds."""
        return eligible(self.lattice(terms), terms, self.min_price, self.max_price)

    def allows(self, price: float) -> bool:
        """Whether a price is inside the bounds."""
        return self.min_price <= price <= self.max_price


PATCHABLE = (
    *("funding_usd", "max_bots", "min_price", "max_price", "max_gas_price_gwei", "priority_gwei"),
    *("derivative_threshold", "ladder_margin", "falling_trigger", "rising_trigger"),
    "gas_budget_usd",
)
"""What may be changed of a droid that there is."""


@dataclass(frozen=True)
class Fault:
    """What is wrong with one field: a sentence's end ("must be …"), and the nearest that would do,
    by field, where there is one."""

    field: str
    allowed: str
    nearest: Mapping[str, Decimal] | None = None


class ConfigRefused(ValueError):
    """All that is wrong."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("; ".join(f"{one.field} must be {one.allowed}" for one in faults))
        self.faults = faults

    def __reduce__(self) -> tuple[type["ConfigRefused"], tuple[tuple[Fault, ...]]]:
        return ConfigRefused, (self.faults,)


@dataclass(frozen=True)
class Interval:
    """From low to high; an open end is not inside."""

    low: Decimal
    high: Decimal
    low_is_open: bool = False
    high_is_open: bool = False

    def holds(self, value: Decimal | int) -> bool:
        above = self.low < value if self.low_is_open else self.low <= value
        return above and (value < self.high if self.high_is_open else value <= self.high)

    def __str__(self) -> str:
        low = f"above {self.low:f}" if self.low_is_open else f"at least {self.low:f}"
        high = f"below {self.high:f}" if self.high_is_open else f"at most {self.high:f}"
        return f"{low} and {high}"


def above_zero(high: Decimal, high_is_open: bool = False) -> Interval:
    return Interval(ZERO, high, True, high_is_open)


CHOICES: dict[str, type[StrEnum]] = {"trigger_type": TriggerType, "funding_curve": FundingCurve}
WHOLE = ("tick_buckets", "bucket_offset", "max_bots")
OPTIONAL = ("gas_budget_usd",)
INTERVALS = {
    "funding_usd": above_zero(FUNDING_USD_MAX),
    "max_bots": Interval(ONE, Decimal(BOTS_MAX)),
    "min_price": above_zero(PRICE_USD_MAX),
    "max_price": above_zero(PRICE_USD_MAX),
    "max_gas_price_gwei": above_zero(GAS_PRICE_GWEI_MAX),
    "priority_gwei": Interval(ZERO, GAS_PRICE_GWEI_MAX),
    "gas_budget_usd": above_zero(GAS_BUDGET_USD_MAX),
    "derivative_threshold": Interval(ZERO, RATIO_MAX),
    "ladder_margin": Interval(ZERO, ONE, high_is_open=True),
    "falling_trigger": above_zero(ONE, high_is_open=True),
    "rising_trigger": above_zero(RATIO_MAX),
}


def read_config(given: Mapping[str, object], terms: PoolTerms) -> DroidConfig:
    """The droid that is asked for on a pool. Raises ConfigRefused with every fault."""
    names = [field.name for field in fields(DroidConfig)]
    intervals = INTERVALS | _lattice_intervals(given, terms)
    faults = [Fault(name, "left out: it is not known") for name in given if name not in names]
    faults += [fault for name in names if (fault := _fault(name, given.get(name), intervals))]
    wrong = {fault.field for fault in faults}
    faults += [fault for fault in _together(given, terms, wrong) if fault.field not in wrong]
    if faults:
        raise ConfigRefused(tuple(faults))
    return DroidConfig(**{name: _read(name, given.get(name)) for name in names})  # type: ignore[arg-type]


def patched(config: DroidConfig, changes: Mapping[str, object], terms: PoolTerms) -> DroidConfig:
    """With some fields changed, checked as a whole like a new one. Raises ConfigRefused."""
    fixed = tuple(
        Fault(name, f"left out: what may change is {', '.join(PATCHABLE)}")
        for name in changes
        if name not in PATCHABLE
    )
    if fixed:
        raise ConfigRefused(fixed)
    before = {field.name: getattr(config, field.name) for field in fields(config)}
    return read_config(before | dict(changes), terms)


def _lattice_intervals(given: Mapping[str, object], terms: PoolTerms) -> dict[str, Interval]:
    """A bucket fits between the outermost ticks, and an offset is less than a bucket."""
    allowed = Interval(ONE, Decimal(2 * MAX_TICK // terms.tick_spacing))
    buckets = given.get("tick_buckets")
    offset_below = allowed.high
    if _is_number(buckets) and allowed.holds(buckets):
        offset_below = Decimal(buckets)
    return {
        "tick_buckets": allowed,
        "bucket_offset": Interval(ZERO, offset_below, high_is_open=True),
    }


def _fault(name: str, value: object, intervals: Mapping[str, Interval]) -> Fault | None:
    if value is None:
        return None if name in OPTIONAL else Fault(name, "given")
    if name in CHOICES:
        known = [one.value for one in CHOICES[name]]
        return None if value in known else Fault(name, f"one of {', '.join(known)}")
    interval = intervals[name]
    if not _is_number(value):
        return Fault(name, f"a number {interval}")
    if not interval.holds(value):
        return Fault(name, str(interval))
    if name in WHOLE and value != int(value):
        return Fault(name, f"a whole number {interval}")
    if isinstance(value, Decimal) and -int(value.as_tuple().exponent) > DECIMALS_MAX:
        return Fault(name, f"a number of at most {DECIMALS_MAX} decimals")
    return None


def _is_number(value: object) -> TypeGuard[int | Decimal]:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return False
    return Decimal(value).is_finite()


def _together(given: Mapping[str, object], terms: PoolTerms, wrong: set[str]) -> Iterator[Fault]:
    """What is wrong with fields that are right by themselves."""
    if not wrong & {"priority_gwei", "max_gas_price_gwei"}:
        most = _number(given, "max_gas_price_gwei")
        if _number(given, "priority_gwei") > most:
            yield Fault("priority_gwei", f"at most max_gas_price_gwei, which is {shown(most)}")
    if wrong & {"min_price", "max_price"}:
        return
    low, high = _number(given, "min_price"), _number(given, "max_price")
    if low >= high:
        yield Fault("min_price", f"below max_price, which is {shown(high)}")
    elif not wrong & set(WHOLE):
        lattice = lattice_of(terms, *(int(_number(given, name)) for name in WHOLE[:2]))
        if not eligible(lattice, terms, low, high):
            yield _no_bucket(lattice, terms, low, high)


def _no_bucket(lattice: Lattice, terms: PoolTerms, low: Decimal, high: Decimal) -> Fault:
    """Bounds that hold the bucket in their middle are the nearest that hold one."""
    middle = terms.in_range_x96((Fraction(low) + Fraction(high)) / 2)
    all_buckets = lattice.between()
    if not all_buckets:
        return Fault("tick_buckets", "so few that a bucket lies within the ticks that pools have")
    bucket = min(
        max(lattice.bucket_of(tick_at_sqrt_ratio(middle)), all_buckets[0]), all_buckets[-1]
    )
    edges = sorted(terms.price_at_tick(tick) for tick in lattice.ticks(bucket))
    nearest = {
        "min_price": min(low, _rounded(edges[0], ROUND_FLOOR)),
        "max_price": max(high, _rounded(edges[1], ROUND_CEILING)),
    }
    if not nearest["min_price"] or nearest["max_price"] > NEAREST_MAX:
        return Fault("tick_buckets", "so few that a bucket lies within prices that can be written")
    told = " and ".join(f"{name} {shown(value)}" for name, value in nearest.items())
    return Fault("min_price", f"such that a bucket lies within the bounds, as in {told}", nearest)


def _rounded(price: Fraction, rounding: str) -> Decimal:
    """So that it can be written: with few digits, and no more decimals than are taken."""
    context = Context(prec=NEAREST_DIGITS, rounding=rounding)
    found = context.divide(Decimal(price.numerator), Decimal(price.denominator))
    return found.quantize(NEAREST_STEP, rounding) if found < NEAREST_MAX else found


def shown(value: Decimal) -> str:
    """Without zeros that say nothing, and without an exponent."""
    return f"{value.normalize():f}"


def _number(given: Mapping[str, object], name: str) -> Decimal:
    value = given[name]
    assert isinstance(value, int | Decimal)
    return Decimal(value)


def _read(name: str, value: object) -> object:
    if name in CHOICES:
        return CHOICES[name](str(value))
    if value is None:
        return None
    assert isinstance(value, int | Decimal)
    return int(value) if name in WHOLE else Decimal(value)


def lattice_of(terms: PoolTerms, tick_buckets: int, bucket_offset: int) -> Lattice:
    spacing = terms.tick_spacing
    return Lattice(tick_buckets * spacing, bucket_offset * spacing)


def eligible(lattice: Lattice, terms: PoolTerms, low: Decimal, high: Decimal) -> range:
    """The buckets wholly inside bounds, by the roots of their prices."""
    ends = sorted((terms.in_range_x96(low), terms.in_range_x96(high)))
    return lattice.inside(ends[0], ends[1])
