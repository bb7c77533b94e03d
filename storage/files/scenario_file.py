"""Finds and reads scenarios: those that ship with the package, and files."""

import dataclasses
import hashlib
from collections.abc import Mapping
from functools import partial
from itertools import takewhile
from pathlib import Path

import sim.scenario.world
from sim.prices.processes import Integers, ReferencePrice
from sim.scenario.fields import ScenarioError
from sim.scenario.markets import Replay
from sim.scenario.scenario import Scenario, parse_scenario
from sim.scenario.world import with_replay
from storage.files.trades_file import TradesFileError
from storage.files.world_file import NO_CANDLES, about_file, reference_prices, replayed
from storage.regular_file import followed, open_regular

SHIPPED_DIRECTORY = Path(sim.scenario.world.__file__).parents[1] / "scenarios"
SCENARIO_BYTES_MAX = 1_000_000
DIGEST = partial(hashlib.blake2b, digest_size=16)


def shipped_scenarios() -> list[str]:
    """The names that need no file."""
    return sorted(path.stem for path in SHIPPED_DIRECTORY.glob("*.toml"))


def about_scenarios() -> list[tuple[str, str]]:
    """Each of them and its first sentence, as the comment at its head says it."""
    return [(name, _first_sentence(name)) for name in shipped_scenarios()]


def _first_sentence(name: str) -> str:
    lines = (SHIPPED_DIRECTORY / f"{name}.toml").read_text().split("\n")
    head = " ".join(line.removeprefix("#").strip() for line in takewhile(is_remark, lines))
    sentence, _, _ = head.partition(". ")
    return sentence.rstrip(".") + "."


def is_remark(line: str) -> bool:
    """A comment of TOML that says something."""
    return line.startswith("#") and line.strip() != "#"


def load_scenario(
    name_or_path: str,
    seed: int | None = None,
    duration_s: int | None = None,
    record: str | None = None,
    replay: Path | None = None,
) -> Scenario:
    """A shipped scenario by its name, or one from a file. Raises ScenarioError, one sentence.

    replay   recorded trades that take the place of a market's reference price: see `replayed`
    """
    shipped = name_or_path in shipped_scenarios()
    path = SHIPPED_DIRECTORY / f"{name_or_path}.toml" if shipped else Path(name_or_path)
    text = ""
    try:
        text = _text(path)
        scenario = parse_scenario(text, seed, duration_s, record)
        if replay is not None:
            world = replayed(scenario.world, replay)
            scenario = dataclasses.replace(scenario, world=world)
        return with_absolute_files(scenario, path.parent)
    except ScenarioError as error:
        raise about_file(path, text, error) from error


def scenario_prices(
    scenario: Scenario, candles: Mapping[str, Integers] = NO_CANDLES
) -> list[ReferencePrice]:
    """The price process of every market, replays read. Raises ScenarioError.

    candles   as `reference_prices` takes them
    """
    world, step_us = scenario.world, scenario.step_us
    try:
        return [price for _, price in reference_prices(world, step_us, candles)]
    except TradesFileError as error:
        raise ScenarioError(str(error)) from error


def _text(path: Path) -> str:
    try:
        with open_regular(path) as file:
            content = file.read(SCENARIO_BYTES_MAX + 1)
    except FileNotFoundError as error:
        known = ", ".join(shipped_scenarios())
        raise ScenarioError(f"no such file, and not one of the scenarios {known}") from error
    except OSError as error:
        raise ScenarioError(f"cannot be read: {error.strerror}") from error
    if len(content) > SCENARIO_BYTES_MAX:
        raise ScenarioError(f"larger than {SCENARIO_BYTES_MAX} bytes")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise ScenarioError(f"cannot be read: {error}") from error


def digest_of(file: Path) -> str:
    """What tells its content apart, 32 hex digits; "" where it cannot be read: whoever wants its
    trades says why."""
    try:
        with open_regular(file) as content:
            return hashlib.file_digest(content, DIGEST).hexdigest()
    except OSError:
        return ""


def with_absolute_files(scenario: Scenario, directory: Path) -> Scenario:
    """Trades files are named relative to the scenario's own file, and what they hold belongs to
    what it is. Raises ScenarioError."""
    world = scenario.world
    for place, market in enumerate(world.markets):
        if isinstance(market.price, Replay):
            if not market.price.file:
                raise ScenarioError(
                    f"markets[{place}].price.file: found nothing, allowed is a file of recorded"
                    " trades: name it with --replay TRADES.csv"
                )
            file = followed(directory / market.price.file)
            price = Replay(str(file), market.price.loop, digest_of(file))
            world = with_replay(world, market.spec.market_id, price)
    return dataclasses.replace(scenario, world=world)
