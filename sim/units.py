"""Decimal text at the door, integers inside: ticks, lots, atoms, parts per million."""

import re
from decimal import Decimal
from functools import lru_cache

ATOM_DECIMALS = 6
ATOMS_PER_UNIT = 1_000_000
"""Quote atoms in one unit of a quote asset: 1 USDC = 1,000,000 atoms."""

ASSET_DECIMALS = {"USDC": ATOM_DECIMALS, "USDT": ATOM_DECIMALS}
ASSET_DECIMALS_DEFAULT = 8
"""Decimals of an atom of what spot markets trade: a hundred-millionth, as Bitcoin has it."""

PRODUCT_SAFE = 1 << 62
"""What a product of kernels may come to, so that there is room for one more of its size."""

DEPOSIT_UNITS_MAX = 1_000_000_000
"""The most that comes in from outside at once, in whole units of an asset."""

PPM = 1_000_000
"""Parts per million: the unit of every rate."""


def part_of_ppm(rate_ppm: int) -> float:
    """A rate as a part of 1, for whoever reckons in doubles."""
    return rate_ppm / PPM


DECIMALS_MAX = 32

DECIMAL_TEXT = re.compile(rf"(\d{{1,12}})(?:\.(\d{{1,{DECIMALS_MAX}}}))?", re.ASCII)
"""What a client may write: at most 12 integer digits and 32 decimals, nothing else. No step has
so many decimals: they are read so that the nearest valid value can be told."""


class NotDecimal(ValueError):
    """The text is not a plain unsigned decimal of the accepted size."""


class OffGrid(ValueError):
    """The value is a decimal, but no whole number of steps.

    nearest         decimal text; it may have more digits than a client may write
    nearest_steps   the same in steps
    """

    def __init__(self, text: str, nearest: str, nearest_steps: int) -> None:
        super().__init__(
            f"{text} is not a multiple of the step; the nearest valid value is {nearest}"
        )
        self.nearest, self.nearest_steps = nearest, nearest_steps


def asset_decimals(asset: str) -> int:
    """How many decimals an atom of an asset is behind the point."""
    return ASSET_DECIMALS.get(asset, ASSET_DECIMALS_DEFAULT)


def parse_scaled(text: str, decimals: int) -> int:
    """Decimal text to an integer count of 10**-decimals, exactly.

    Raises NotDecimal for anything but plain digits, and OffGrid where the text
    has more significant decimals than `decimals`.
    """
    match = DECIMAL_TEXT.fullmatch(text)
    if match is None:
        raise NotDecimal(f"{text[:32]!r} is not a decimal number such as 12.5")
    whole, fraction = match.group(1), (match.group(2) or "").rstrip("0")
    if len(fraction) > decimals:
        kept = int(whole + fraction[:decimals])
        rounded = kept + (fraction[decimals] >= "5")
        raise OffGrid(text, format_scaled(rounded, decimals), rounded)
    return int(whole + fraction.ljust(decimals, "0"))


def format_scaled(value: int, decimals: int) -> str:
    """An integer count of 10**-decimals as the shortest exact decimal text, never 1E-7."""
    sign, digits = ("-" if value < 0 else ""), str(abs(value)).rjust(decimals + 1, "0")
    whole, fraction = digits[: len(digits) - decimals], digits[len(digits) - decimals :].rstrip("0")
    return f"{sign}{whole}.{fraction}" if fraction else f"{sign}{whole}"


def shortest(text: str) -> str:
    """The same decimal in the fewest characters. Raises NotDecimal."""
    return format_scaled(parse_scaled(text, DECIMALS_MAX), DECIMALS_MAX)


@lru_cache(maxsize=256)
def _grid(step: Decimal) -> tuple[int, int]:
    """A step as (decimals, units of 10**-decimals)."""
    decimals = max(0, -int(step.as_tuple().exponent))
    return decimals, int(step.scaleb(decimals))


def parse_steps(text: str, step: Decimal) -> int:
    """Decimal text to a whole number of `step`s. Raises NotDecimal or OffGrid."""
    decimals, step_units = _grid(step)
    try:
        units = parse_scaled(text, decimals)
    except OffGrid as error:
        raise _off_grid(text, error.nearest_steps, step) from None
    if units % step_units:
        raise _off_grid(text, units, step)
    return units // step_units


def _off_grid(text: str, units: int, step: Decimal) -> OffGrid:
    """With the nearest whole number of steps, halves up."""
    _, step_units = _grid(step)
    steps = (2 * units + step_units) // (2 * step_units)
    return OffGrid(text, format_steps(steps, step), steps)


def format_steps(steps: int, step: Decimal) -> str:
    """A whole number of `step`s as decimal text."""
    decimals, step_units = _grid(step)
    return format_scaled(steps * step_units, decimals)


def ceil_div(numerator: int, denominator: int) -> int:
    """Quotient rounded toward positive infinity; the denominator is positive."""
    return -(-numerator // denominator)


def format_atoms(atoms: int, asset: str | None = None) -> str:
    """Atoms as decimal text, of the quote asset where none is named: 9045000 is '9.045'."""
    return format_scaled(atoms, ATOM_DECIMALS if asset is None else asset_decimals(asset))


def parse_atoms(text: str, asset: str | None = None) -> int:
    """Decimal text of an amount to atoms, as above. Raises NotDecimal or OffGrid."""
    return parse_scaled(text, ATOM_DECIMALS if asset is None else asset_decimals(asset))


def format_ppm(ppm: int) -> str:
    """A rate in parts per million as decimal text: 3750 is '0.00375'."""
    return format_scaled(ppm, 6)
