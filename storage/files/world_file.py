"""Finds and reads worlds: those that ship with the package, and files."""

from collections.abc import Mapping
from pathlib import Path

import sim.scenario.world
from sim.folding import upper
from sim.market import MarketSpec
from sim.prices.processes import STEP_US_DEFAULT, Integers, ReferencePrice
from sim.scenario.fields import ScenarioError
from sim.scenario.lines import line_of
from sim.scenario.markets import CandlePath, Replay
from sim.scenario.world import (
    World,
    parse_world,
    reference_price,
    refuse_dear_inventories,
    with_replay,
)
from storage.files.trades_file import TradesFileError, read_trades
from storage.regular_file import followed, open_regular

NO_CANDLES: Mapping[str, Integers] = {}
SHIPPED_DIRECTORY = Path(sim.scenario.world.__file__).parents[1] / "worlds"
WORLD_BYTES_MAX = 1_000_000
ELSEWHERE = "walks candles, which only a backtest that the exchange is asked for brings with it"


def shipped_worlds() -> list[str]:
    """The names that need no file."""
    return sorted(path.stem for path in SHIPPED_DIRECTORY.glob("*.toml"))


def load_world(name_or_path: str) -> World:
    """A shipped world by its name, or one from a file. Raises ScenarioError, one sentence."""
    if name_or_path in shipped_worlds():
        path = SHIPPED_DIRECTORY / f"{name_or_path}.toml"
    else:
        path = Path(name_or_path)
    text = ""
    try:
        text = _text(path)
        return _with_absolute_files(parse_world(text), path.parent)
    except ScenarioError as error:
        if error.field == "duration_s":
            error = ScenarioError("a scenario and not a world: sandpit simulate runs it")
        raise about_file(path, text, error) from error


def shipped_world_text(name: str) -> str:
    """The text of a world that ships. Raises ScenarioError."""
    return _text(SHIPPED_DIRECTORY / f"{name}.toml")


def about_file(path: Path, text: str, error: ScenarioError) -> ScenarioError:
    """The same error of a file with this text: its name, and the line where that is known."""
    line = line_of(text, error.field)
    where = f"{path}, line {line}" if line else str(path)
    return ScenarioError(f"{where}: {error}.", error.field)


def replayed(world: World, trades_file: Path, loop: bool = True) -> World:
    """The world with a market's index from recorded trades.

    The market is the one whose base asset the file's name begins with, as in
    BTCUSDT-trades-2024-08-08.csv.gz; the first, where none does.
    """
    name = upper(trades_file.name)
    specs = [market.spec for market in world.markets]
    spec = next((spec for spec in specs if name.startswith(spec.base_asset)), specs[0])
    priced = world.priced(spec.market_id).spec
    return with_replay(world, priced.market_id, Replay(str(followed(trades_file)), loop))


def reference_prices(
    world: World, step_us: int = STEP_US_DEFAULT, candles: Mapping[str, Integers] = NO_CANDLES
) -> list[tuple[MarketSpec, ReferencePrice]]:
    """Every market and its price process, replays read. Raises TradesFileError, and ScenarioError
    where recorded prices make an inventory too dear.

    candles   of markets whose process walks them, by id: as CandlePrice takes them
    """
    prices = [
        (market.spec, _reference_price(world, market.spec, step_us, candles))
        for market in world.markets
    ]
    refuse_dear_inventories(world, {spec.market_id: price.price_ticks for spec, price in prices})
    return prices


def _reference_price(
    world: World, spec: MarketSpec, step_us: int, candles: Mapping[str, Integers]
) -> ReferencePrice:
    priced = world.priced(spec.market_id)
    price = priced.price
    if isinstance(price, CandlePath):
        minutes = candles.get(priced.spec.market_id)
        if minutes is None:
            raise TradesFileError(f"{priced.spec.market_id} {ELSEWHERE}.")
        return reference_price(world, spec.market_id, step_us=step_us, minutes=minutes)
    if not isinstance(price, Replay):
        return reference_price(world, spec.market_id, step_us=step_us)
    if not price.file:
        raise TradesFileError(
            f"{priced.spec.market_id} replays trades: name them with --replay FILE."
        )
    trades = read_trades(Path(price.file), spec.tick_size)
    recorded = (trades.times_us, trades.prices_ticks)
    return reference_price(world, spec.market_id, recorded, step_us)


def _text(path: Path) -> str:
    try:
        with open_regular(path) as file:
            content = file.read(WORLD_BYTES_MAX + 1)
        if len(content) > WORLD_BYTES_MAX:
            raise ScenarioError(f"larger than {WORLD_BYTES_MAX} bytes")
        return content.decode()
    except FileNotFoundError as error:
        known = ", ".join(shipped_worlds())
        raise ScenarioError(f"no such file, and not one of the worlds {known}") from error
    except (OSError, UnicodeDecodeError) as error:
        said = getattr(error, "strerror", None) or str(error)
        raise ScenarioError(f"cannot be read: {said}") from error


def _with_absolute_files(world: World, directory: Path) -> World:
    """Trades files are named relative to the world's own file."""
    for market in world.markets:
        if isinstance(market.price, Replay) and market.price.file:
            file = str(followed(directory / market.price.file))
            world = with_replay(world, market.spec.market_id, Replay(file, market.price.loop))
    return world
