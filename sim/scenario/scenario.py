"""What a simulation says beyond its world: how long, how finely, what happens to it, what is kept.

A scenario is the TOML text of a world (world.py) with more fields at its top:

    duration_s = 600           simulated time
    step_us = 100_000          Δ: the time of one step
    record = "all"             trades: none, sampled (one of 16) or all
    sample_ms = 1_000          how often quotes and standings are noted
    margin_check_ms = 1_000    how often accounts are compared with their maintenance margin
    insurance = "1000000"      what the insurance fund of each market begins with

    [activity]                 by how much more often everybody acts (activity.py)
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

    [chain]                    pools and droids beside the books (chain.py)
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from sim.populations.activity import ActivityDescription
from sim.rows.messages import MarketStatus, Side
from sim.scenario.chain import ChainDescription, read_chain
from sim.scenario.fields import Fields, ScenarioError
from sim.scenario.markets import SECOND_US
from sim.scenario.toml_text import toml_table
from sim.scenario.world import SEED_MAX, WORLD_FIELDS, World, amount_atoms, read_world
from sim.signals.terms import StrategyTerms
from sim.units import PPM

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

SCALE_PPM_MAX = 2**32 - 1
"""A price times this is a number of 63 bits."""

TIME_FIELDS = ("duration_s", "step_us", "record", "sample_ms", "margin_check_ms", "insurance")
BEFALLING_FIELDS = ("activity", "shocks", "halts", "chain", "droids")
ACTIVITY_FIELDS = ("course_percent", "course_s", "feedback_ppm", "typical_move_ppb", "memory_shift")
WHERE_FIELDS = ("market", "at_s")
JUMP_FIELDS, ORDER_FIELDS, HALT_FIELDS = ("jump_ppm",), ("quantity", "over_s"), ("for_s", "status")


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
class MarketPast:
    """Candles of a market before the start, oldest first, as long as those of whoever looks back:
    opening time in µs, below 0; open, high, low and close in ticks; volume in lots."""

    market_id: str
    candles: tuple[tuple[int, int, int, int, int, int], ...]


@dataclass(frozen=True)
class Scenario:
    """A world with its time and what befalls it. Intervals are in steps, at least one.

    happenings   by step
    activity     None: everybody acts as often at all times
    chain        None: there are books alone
    past         candles before the start, for populations that look back
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
    chain: ChainDescription | None = None
    past: tuple[MarketPast, ...] = ()

    @property
    def accounts(self) -> int:
        """How many traders there are."""
        return sum(population.heads for population in self.world.populations)


def parse_scenario(
    text: str, seed: int | None = None, duration_s: int | None = None, record: str | None = None
) -> Scenario:
    """A scenario from TOML text; what else is given replaces its own. Raises ScenarioError."""
    with toml_table(text, "a scenario") as table:
        scenario = _read_scenario(Fields(table), seed, duration_s, record)
        _refuse_too_large(scenario)
        _refuse_torn_candles(scenario)
    return scenario


def _read_scenario(
    fields: Fields, seed: int | None, duration_s: int | None, record: str | None
) -> Scenario:
    fields.only(*WORLD_FIELDS, *TIME_FIELDS, *BEFALLING_FIELDS)
    world = read_world(fields, least_populations=1)
    step_us = fields.integer("step_us", STEP_US_MIN, STEP_US_MAX, STEP_US_DEFAULT)
    written_steps = _steps(fields.integer("duration_s", 1, DURATION_S_MAX), step_us)
    sample_steps = _interval(fields, "sample_ms", SAMPLE_MS_DEFAULT, step_us)
    written_record = fields.choice("record", RECORDS) if fields.has("record") else "all"
    return Scenario(
        world=world if seed is None else _seeded(world, seed),
        steps=_steps(duration_s, step_us) if duration_s else written_steps,
        step_us=step_us,
        record=record or written_record,
        sample_steps=sample_steps,
        margin_steps=_interval(fields, "margin_check_ms", MARGIN_CHECK_MS_DEFAULT, step_us),
        insurance_atoms=amount_atoms(fields, "insurance") if fields.has("insurance") else 0,
        happenings=_happenings(fields, Span(world, written_steps, step_us)),
        activity=_activity(fields.table("activity")) if fields.has("activity") else None,
        chain=read_chain(fields, world, step_us, sample_steps),
    )


def _steps(duration_s: int, step_us: int) -> int:
    return max(1, duration_s * SECOND_US // step_us)


def _activity(fields: Fields) -> ActivityDescription:
    usual = ActivityDescription()
    fields.only(*ACTIVITY_FIELDS)
    return ActivityDescription(
        course_percent=fields.integers("course_percent", *COURSE_PERCENT, usual.course_percent),
        course_us=fields.integer("course_s", 1, DURATION_S_MAX, DAY_S) * 1_000_000,
        feedback_ppm=fields.integer("feedback_ppm", 0, PPM, usual.feedback_ppm),
        typical_move_ppb=fields.integer("typical_move_ppb", 1, PPM, usual.typical_move_ppb),
        memory_shift=fields.integer("memory_shift", 0, MEMORY_SHIFT_MAX, usual.memory_shift),
    )


def _seeded(world: World, seed: int) -> World:
    """With another seed than the one that is written. Raises ScenarioError."""
    if not 0 <= seed <= SEED_MAX:
        allowed = f"a whole number from 0 to {SEED_MAX}"
        raise ScenarioError(f"seed: found {seed}, allowed is {allowed}")
    return replace(world, seed=seed)


def _interval(fields: Fields, name: str, default_ms: int, step_us: int) -> int:
    return max(1, fields.integer(name, 1, INTERVAL_MS_MAX, default_ms) * 1_000 // step_us)


@dataclass(frozen=True)
class Span:
    """A world and the time that is written for it: nothing may befall it later."""

    world: World
    steps: int
    step_us: int


def _happenings(fields: Fields, span: Span) -> tuple[Happening, ...]:
    found: list[Happening] = []
    shocks = [(table, _shock(table, span)) for table in fields.tables("shocks", 0)]
    _refuse_too_far_jumps(shocks)
    found += [shock for _, shock in shocks]
    for table in fields.tables("halts", 0):
        found += _halt(table, span)
    return tuple(sorted(found, key=lambda happening: happening.step))


def _shock(fields: Fields, span: Span) -> Happening:
    fields.only("kind", *WHERE_FIELDS, *JUMP_FIELDS, *ORDER_FIELDS)
    kind = fields.choice("kind", ("buy", "index", "sell"))
    fields.only("kind", *WHERE_FIELDS, *(JUMP_FIELDS if kind == "index" else ORDER_FIELDS))
    market_id, step = _where_and_when(fields, span)
    if kind == "index":
        whose = span.world.priced(market_id).spec.market_id
        if whose != market_id:
            raise fields.refuse("market", f"{whose}, whose index {market_id} has")
        return IndexJump(market_id, step, fields.integer("jump_ppm", -JUMP_PPM_MAX, 10 * PPM))
    most_s = (span.steps - step + 1) * span.step_us // SECOND_US
    slices = _steps(fields.integer("over_s", 0, most_s, 0), span.step_us)
    side = Side.BUY if kind == "buy" else Side.SELL
    return MarketShock(market_id, step, side, _lots(fields, span.world, market_id, slices), slices)


def _where_and_when(fields: Fields, span: Span) -> tuple[str, int]:
    """A market's id, and the first step that begins at or after `at_s`."""
    ids = [market.spec.market_id for market in span.world.markets]
    market_id = fields.choice("market", ids)
    most_s = (span.steps - 1) * span.step_us // SECOND_US
    return market_id, -(-fields.integer("at_s", 0, most_s) * SECOND_US // span.step_us) + 1


def _refuse_too_far_jumps(shocks: Sequence[tuple[Fields, Happening]]) -> None:
    """What all jumps of a market come to, in their order, is a number that prices are multiplied
    with."""
    scales_ppm: dict[str, int] = {}
    jumps = [(table, one) for table, one in shocks if isinstance(one, IndexJump)]
    for table, jump in sorted(jumps, key=lambda pair: pair[1].step):
        scale_ppm = scales_ppm.get(jump.market_id, PPM)
        scales_ppm[jump.market_id] = moved_scale_ppm(scale_ppm, jump.jump_ppm)
        if scales_ppm[jump.market_id] > SCALE_PPM_MAX:
            most = SCALE_PPM_MAX * PPM // scale_ppm - PPM
            times = SCALE_PPM_MAX // PPM
            allowed = f"{most} at most: all jumps together may multiply the index by {times}"
            raise table.refuse("jump_ppm", allowed)


def moved_scale_ppm(scale_ppm: int, jump_ppm: int) -> int:
    """What the reference price is multiplied with after another jump."""
    return max(1, scale_ppm * (PPM + jump_ppm) // PPM)


def _lots(fields: Fields, world: World, market_id: str, slices: int) -> int:
    spec = world.market(market_id).spec
    lots: Decimal = fields.decimal("quantity") / spec.lot_size
    if lots != int(lots) or not slices <= lots <= slices * spec.max_quantity_lots:
        most = slices * spec.max_quantity_lots * spec.lot_size
        allowed = f"a multiple of {spec.lot_size}, at least one a step, {most} at most"
        raise fields.refuse("quantity", allowed)
    return int(lots)


def _halt(fields: Fields, span: Span) -> list[Happening]:
    fields.only(*WHERE_FIELDS, *HALT_FIELDS)
    market_id, step = _where_and_when(fields, span)
    steps = _steps(fields.integer("for_s", 1, DURATION_S_MAX), span.step_us)
    named = fields.choice("status", ("CANCEL_ONLY", "HALTED")) if fields.has("status") else "HALTED"
    return [
        StatusChange(market_id, step, MarketStatus[named]),
        StatusChange(market_id, step + steps, MarketStatus.ACTIVE),
    ]


def _refuse_torn_candles(scenario: Scenario) -> None:
    """What is traded in a step is of one candle."""
    for place, population in enumerate(scenario.world.populations):
        terms = population.parameters
        if isinstance(terms, StrategyTerms) and terms.candle_s * SECOND_US % scenario.step_us:
            field = f"populations[{place}].parameters.candle_s"
            allowed = f"a multiple of the step, which is {scenario.step_us} µs"
            raise ScenarioError(f"{field}: found {terms.candle_s}, allowed is {allowed}", field)


def _refuse_too_large(scenario: Scenario) -> None:
    """What the numbers of a run have room for."""
    if scenario.steps > STEPS_MAX:
        found = f"found {scenario.steps} steps, allowed is {STEPS_MAX}"
        raise ScenarioError(f"duration_s: {found}", "duration_s")
    if scenario.accounts > ACCOUNTS_MAX:
        found = f"found {scenario.accounts} heads in all, allowed is {ACCOUNTS_MAX}"
        raise ScenarioError(f"populations: {found}", "populations")
    for place, population in enumerate(scenario.world.populations):
        if population.heads * population.capital_atoms > NOTIONAL_ATOMS_MAX:
            field = f"populations[{place}].capital"
            found = "all heads together have more than 2**62 atoms, allowed is less"
            raise ScenarioError(f"{field}: {found}", field)
    for place, market in enumerate(scenario.world.markets):
        spec = market.spec
        if spec.notional_atoms(spec.max_price_ticks, spec.max_quantity_lots) > NOTIONAL_ATOMS_MAX:
            field = f"markets[{place}].max_quantity"
            found = "an order of this size at the highest price is worth more than 2**62 atoms"
            raise ScenarioError(f"{field}: {found}, allowed is less", field)
