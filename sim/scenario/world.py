"""What a world is: its markets, their reference prices, who trades on them. Read from TOML text."""

import dataclasses
import tomllib
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain
from typing import Any
from zlib import crc32

from sim.market import (
    COLLATERAL,
    LEVERAGE_DEFAULT,
    MARKET_ID_PATTERN,
    QUANTITY_LOTS_MAX,
    MarketSpec,
)
from sim.populations.crowd import StrategyKind
from sim.populations.population import Integers
from sim.populations.registry import STRATEGIES
from sim.prices.processes import (
    STEP_US_DEFAULT,
    YEAR_US,
    ConstantPrice,
    ReferencePrice,
    ReplayPrice,
    SyntheticPrice,
)
from sim.scenario.fields import Fields
from sim.scenario.fields import ScenarioError as ScenarioError
from sim.units import ATOMS_PER_UNIT, PPM

SEED_MAX = 2**63 - 1
HEADS_MAX = 10_000_000
PRICE_TICKS_MAX = 2**31 - 1
SECOND_US = 1_000_000
REVERSION_S_DEFAULT = 129_600
LATENCY_US_DEFAULT = 50_000
LATENCY_US_MAX = 10_000_000
WORLD_FIELDS = ("name", "seed", "steps_per_second", "markets", "populations")
SIZES = ("tick_size", "lot_size", "max_quantity")
MARKET_FIELDS = ("id", "base", "quote", *SIZES, "price")
PRICE_FIELDS = {
    "synthetic": ("start", "volatility_ppm_per_year", "reversion_s"),
    "constant": ("price",),
    "replay": ("file", "loop"),
}
"""Of each price process, besides its name."""

POPULATION_FIELDS = ("name", "strategy", "heads", "capital", "markets", "parameters")
CARRIAGE_FIELDS = ("latency_us_min", "latency_us_max", "leverage")

NAME_PATTERN = r"[a-z][a-z0-9-]{0,39}"
ASSET_PATTERN = r"[A-Z0-9]{2,12}"


@dataclass(frozen=True)
class Synthetic:
    """A seeded synthetic process (sim.prices.processes.SyntheticPrice)."""

    start_ticks: int
    volatility_ppm_per_year: int
    reversion_us: int


@dataclass(frozen=True)
class Constant:
    """One price for ever."""

    price_ticks: int


@dataclass(frozen=True)
class Replay:
    """The trades of a file, read by whoever runs the world; "" where that one must name it.

    digest   tells files of other content apart; "" where nobody has looked
    """

    file: str
    loop: bool
    digest: str = ""


PriceProcess = Synthetic | Constant | Replay


@dataclass(frozen=True)
class MarketDescription:
    """A market and where its index comes from."""

    spec: MarketSpec
    price: PriceProcess


@dataclass(frozen=True)
class PopulationDescription:
    """Traders of one strategy.

    capital_atoms   what each trader begins with
    markets         ids, in the order of the population's views
    parameters      the dataclass of the strategy
    latency_us_min, latency_us_max   an order's way to a market in a simulation, uniform between
    leverage        of every order and position
    """

    name: str
    strategy: str
    heads: int
    capital_atoms: int
    markets: tuple[str, ...]
    parameters: Any
    latency_us_min: int = 0
    latency_us_max: int = LATENCY_US_DEFAULT
    leverage: int = LEVERAGE_DEFAULT

    @property
    def kind(self) -> StrategyKind:
        """What its strategy declares."""
        return STRATEGIES[self.strategy]


@dataclass(frozen=True)
class World:
    """Everything a deployment or a simulation begins with."""

    name: str
    seed: int
    steps_per_second: int
    markets: tuple[MarketDescription, ...]
    populations: tuple[PopulationDescription, ...]

    def market(self, market_id: str) -> MarketDescription:
        """A market by its id; KeyError if it is not in this world."""
        return {market.spec.market_id: market for market in self.markets}[market_id]


def parse_world(text: str) -> World:
    """A world from TOML text. Raises ScenarioError."""
    fields = fields_of(text)
    fields.only(*WORLD_FIELDS)
    world = read_world(fields)
    for place, market in enumerate(world.markets):
        _refuse_quote(place, market.spec.quote_asset, COLLATERAL)
    return world


def fields_of(text: str) -> Fields:
    """The fields of TOML text. Raises ScenarioError."""
    try:
        return Fields(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"not TOML: {error}") from error


def read_world(fields: Fields, least_populations: int = 0) -> World:
    """What a world and a simulation have in common: WORLD_FIELDS."""
    name = fields.text("name", NAME_PATTERN, "lower-case letters, digits and hyphens")
    seed = fields.integer("seed", 0, SEED_MAX)
    steps_per_second = fields.integer("steps_per_second", 1, 50, 5)
    markets = tuple(_market(table) for table in fields.tables("markets", least=1))
    ids = [market.spec.market_id for market in markets]
    _refuse_doubles("markets", "id", ids)
    for place, market in enumerate(markets):
        _refuse_quote(place, market.spec.quote_asset, markets[0].spec.quote_asset)
    specs = {market.spec.market_id: market.spec for market in markets}
    populations = tuple(
        _population(table, specs) for table in fields.tables("populations", least_populations)
    )
    _refuse_doubles("populations", "name", [population.name for population in populations])
    return World(name, seed, steps_per_second, markets, populations)


def with_replay(world: World, market_id: str, replay: Replay) -> World:
    """The same world with the index of one market taken from recorded trades."""
    markets = tuple(
        dataclasses.replace(market, price=replay) if market.spec.market_id == market_id else market
        for market in world.markets
    )
    return dataclasses.replace(world, markets=markets)


def reference_price(
    world: World,
    market_id: str,
    trades: tuple[Integers, Integers] | None = None,
    step_us: int = STEP_US_DEFAULT,
) -> ReferencePrice:
    """The price process of a market.

    trades   of a Replay: times in µs and prices in ticks, int64 arrays of one length ≥ 1
    """
    price = world.market(market_id).price
    if isinstance(price, Replay):
        assert trades is not None, "a replay needs its trades"
        return ReplayPrice(*trades, price.loop, step_us=step_us)
    if isinstance(price, Constant):
        return ConstantPrice(price.price_ticks)
    return SyntheticPrice(
        price_seed(world.seed, market_id),
        price.start_ticks,
        step_us=step_us,
        volatility_ppm_per_year=price.volatility_ppm_per_year,
        reversion_us=price.reversion_us,
        max_price_ticks=world.market(market_id).spec.max_price_ticks,
    )


def price_seed(seed: int, market_id: str) -> int:
    """A seed of its own for each market of a world, below 2**64."""
    return seed ^ (crc32(market_id.encode()) << 32)


def _market(fields: Fields) -> MarketDescription:
    fields.only(*MARKET_FIELDS, *SPEC_OPTIONS)
    spec = _spec(fields)
    price = _price(fields.table("price"), spec)
    return MarketDescription(spec, price)


def _spec(fields: Fields) -> MarketSpec:
    market_id = fields.text("id", MARKET_ID_PATTERN, "a name such as BTC-PERP")
    base = fields.text("base", ASSET_PATTERN, "an asset such as BTC")
    quote = fields.text("quote", ASSET_PATTERN, f"an asset such as {COLLATERAL}")
    tick_size, lot_size = fields.decimal("tick_size"), fields.decimal("lot_size")
    max_quantity_lots = _steps(fields, "max_quantity", lot_size, QUANTITY_LOTS_MAX)
    options = {
        name: fields.integer(name, minimum, maximum, getattr(MarketSpec, name))
        for name, (minimum, maximum) in SPEC_OPTIONS.items()
    }
    try:
        return MarketSpec(market_id, base, quote, tick_size, lot_size, max_quantity_lots, **options)
    except ValueError as error:
        allowed = "a size that makes tick × lot a whole number of millionths of the quote asset"
        raise fields.refuse("tick_size", allowed) from error


SPEC_OPTIONS = {
    "max_leverage": (1, 125),
    "initial_margin_ppm": (1, PPM),
    "maintenance_margin_ppm": (1, PPM),
    "maker_fee_ppm": (-PPM // 100, PPM // 10),
    "taker_fee_ppm": (0, PPM // 10),
    "funding_interval_hours": (1, 24),
    "funding_cap_ppm": (0, PPM // 10),
    "price_band_ppm": (1, PPM - 1),
}
"""Fields of a MarketSpec that a scenario may leave to their defaults, and their ranges."""


def _price(fields: Fields, spec: MarketSpec) -> PriceProcess:
    fields.only("process", *chain(*PRICE_FIELDS.values()))
    process = fields.choice("process", PRICE_FIELDS)
    fields.only("process", *PRICE_FIELDS[process])
    price: PriceProcess
    if process == "synthetic":
        price = _synthetic(fields, spec)
    elif process == "constant":
        price = Constant(_steps(fields, "price", spec.tick_size, PRICE_TICKS_MAX))
    else:
        file = fields.text("file", r".{1,4096}", "a file name") if fields.has("file") else ""
        price = Replay(file, fields.flag("loop", True))
    return price


def _synthetic(fields: Fields, spec: MarketSpec) -> Synthetic:
    return Synthetic(
        _steps(fields, "start", spec.tick_size, PRICE_TICKS_MAX // 10),
        fields.integer("volatility_ppm_per_year", 0, 10 * PPM, PPM // 2),
        fields.integer("reversion_s", 1, YEAR_US // SECOND_US, REVERSION_S_DEFAULT) * SECOND_US,
    )


def _population(fields: Fields, specs: dict[str, MarketSpec]) -> PopulationDescription:
    fields.only(*POPULATION_FIELDS, *CARRIAGE_FIELDS)
    strategy = fields.choice("strategy", tuple(STRATEGIES))
    markets = fields.choices("markets", list(specs))
    highest = min(specs[market_id].max_leverage for market_id in markets)
    usual = min(specs[market_id].default_leverage for market_id in markets)
    return PopulationDescription(
        name=fields.text("name", NAME_PATTERN, "lower-case letters, digits and hyphens"),
        strategy=strategy,
        heads=fields.integer("heads", 1, HEADS_MAX),
        capital_atoms=amount_atoms(fields, "capital"),
        markets=markets,
        parameters=fields.table("parameters").parameters(STRATEGIES[strategy].parameters),
        latency_us_min=(least := fields.integer("latency_us_min", 0, LATENCY_US_MAX, 0)),
        latency_us_max=fields.integer(
            "latency_us_max", least, LATENCY_US_MAX, max(least, LATENCY_US_DEFAULT)
        ),
        leverage=fields.integer("leverage", 1, highest, usual),
    )


def amount_atoms(fields: Fields, name: str) -> int:
    """A positive amount of money."""
    atoms = fields.decimal(name) * ATOMS_PER_UNIT
    if atoms != int(atoms):
        raise fields.refuse(name, "an amount of at most six decimals")
    return int(atoms)


def _steps(fields: Fields, name: str, step: Decimal, most: int) -> int:
    """A decimal as a whole number of steps from 1 to `most`."""
    steps = fields.decimal(name) / step
    if steps != int(steps) or not 1 <= steps <= most:
        raise fields.refuse(name, f"a multiple of {step}, {most * step} at most")
    return int(steps)


def _refuse_quote(place: int, found: str, settled: str) -> None:
    """An account has one asset, in which all of its markets settle."""
    if found != settled:
        raise ScenarioError(
            f"markets[{place}].quote: found {found!r}, allowed is {settled!r}, in which all"
            f" accounts are held"
        )


def _refuse_doubles(name: str, field: str, values: list[str]) -> None:
    for place, value in enumerate(values):
        if value in values[:place]:
            path = f"{name}[{place}].{field}"
            raise ScenarioError(f"{path}: found {value!r}, allowed is one no other has", path)
