"""What a world is: its markets, their reference prices, who trades on them. Read from TOML text."""

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zlib import crc32

from sim.market import COLLATERAL, LEVERAGE_DEFAULT, QUANTITY_LOTS_MAX, MarketSpec
from sim.populations.crowd import StrategyKind
from sim.populations.population import Integers
from sim.populations.registry import STRATEGIES
from sim.prices.candle_path import CandlePrice
from sim.prices.news import HEADLINES_A_DAY_MAX
from sim.prices.processes import (
    STEP_US_DEFAULT,
    ConstantPrice,
    ReferencePrice,
    ReplayPrice,
    SyntheticPrice,
)
from sim.scenario.fields import Fields
from sim.scenario.fields import ScenarioError as ScenarioError
from sim.scenario.markets import (
    CandlePath,
    Constant,
    MarketDescription,
    Replay,
    Same,
    Synthetic,
    read_market,
    refuse_other_index,
    steps_of,
)
from sim.scenario.toml_text import toml_table
from sim.signals.bounds import TermsRefused
from sim.units import ATOMS_PER_UNIT, format_atoms

SEED_MAX = 2**63 - 1
HEADS_MAX = 10_000_000
LATENCY_US_DEFAULT = 50_000
LATENCY_US_MAX = 10_000_000
PAST_HOURS_DEFAULT, PAST_HOURS_MAX = 48, 168
WORLD_FIELDS = ("name", "seed", "steps_per_second", "markets", "populations")
DEPLOYMENT_FIELDS = ("chain", "past_hours", "news_a_day", "symbols", "agents")
POPULATION_FIELDS = ("name", "strategy", "heads", "capital", "markets", "parameters")
CARRIAGE_FIELDS = ("latency_us_min", "latency_us_max", "leverage", "inventory")

SYMBOL_PATTERN = r"[A-Z0-9]{2,12}/[A-Z0-9]{2,12}"

NAME_PATTERN = r"[a-z][a-z0-9-]{0,39}"


@dataclass(frozen=True)
class PopulationDescription:
    """Traders of one strategy.

    capital_atoms   what each trader begins with
    markets         ids, in the order of the population's views
    parameters      the dataclass of the strategy
    latency_us_min, latency_us_max   an order's way to a market in a simulation, uniform between
    leverage        of every order and position of perpetual markets
    inventory_lots  of each of `markets`, what a trader has of its base asset from the beginning: it
                    is part of the capital, at the first index; 0 in perpetual markets
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
    inventory_lots: tuple[int, ...] = ()

    @property
    def kind(self) -> StrategyKind:
        """What its strategy declares."""
        return STRATEGIES[self.strategy]


@dataclass(frozen=True)
class World:
    """Everything a deployment or a simulation begins with.

    has_chain    whether a deployment of it has a chain with pools beside its markets
    past_hours   how far back candles go on a deployment's first day; 0 for no past
    news_a_day   headlines of each asset whose index is synthetic, on average; 0 for none
    symbols      what signal agents call its perpetual markets, and which: BTC/USDT, BTC-PERP
    has_agents   whether a deployment of it has signal agents, who look at all symbols
    """

    name: str
    seed: int
    steps_per_second: int
    markets: tuple[MarketDescription, ...]
    populations: tuple[PopulationDescription, ...]
    has_chain: bool = False
    past_hours: int = 0
    news_a_day: int = 0
    symbols: tuple[tuple[str, str], ...] = ()
    has_agents: bool = False

    def market(self, market_id: str) -> MarketDescription:
        """A market by its id; KeyError if it is not in this world."""
        return {market.spec.market_id: market for market in self.markets}[market_id]

    def priced(self, market_id: str) -> MarketDescription:
        """The market whose price process makes a market's index: itself, or the one it follows."""
        market = self.market(market_id)
        return self.market(market.price.market_id) if isinstance(market.price, Same) else market


def parse_world(text: str) -> World:
    """A world from TOML text. Raises ScenarioError."""
    with toml_table(text, "a world") as table:
        fields = Fields(table)
        fields.only(*WORLD_FIELDS, *DEPLOYMENT_FIELDS)
        world = read_world(fields)
        world = dataclasses.replace(
            world,
            has_chain=fields.flag("chain", False),
            past_hours=fields.integer("past_hours", 0, PAST_HOURS_MAX, PAST_HOURS_DEFAULT),
            news_a_day=fields.integer("news_a_day", 0, HEADLINES_A_DAY_MAX, 0),
            symbols=_symbols(fields.table("symbols"), world.markets),
            has_agents=fields.flag("agents", False),
        )
    for place, market in enumerate(world.markets):
        _refuse_quote(place, market.spec.quote_asset, COLLATERAL)
        if isinstance(market.price, CandlePath):
            path = f"markets[{place}].price.process"
            raise ScenarioError(f"{path}: found 'candles', allowed is one that goes on", path)
    for place, population in enumerate(world.populations):
        if not population.kind.is_for_worlds:
            field = f"populations[{place}].strategy"
            found = f"found {population.strategy!r}, which there is in simulations alone"
            raise ScenarioError(f"{field}: {found}; a world has agents = true", field)
    return world


def read_world(fields: Fields, least_populations: int = 0) -> World:
    """What a world and a simulation have in common: WORLD_FIELDS."""
    name = fields.text("name", NAME_PATTERN, "lower-case letters, digits and hyphens")
    seed = fields.integer("seed", 0, SEED_MAX)
    steps_per_second = fields.integer("steps_per_second", 1, 50, 5)
    markets = tuple(read_market(table) for table in fields.tables("markets", least=1))
    ids = [market.spec.market_id for market in markets]
    _refuse_doubles("markets", "id", ids)
    for place, market in enumerate(markets):
        _refuse_quote(place, market.spec.quote_asset, markets[0].spec.quote_asset)
        refuse_other_index(place, market, markets)
    specs = {market.spec.market_id: market.spec for market in markets}
    populations = tuple(
        _population(table, specs) for table in fields.tables("populations", least_populations)
    )
    _refuse_doubles("populations", "name", [population.name for population in populations])
    world = World(name, seed, steps_per_second, markets, populations)
    refuse_dear_inventories(world, known_first_ticks(world))
    return world


def _symbols(fields: Fields, markets: tuple[MarketDescription, ...]) -> tuple[tuple[str, str], ...]:
    """A position is LONG or SHORT, so each names a perpetual market, and no two the same."""
    names = fields.names()
    fields.only(*names)
    perpetual = [one.spec.market_id for one in markets if not one.spec.is_spot]
    found: dict[str, str] = {}
    for name in names:
        if not re.fullmatch(SYMBOL_PATTERN, name, re.ASCII):
            raise fields.error(name, "allowed is a name such as BTC/USDT")
        market_id = fields.choice(name, perpetual)
        if market_id in found.values():
            raise fields.refuse(name, "a market that no other symbol names")
        found[name] = market_id
    return tuple(found.items())


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
    minutes: Integers | None = None,
) -> ReferencePrice:
    """The price process of a market.

    trades    of a Replay: times in µs and prices in ticks, int64 arrays of one length ≥ 1
    minutes   of a CandlePath: as CandlePrice takes them
    """
    priced = world.priced(market_id)
    market_id, price = priced.spec.market_id, priced.price
    if isinstance(price, Replay):
        assert trades is not None, "a replay needs its trades"
        return ReplayPrice(*trades, price.loop, step_us=step_us)
    if isinstance(price, CandlePath):
        assert minutes is not None, "a path of candles needs its candles"
        return CandlePrice(minutes, step_us=step_us)
    if isinstance(price, Constant):
        return ConstantPrice(price.price_ticks)
    assert isinstance(price, Synthetic), "who is followed follows nobody"
    return SyntheticPrice(
        price_seed(world.seed, market_id),
        price.start_ticks,
        step_us=step_us,
        volatility_ppm_per_year=price.volatility_ppm_per_year,
        reversion_us=price.reversion_us,
        max_price_ticks=world.market(market_id).spec.max_price_ticks,
    )


def refuse_dear_inventories(world: World, first_ticks: Mapping[str, int]) -> None:
    """Raises ScenarioError where a trader's inventory is worth more than its capital.

    first_ticks   the first index of each market whose is known
    """
    for place, population in enumerate(world.populations):
        worth = inventory_atoms(world, population, first_ticks)
        if worth > population.capital_atoms:
            field = f"populations[{place}].inventory"
            raise ScenarioError(
                f"{field}: worth {format_atoms(worth)} at the first index, allowed is the capital,"
                f" {format_atoms(population.capital_atoms)}, of which it is a part",
                field,
            )


def known_first_ticks(world: World) -> dict[str, int]:
    """The first index of each market, save those of recorded trades that nobody has read."""
    found = {}
    for market in world.markets:
        price = world.priced(market.spec.market_id).price
        if isinstance(price, Synthetic):
            found[market.spec.market_id] = price.start_ticks
        elif isinstance(price, Constant):
            found[market.spec.market_id] = price.price_ticks
    return found


def inventory_atoms(
    world: World, population: PopulationDescription, first_ticks: Mapping[str, int]
) -> int:
    """What the inventory of one trader is worth at the first index."""
    return sum(
        world.market(market_id).spec.notional_atoms(first_ticks.get(market_id, 0), lots)
        for market_id, lots in zip(population.markets, population.inventory_lots, strict=True)
    )


def price_seed(seed: int, market_id: str) -> int:
    """A seed of its own for each market of a world, below 2**64."""
    return seed ^ (crc32(market_id.encode()) << 32)


def _population(fields: Fields, specs: dict[str, MarketSpec]) -> PopulationDescription:
    fields.only(*POPULATION_FIELDS, *CARRIAGE_FIELDS)
    strategy = fields.choice("strategy", tuple(STRATEGIES))
    kind = STRATEGIES[strategy]
    markets = fields.choices("markets", list(specs))
    lent = [specs[market_id] for market_id in markets if not specs[market_id].is_spot]
    if not kind.trades_spot:
        _refuse_spot_alone(fields, lent)
    highest = min((spec.max_leverage for spec in lent), default=1)
    usual = min((spec.default_leverage for spec in lent), default=1)
    return PopulationDescription(
        name=fields.text("name", NAME_PATTERN, "lower-case letters, digits and hyphens"),
        strategy=strategy,
        heads=fields.integer("heads", 1, kind.heads_max or HEADS_MAX),
        capital_atoms=amount_atoms(fields, "capital"),
        markets=markets,
        parameters=_parameters(fields.table("parameters"), kind),
        latency_us_min=(least := fields.integer("latency_us_min", 0, LATENCY_US_MAX, 0)),
        latency_us_max=fields.integer(
            "latency_us_max", least, LATENCY_US_MAX, max(least, LATENCY_US_DEFAULT)
        ),
        leverage=fields.integer("leverage", 1, highest, usual),
        inventory_lots=_inventory(fields.table("inventory"), [specs[one] for one in markets]),
    )


def _refuse_spot_alone(fields: Fields, lent: list[MarketSpec]) -> None:
    """Of those who trade perpetual markets only."""
    if not lent:
        raise fields.refuse("markets", "at least one perpetual market among them")
    if fields.has("inventory"):
        raise fields.refuse("inventory", "none, for they only look at spot markets")


def _parameters(fields: Fields, kind: StrategyKind) -> Any:
    """Of a strategy. A table that it reads by itself has as many faults as there are; the first is
    told."""
    if kind.read is None:
        return fields.parameters(kind.parameters)
    fields.only(*(field.name for field in dataclasses.fields(kind.parameters)))
    try:
        return kind.read(fields.whole())
    except TermsRefused as refused:
        path, sentence = refused.faults[0]
        raise fields.error(path, sentence.removeprefix(path).strip().rstrip(".")) from refused


def _inventory(fields: Fields, specs: list[MarketSpec]) -> tuple[int, ...]:
    """Lots of each market's base asset, by the ids of the spot markets."""
    fields.only(*(spec.market_id for spec in specs if spec.is_spot))
    return tuple(
        steps_of(fields, spec.market_id, spec.lot_size, QUANTITY_LOTS_MAX)
        if spec.is_spot and fields.has(spec.market_id)
        else 0
        for spec in specs
    )


def amount_atoms(fields: Fields, name: str) -> int:
    """A positive amount of money."""
    atoms = fields.decimal(name) * ATOMS_PER_UNIT
    if atoms != int(atoms):
        raise fields.refuse(name, "an amount of at most six decimals")
    return int(atoms)


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
