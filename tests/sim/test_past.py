"""The past of a world: seeded, without a jump to where its processes begin, with a calm volume."""

from dataclasses import replace

import numpy as np
import pytest

from sim.money.candles import MINUTE_US, Candle
from sim.past.history import past_minutes
from sim.prices.headlines import GivenNews
from sim.prices.news import SeededNews
from sim.scenario.markets import Constant, Replay
from sim.scenario.world import ScenarioError, World, parse_world, with_replay
from storage.files.world_file import load_world

NOW_US = 1_767_225_600_000_000 + 3 * MINUTE_US + 17_000_000
SILENCE = GivenNews()


@pytest.fixture(scope="module")
def world() -> World:
    return load_world("default")


def columns(minutes: dict[int, Candle]) -> np.ndarray:
    return np.array([list(vars(candle).values()) for candle in minutes.values()])


def test_every_market_has_two_days_of_minutes_that_lead_to_its_first_index(world: World) -> None:
    past = past_minutes(world, SILENCE, NOW_US)
    assert list(past) == [market.spec.market_id for market in world.markets]
    end_us = NOW_US - NOW_US % MINUTE_US
    for market_id, minutes in past.items():
        assert list(minutes) == list(range(end_us - 48 * 60 * MINUTE_US, end_us, MINUTE_US))
        opened, high, low, close, lots, paid, trades = columns(dict(minutes)).T
        assert close[-1] == {"BTC": 660_000, "ETH": 350_000}[market_id[:3]]
        assert (opened[1:] == close[:-1]).all()
        assert (high >= np.maximum(opened, close)).all()
        assert (low <= np.minimum(opened, close)).all()
        assert len(set(close.tolist())) > 1_000
        assert (lots >= trades).all()
        assert trades.min() >= 1
        per_lot = paid // lots
        spec = world.market(market_id).spec
        assert (per_lot >= low * spec.atoms_per_tick_lot).all()
        assert (per_lot <= high * spec.atoms_per_tick_lot).all()
        assert 400e9 < paid.mean() < 550e9


def test_the_same_seed_has_the_same_past_and_another_one_another(world: World) -> None:
    news = SeededNews(world.seed, ("BTC", "ETH"), world.news_a_day)
    first = past_minutes(world, news, NOW_US)
    assert past_minutes(world, news, NOW_US + 5_000_000) == first
    other = past_minutes(replace(world, seed=2), SILENCE, NOW_US)
    assert other["BTC-PERP"] != past_minutes(world, SILENCE, NOW_US)["BTC-PERP"]


def test_a_market_that_follows_another_has_its_prices_and_a_volume_of_its_own(
    world: World,
) -> None:
    past = past_minutes(world, SILENCE, NOW_US)
    perpetual, spot = (columns(dict(past[name])) for name in ("BTC-PERP", "BTC_USDC"))
    assert (perpetual[:, :4] == spot[:, :4]).all()
    assert (perpetual[:, 5] != spot[:, 5]).any()


def test_news_has_moved_the_past_as_it_moves_the_living_index(world: World) -> None:
    news = SeededNews(world.seed, ("BTC", "ETH"), world.news_a_day)
    moved = columns(dict(past_minutes(world, news, NOW_US)["BTC-PERP"]))[:, 3]
    still = columns(dict(past_minutes(world, SILENCE, NOW_US)["BTC-PERP"]))[:, 3]
    end_us = NOW_US - NOW_US % MINUTE_US
    closes_us = end_us - MINUTE_US * np.arange(len(still) - 1, -1, -1)
    expected = still + still * news.moves_ppm("BTC", closes_us) // 1_000_000
    assert moved.tolist() == expected.tolist()
    assert moved.tolist() != still.tolist()


def test_a_replay_and_who_follows_it_have_no_past(world: World) -> None:
    replayed = with_replay(world, "BTC-PERP", Replay("trades.csv", True))
    assert set(past_minutes(replayed, SILENCE, NOW_US)) == {"ETH-PERP", "ETH_USDC"}


def test_a_constant_price_was_always_the_same_and_knows_no_news(world: World) -> None:
    first, *others = world.markets
    constant = replace(world, markets=(replace(first, price=Constant(5)), *others), past_hours=1)
    news = SeededNews(1, ("BTC",), 1_440)
    prices = columns(dict(past_minutes(constant, news, NOW_US)["BTC-PERP"]))[:, :4]
    assert prices.shape == (60, 4)
    assert (prices == 5).all()


def test_a_world_says_how_much_past_and_news_it_has() -> None:
    text = """
    name = "mine"
    seed = 1
    {}
    [[markets]]
    id = "SOL-PERP"
    base = "SOL"
    quote = "USDC"
    tick_size = "0.1"
    lot_size = "0.01"
    max_quantity = "1000"
    price = {{ process = "constant", price = "100" }}
    """
    unsaid = parse_world(text.format(""))
    assert (unsaid.past_hours, unsaid.news_a_day) == (48, 0)
    assert past_minutes(parse_world(text.format("past_hours = 0")), SILENCE, NOW_US) == {}
    assert load_world("quiet").news_a_day == 0
    with pytest.raises(ScenarioError, match="past_hours: found 169"):
        parse_world(text.format("past_hours = 169"))
