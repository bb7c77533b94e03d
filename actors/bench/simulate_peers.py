"""Parts of `sandpit bench simulate` in which others do the same work: bourse, PAMS, rmsc04."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from actors.bench import simulate_scenarios as scenarios
from actors.bench.simulate_runs import PeerMissing, Work, alone, alternated, peer
from sim.scenario.scenario import Scenario
from sim.stepping.world import SimulatedWorld
from storage.files.scenario_file import load_scenario, scenario_prices

ALL_PPM = 1_000_000
SEED = 1
BOURSE_AIMS = ((1_000, 1.0), (100_000, 3.0))
BOURSE_INSTRUCTIONS = 1_000_000
PAMS_TRADERS = 1_000
PAMS_AIM = 100.0
DAY_AIM_S, DAY_REFERENCE_S = 4.0, 17.0


@dataclass(frozen=True)
class Line:
    """A line of the table. ours, theirs: in `unit`; ratio: ours to theirs; aim: as text."""

    part: str
    what: str
    unit: str
    ours: float | None = None
    theirs: float | None = None
    ratio: float | None = None
    aim: str = ""
    met: bool | None = None
    note: str = ""


@dataclass(frozen=True)
class Extent:
    """How much is measured: medians of so many runs, each this share of the usual work."""

    runs: int = 3
    share: float = 1.0

    def of(self, usual: int, least: int = 1) -> int:
        """A share of the usual number."""
        return max(least, round(usual * self.share))


def bourse(extent: Extent) -> Iterator[Line]:
    """Every trader acts once a step, on one market; CPU seconds an instruction.

    Ours are noise traders with all their accounts: 35 % take, 35 % quote, the rest withdraw.
    `bourse-noise` drives bourse's numpy interface with that mix; `bourse-shipped` are its own
    NumpyRandomAgents, who only place orders and never withdraw. Both sides end within a step of
    the same number of instructions.
    """
    for traders, aim in BOURSE_AIMS:
        steps = extent.of(max(5, BOURSE_INSTRUCTIONS // traders), 2)
        text = scenarios.scenario_text(
            "bench-noise", SEED, steps + 20, 1, scenarios.noise(traders, ALL_PPM)
        )
        for name in ("bourse-noise", "bourse-shipped"):
            theirs = partial(peer, name, "instructions", traders=traders, steps=steps, seed=SEED)
            measured = beside(extent, partial(_instructions, text, steps), theirs)
            what = f"{name}, {traders:,} traders"
            yield compared("bourse", what, "orders/s", aim, *measured)


def _instructions(text: str, steps: int) -> Work:
    return alone(text, steps)[1]


def pams(extent: Extent) -> Iterator[Line]:
    """FCN traders; a decision is one trader's about one market, with what becomes of its order.

    Ours withdraw their last order when they decide anew, PAMS's orders expire: neither counts.
    """
    for markets, acting, steps, our_steps in (
        (1, 1_000, 6, 200),
        (10, 1_000, 3, 100),
        (1, 10, 300, 2_000),
    ):
        activity_ppm = ALL_PPM * acting // PAMS_TRADERS
        ours_steps, theirs_steps = extent.of(our_steps, 5), extent.of(steps, 2)
        crowd = scenarios.fcn(PAMS_TRADERS, activity_ppm)
        text = scenarios.scenario_text("bench-fcn", SEED, ours_steps + 20, markets, crowd)
        decided = partial(_decisions, text, ours_steps, acting * markets)
        wish = {"traders": PAMS_TRADERS, "acting": acting, "markets": markets, "seed": SEED}
        theirs = partial(peer, "pams", "decisions", steps=theirs_steps, **wish)
        what = f"PAMS, {acting:,} of 1,000 FCN act a step, {markets} market(s)"
        yield compared("pams", what, "decisions/s", PAMS_AIM, *beside(extent, decided, theirs))


def _decisions(text: str, steps: int, a_step: int) -> Work:
    return Work(steps * a_step, alone(text, steps)[1].seconds)


def beside(
    extent: Extent, ours: Callable[[], Work], theirs: Callable[[], Work]
) -> tuple[float, float | None, str]:
    """Medians of both rates, in turns; what is missing of theirs."""
    try:
        rates = alternated(extent.runs, lambda: ours().rate, lambda: theirs().rate)
    except PeerMissing as error:
        return alternated(extent.runs, lambda: ours().rate)[0], None, str(error)
    return rates[0], rates[1], ""


def compared(
    part: str, what: str, unit: str, aim: float, ours: float, theirs: float | None, note: str
) -> Line:
    """A line of ours against theirs: the more the better."""
    ratio = None if theirs is None else ours / theirs
    met = None if ratio is None else ratio >= aim
    return Line(part, what, unit, ours, theirs, ratio, f"≥ {aim:g} ×", met, note)


def trading_day(extent: Extent) -> Iterator[Line]:
    """rmsc04, all of it, in this process: seconds of a wall clock."""
    scenario = load_scenario("rmsc04")
    seconds = alternated(extent.runs, lambda: _day_s(scenario, extent))[0]
    told = f"{scenario.accounts:,} traders, {scenario.steps:,} steps"
    if extent.share < 1:
        what = f"{extent.share:.2%} of the trading day"
        yield Line("rmsc04", what, "s", seconds, note=told)
        return
    yield Line(
        "rmsc04",
        "the whole trading day, ABIDES",
        "s",
        seconds,
        theirs=DAY_REFERENCE_S,
        ratio=DAY_REFERENCE_S / seconds,
        aim=f"≤ {DAY_AIM_S:g} s",
        met=seconds <= DAY_AIM_S,
        note=f"{told}; theirs is what the reference takes on this class of machine, not run here",
    )


def _day_s(scenario: Scenario, extent: Extent) -> float:
    world = SimulatedWorld(scenario, scenario_prices(scenario))
    began = time.perf_counter()
    world.run(extent.of(scenario.steps))
    return time.perf_counter() - began
