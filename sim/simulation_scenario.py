"""What a simulation says beyond its world: how long, how finely, what happens to it, what is kept.

A scenario is the TOML text of a world (scenario.py) with more fields at its top:

    duration_s = 600           simulated time
    step_us = 100_000          Δ: the time of one step
    record = "all"             trades: none, sampled (one of 16) or all
    sample_ms = 1_000          how often quotes and standings are noted
    margin_check_ms = 1_000    how often accounts are compared with their maintenance margin
    insurance = "1000000"      what the insurance fund of each market begins with

    [activity]                 by how much more often everybody acts (market_activity.py)
    course_percent = [150, 80, 140]   of equal parts of `course_s` seconds, over and over
    course_s = 23_400
    feedback_ppm = 500_000     share that follows the price: 0 where it is missing
    typical_move_ppb = 20_000  from the mid's average: moves of this size keep the factor at 1
    memory_shift = 5           the average and the shortest memory are of 2**shift steps

    [[shocks]]                 kind sell or buy: a market order of `quantity`, in equal
    market = "BTC-PERP"        slices over `over_s` seconds; kind index: the reference
    kind = "sell"              price moves by `jump_ppm` and stays moved
    at_s = 300
    quantity = "250"
    over_s = 10

    [[halts]]                  `status` HALTED or CANCEL_ONLY, ACTIVE again after `for_s`
    market = "BTC-PERP"
    at_s = 400
    for_s = 60
"""

from dataclasses import dataclass
from decimal import Decimal

from sim.market_activity import ActivityDescription
from sim.messages import MarketStatus, Side
from sim.scenario import World, fields_of, read_world
from sim.scenario_fields import Fields, ScenarioError
from sim.units import ATOMS_PER_UNIT, PPM

DURATION_S_MAX = 31 * 24 * 3600
STEP_US_DEFAULT = 100_000
STEP_US_MIN, STEP_US_MAX = 1_000, 10_000_000
STEPS_MAX = 2**27 - 1
"""What an order id leaves room for."""

ACCOUNTS_MAX = 2**24 - 2
SAMPLE_MS_DEFAULT = 1_000
MARGIN_CHECK_MS_DEFAULT = 1_000
INTERVAL_MS_MAX = 3_600_000
NOTIONAL_ATOMS_MAX = 2**62
JUMP_PPM_MAX = 900_000
DAY_S = 86_400
COURSE_PERCENT = (1, 10_000)
MEMORY_SHIFT_MAX = 24
RECORDS = ("none", "sampled", "all")


@dataclass(frozen=True)
class MarketShock:
    """A market order from outside, in `slices` equal parts, one a step, from `step` on."""

    market_id: str
    step: int
    side: Side
    quantity_lots: int
    slices: int


@dataclass(frozen=True)
class IndexJump:
    """The reference price moves by a part of itself in `step`, and stays moved."""

    market_id: str
    step: int
    jump_ppm: int


@dataclass(frozen=True)
class StatusChange:
    """A market takes a status at the beginning of `step`."""

    market_id: str
    step: int
    status: MarketStatus


Happening = MarketShock | IndexJump | StatusChange


@dataclass(frozen=True)
class Scenario:
    """A world with its time and what befalls it. Intervals are in steps, at least one.

    happenings   by step
    activity     None: everybody acts as often at all times
    """

    world: World
    steps: int
    step_us: int
    record: str
    sample_steps: int
    margin_steps: int
    insurance_atoms: int
    happenings: tuple[Happening, ...]
    activity: ActivityDescription | None = None

    @property
    def accounts(self) -> int:
        """How many traders there are."""
        return sum(population.heads for population in self.world.populations)


def parse_scenario(
    text: str, seed: int | None = None, duration_s: int | None = None, record: str | None = None
) -> Scenario:
    """A scenario from TOML text; what else is given replaces its own. Raises ScenarioError."""
    fields = fields_of(text)
    world = read_world(fields)
    step_us = fields.integer("step_us", STEP_US_MIN, STEP_US_MAX, STEP_US_DEFAULT)
    written_s = fields.integer("duration_s", 1, DURATION_S_MAX)
    written_record = fields.choice("record", RECORDS) if fields.has("record") else "all"
    steps = max(1, (duration_s or written_s) * 1_000_000 // step_us)
    scenario = Scenario(
        world=world if seed is None else _seeded(world, seed),
        steps=steps,
        step_us=step_us,
        record=record or written_record,
        sample_steps=_interval(fields, "sample_ms", SAMPLE_MS_DEFAULT, step_us),
        margin_steps=_interval(fields, "margin_check_ms", MARGIN_CHECK_MS_DEFAULT, step_us),
        insurance_atoms=_insurance_atoms(fields),
        happenings=_happenings(fields, world, step_us),
        activity=_activity(fields.table("activity")) if fields.has("activity") else None,
    )
    fields.finish()
    _refuse_too_large(scenario)
    return scenario


def _activity(fields: Fields) -> ActivityDescription:
    usual = ActivityDescription()
    activity = ActivityDescription(
        course_percent=fields.integers("course_percent", *COURSE_PERCENT, usual.course_percent),
        course_us=fields.integer("course_s", 1, DURATION_S_MAX, DAY_S) * 1_000_000,
        feedback_ppm=fields.integer("feedback_ppm", 0, PPM, usual.feedback_ppm),
        typical_move_ppb=fields.integer("typical_move_ppb", 1, PPM, usual.typical_move_ppb),
        memory_shift=fields.integer("memory_shift", 0, MEMORY_SHIFT_MAX, usual.memory_shift),
    )
    fields.finish()
    return activity


def _seeded(world: World, seed: int) -> World:
    return World(world.name, seed, world.steps_per_second, world.markets, world.populations)


def _interval(fields: Fields, name: str, default_ms: int, step_us: int) -> int:
    return max(1, fields.integer(name, 1, INTERVAL_MS_MAX, default_ms) * 1_000 // step_us)


def _insurance_atoms(fields: Fields) -> int:
    return int(fields.decimal("insurance") * ATOMS_PER_UNIT) if fields.has("insurance") else 0


def _happenings(fields: Fields, world: World, step_us: int) -> tuple[Happening, ...]:
    found: list[Happening] = []
    for table in fields.tables("shocks", 0):
        found.append(_shock(table, world, step_us))
    for table in fields.tables("halts", 0):
        found += _halt(table, world, step_us)
    return tuple(sorted(found, key=lambda happening: happening.step))


def _shock(fields: Fields, world: World, step_us: int) -> Happening:
    kind = fields.choice("kind", ("buy", "index", "sell"))
    market_id, step = _where_and_when(fields, world, step_us)
    shock: Happening
    if kind == "index":
        jump_ppm = fields.integer("jump_ppm", -JUMP_PPM_MAX, 10 * PPM)
        shock = IndexJump(market_id, step, jump_ppm)
    else:
        slices = max(1, fields.integer("over_s", 0, DURATION_S_MAX, 0) * 1_000_000 // step_us)
        side = Side.BUY if kind == "buy" else Side.SELL
        lots = _lots(fields, world, market_id, slices)
        shock = MarketShock(market_id, step, side, lots, slices)
    fields.finish()
    return shock


def _where_and_when(fields: Fields, world: World, step_us: int) -> tuple[str, int]:
    """A market's id, and the first step that begins at or after `at_s`."""
    ids = [market.spec.market_id for market in world.markets]
    market_id = fields.choice("market", ids)
    return market_id, -(-fields.integer("at_s", 0, DURATION_S_MAX) * 1_000_000 // step_us) + 1


def _lots(fields: Fields, world: World, market_id: str, slices: int) -> int:
    spec = world.market(market_id).spec
    lots: Decimal = fields.decimal("quantity") / spec.lot_size
    if lots != int(lots) or not slices <= lots <= slices * spec.max_quantity_lots:
        most = slices * spec.max_quantity_lots * spec.lot_size
        allowed = f"a multiple of {spec.lot_size}, at least one a step, {most} at most"
        raise fields.refuse("quantity", allowed)
    return int(lots)


def _halt(fields: Fields, world: World, step_us: int) -> list[Happening]:
    market_id, step = _where_and_when(fields, world, step_us)
    steps = max(1, fields.integer("for_s", 1, DURATION_S_MAX) * 1_000_000 // step_us)
    named = fields.choice("status", ("CANCEL_ONLY", "HALTED")) if fields.has("status") else "HALTED"
    fields.finish()
    return [
        StatusChange(market_id, step, MarketStatus[named]),
        StatusChange(market_id, step + steps, MarketStatus.ACTIVE),
    ]


def _refuse_too_large(scenario: Scenario) -> None:
    """What the numbers of a run have room for."""
    if scenario.steps > STEPS_MAX:
        raise ScenarioError(f"duration_s: found {scenario.steps} steps, allowed is {STEPS_MAX}")
    if scenario.accounts > ACCOUNTS_MAX:
        raise ScenarioError(
            f"populations: found {scenario.accounts} heads in all, allowed is {ACCOUNTS_MAX}"
        )
    for place, population in enumerate(scenario.world.populations):
        if population.heads * population.capital_atoms > NOTIONAL_ATOMS_MAX:
            raise ScenarioError(
                f"populations[{place}].capital: all heads together have more than 2**62 atoms,"
                f" allowed is less"
            )
    for place, market in enumerate(scenario.world.markets):
        spec = market.spec
        if spec.notional_atoms(spec.max_price_ticks, spec.max_quantity_lots) > NOTIONAL_ATOMS_MAX:
            raise ScenarioError(
                f"markets[{place}].max_quantity: an order of this size at the highest price is"
                f" worth more than 2**62 atoms, allowed is less"
            )
