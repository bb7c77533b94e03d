"""What is to befall a simulation after its end: a shorter duration than the one that is written
leaves it out, and whoever reads the results should know."""

from collections.abc import Sequence

from sim.rows.messages import MarketStatus
from sim.scenario.markets import SECOND_US
from sim.scenario.scenario import Happening, IndexJump, MarketShock, StatusChange


def unreached(happenings: Sequence[Happening], steps: int, step_us: int) -> list[str]:
    """A sentence about each shock and halt that a run of so many steps ends before, or within."""
    end_s = steps * step_us / SECOND_US
    found = []
    for one in happenings:
        what, at_s = _named(one), (one.step - 1) * step_us / SECOND_US
        if what and one.step > steps:
            found.append(
                f"{what} of {one.market_id} at {at_s:g} s is left out:"
                f" the run ends after {end_s:g} s"
            )
        elif isinstance(one, MarketShock) and one.step + one.slices - 1 > steps:
            until_s = at_s + one.slices * step_us / SECOND_US
            found.append(
                f"{what} of {one.market_id} from {at_s:g} s to {until_s:g} s is cut short:"
                f" the run ends after {end_s:g} s"
            )
    return found


def _named(one: Happening) -> str:
    """Nothing for the end of a halt, of which nobody speaks."""
    if isinstance(one, MarketShock):
        return f"the {one.side.name.lower()} shock"
    if isinstance(one, IndexJump):
        return "the jump of the index"
    assert isinstance(one, StatusChange)
    return "" if one.status == MarketStatus.ACTIVE else "the halt"
