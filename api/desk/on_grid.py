"""Decimal text on a market's grid, and the refusals that say what would be valid."""

from decimal import Decimal

from sim.refusals import Name, Refusal, Refused
from sim.units import NotDecimal, OffGrid, format_steps, parse_steps


def on_grid(what: Name, text: str, step: Decimal, least: int, most: int) -> int:
    """Decimal text as whole steps within bounds, or Refused with the nearest valid value."""
    try:
        steps = parse_steps(text, step)
    except NotDecimal as error:
        raise Refused(Refusal.INVALID_ORDER, f"{what}: {error}", {"field": what}) from None
    except OffGrid as error:
        raise off_grid(what, text, step, min(max(error.nearest_steps, least), most)) from None
    if not least <= steps <= most:
        raise off_grid(what, text, step, min(max(steps, least), most))
    return steps


def off_grid(what: Name, text: str, step: Decimal, nearest_steps: int) -> Refused:
    """The refusal that says what would have been valid."""
    refused = not_valid(what, text, format_steps(nearest_steps, step))
    refused.details["step"] = format_steps(1, step)
    return refused


def impossible(field: Name, sentence: str) -> Refused:
    """The refusal of a field that does not go with the others."""
    return Refused(Refusal.INVALID_ORDER, sentence, {"field": field})


def not_valid(what: Name, sent: object, nearest: object) -> Refused:
    """The refusal of a value that this market does not take."""
    return Refused(
        Refusal.INVALID_ORDER,
        f"{what} {sent} is not valid in this market; the nearest valid value is {nearest}",
        {"field": what, "nearest": nearest},
    )
