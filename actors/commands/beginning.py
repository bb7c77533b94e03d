"""What a deployment begins with: its world, read with all its files, and its markets' past."""

from collections.abc import Sequence
from dataclasses import dataclass

from sim.market import MarketSpec
from sim.past.history import past_minutes
from sim.prices.headlines import GivenNews, News
from sim.prices.news import SeededNews
from sim.prices.processes import ReferencePrice
from sim.scenario.markets import Synthetic
from sim.scenario.world import World
from storage.files.headlines_file import read_headlines
from storage.files.world_file import load_world, reference_prices, replayed
from storage.market.past import has_lived, write_past
from storage.postgres.database import connect, now_us
from storage.postgres.database_roles import DatabaseUrls
from storage.settings import Settings

Prices = Sequence[tuple[MarketSpec, ReferencePrice]]
"""Every market of a world and the process that its index comes from."""


@dataclass(frozen=True)
class Beginning:
    """A world as it has been read before anything is started, with its files."""

    world: World
    prices: Prices
    news: News


def read_beginning(settings: Settings) -> Beginning:
    """The world that is to run. Raises ScenarioError, TradesFileError, HeadlinesFileError."""
    world = load_world(settings.world)
    if settings.replay is not None:
        world = replayed(world, settings.replay, settings.replay_loops)
    return Beginning(world, reference_prices(world), news_of(settings, world))


def news_of(settings: Settings, world: World) -> News:
    """The headlines of a file, or the world's own: of assets whose index they can move."""
    if settings.headlines is not None:
        return GivenNews(read_headlines(settings.headlines))
    moved = {
        market.spec.base_asset for market in world.markets if isinstance(market.price, Synthetic)
    }
    return SeededNews(world.seed, sorted(moved), world.news_a_day)


def give_past(urls: DatabaseUrls, beginning: Beginning) -> str:
    """Candles from before the first day, where it is the first: what there is to tell of them."""
    world = beginning.world
    with connect(urls.owner, "founding") as connection:
        if not world.past_hours or has_lived(connection):
            return ""
        minutes = past_minutes(world, beginning.news, now_us())
        write_past(connection, minutes)
    without = [one.spec.market_id for one in world.markets if one.spec.market_id not in minutes]
    if not without:
        return ""
    return f"  no past: {', '.join(without)}, which begin with the first recorded trade"
