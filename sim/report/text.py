"""Numbers, times and names as a report writes them; nothing leaves here unescaped by accident."""

import html
import math

SECOND_US = 1_000_000
PERCENT_DECIMALS_MAX = 5
MINUTE_S, HOUR_S = 60, 3_600
NONE = "–"
THIN = "\u202f"
"""A narrow space that does not break: between a figure and its unit."""

TIME_STEPS_S = (
    *(1, 2, 5, 10, 15, 30),
    *(60, 120, 300, 600, 900, 1_800),
    *(3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 172_800, 432_000, 864_000),
)
FULL_NUMBER_BELOW = 10_000_000
CONTROLS = dict.fromkeys((*range(9), 11, 12, *range(14, 32), 127), "�")


def escaped(text: object) -> str:
    """Text of whatever origin as HTML text or attribute value, always encodable as UTF-8."""
    plain = str(text).translate(CONTROLS).encode("utf-8", "replace").decode()
    return html.escape(plain, quote=True)


def number(value: float | None, decimals: int = 0) -> str:
    """1,234.5 with a real minus sign; a dash where there is no finite value."""
    if value is None or not math.isfinite(value):
        return NONE
    text = f"{value:,.{decimals}f}"
    negative = text.startswith("-") and text.strip("-0.,") != ""
    return f"−{text[1:]}" if negative else text.lstrip("-")


def significant(value: float | None, digits: int = 3) -> str:
    """A number with about so many digits that say something, never as an exponent."""
    if value is None or not math.isfinite(value):
        return NONE
    if float(f"{value:.{digits - 1}e}") == round(value):
        return number(value)
    size = math.floor(math.log10(abs(float(f"{value:.{digits - 1}e}"))))
    return number(value, min(8, max(0, digits - 1 - size)))


def percent(fraction: float | None, digits: int = 3) -> str:
    """A fraction as 12.3 %, with PERCENT_DECIMALS_MAX decimals at most."""
    if fraction is None:
        return NONE
    text = significant(100 * fraction, digits)
    if len(text.partition(".")[2]) > PERCENT_DECIMALS_MAX:
        text = number(100 * fraction, PERCENT_DECIMALS_MAX)
    return f"{text}{THIN}%"


def clock(time_us: int, with_seconds: bool = True) -> str:
    """Simulated time as h:mm:ss or h:mm."""
    seconds = time_us // SECOND_US
    hours, minutes = seconds // HOUR_S, seconds // MINUTE_S % MINUTE_S
    tail = f":{seconds % MINUTE_S:02}" if with_seconds else ""
    return f"{hours}:{minutes:02}{tail}"


def duration(time_us: int) -> str:
    """A length of time in the largest two units: 2 h 5 min, 30 s, 0.1 s."""
    seconds = time_us / SECOND_US
    if seconds < MINUTE_S:
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    whole = round(seconds)
    hours, minutes, rest = whole // HOUR_S, whole // MINUTE_S % MINUTE_S, whole % MINUTE_S
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{minutes} min {rest} s" if rest else f"{minutes} min"


def memory(size_bytes: int) -> str:
    """Bytes as MiB or GiB."""
    mebibytes = size_bytes / 2**20
    return f"{mebibytes / 1024:.1f} GiB" if mebibytes >= 1024 else f"{mebibytes:,.0f} MiB"


def nice_step(rough: float) -> float:
    """The smallest of 1, 2, 2.5, 5 × 10^k that is at least `rough` > 0."""
    power = 10.0 ** math.floor(math.log10(rough))
    return next(m * power for m in (1.0, 2.0, 2.5, 5.0, 10.0) if m * power >= rough * (1 - 1e-9))


def decimals_of(step: float) -> int:
    """How many decimals tell neighbouring multiples of a nice step apart."""
    for decimals in range(9):
        if abs(step * 10**decimals - round(step * 10**decimals)) < 1e-6:
            return decimals
    return 9


def tick_label(value: float, step: float, largest: float) -> str:
    """A tick of an axis whose largest value is given: millions are written as M."""
    if abs(largest) < FULL_NUMBER_BELOW:
        return number(value, decimals_of(step))
    return f"{number(value / 1e6, decimals_of(step / 1e6))}{THIN}M"
