"""When a market of a simulation has something to do of its own, whether anybody trades or not."""

from sim.money.funding import HOUR_US, SAMPLE_US
from sim.scenario.scenario import IndexJump, MarketShock, Scenario, StatusChange


def jumps_of(scenario: Scenario, market_id: str) -> list[IndexJump]:
    """The jumps of a market's index, which may be another market's."""
    whose = scenario.world.priced(market_id).spec.market_id
    jumps = (one for one in scenario.happenings if isinstance(one, IndexJump))
    return [one for one in jumps if one.market_id == whose]


class OwnSteps:
    """Samples, margin checks, funding, its checks of itself, and what befalls it."""

    def __init__(
        self, scenario: Scenario, market_id: str, funding_hours: int, check_steps: int
    ) -> None:
        self._step_us = scenario.step_us
        self._every = {scenario.sample_steps, scenario.margin_steps, check_steps}
        self._every_us = (SAMPLE_US, funding_hours * HOUR_US)
        befalls = [one for one in scenario.happenings if one.market_id == market_id]
        self._single = [one.step for one in befalls if isinstance(one, StatusChange)]
        self._single += [one.step for one in jumps_of(scenario, market_id)]
        shocks = [one for one in befalls if isinstance(one, MarketShock)]
        self._spans = [(one.step, one.step + one.slices - 1) for one in shocks]

    def next_after(self, step: int) -> int:
        """The first of these steps after `step`."""
        found = [(step // every + 1) * every for every in self._every]
        now_us = step * self._step_us
        for every_us in self._every_us:
            found.append(-(-(now_us // every_us + 1) * every_us // self._step_us))
        found += [single for single in self._single if single > step]
        found += [max(first, step + 1) for first, last in self._spans if last > step]
        return min(found)
