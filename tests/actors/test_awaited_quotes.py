"""Where a market has makers, other simulated traders leave it alone until it is quoted."""

import numpy as np
import pytest

from actors.commands.deployment import waits_for_quotes
from actors.live.strategy import (
    FIRST_QUOTES_WAIT_US_MAX,
    QUOTES_WAIT_US_MAX,
    Means,
    Strategy,
)
from sim.orders import OrderStatus
from sim.populations.command_rows import cancels, places
from sim.populations.population import Population
from sim.populations.quoted import is_quoted
from sim.populations.registry import STRATEGIES, build_population
from sim.rows.messages import Side
from sim.scenario.world import parse_world
from storage.files.world_file import load_world
from storage.reading.strategy_holdings import StrategyHoldings
from storage.servers.bootstrap import create_strategy_accounts
from tests.actors.house import MARKET, House
from tests.actors.strategy_market import STEP_US, Clock, Port, Recorded, step, strategy_of
from tests.builders import order, trader
from tests.markets import ETH_PERP
from tests.waiting import eventually

INDEX = 660_000
BOTH, QUOTES = np.array([9, 9]), np.array([501, 502])
HEADS, CAPITAL, SEED, STEPS = 20, 10**14, 5, 10
EAGER = {"activity_ppm": 1_000_000, "take_ppm": 900_000, "quote_ppm": 0}


def quoted(port: Port, bid_ticks: int = INDEX - 10, ask_ticks: int = INDEX + 10) -> None:
    prices, lots = np.array([bid_ticks, ask_ticks]), np.array([10, 10])
    rows = places(BOTH, np.array([Side.BUY, Side.SELL]), prices, lots)
    rows["order_id"] = QUOTES
    port.market.apply(rows)


def unquoted(port: Port) -> None:
    port.market.apply(cancels(BOTH, QUOTES))


def rows_sent(port: Port) -> int:
    return sum(len(rows) for _, rows in port.sent)


@pytest.mark.parametrize(
    ("index", "bid", "ask", "expected"),
    [
        (660_000, 659_999, 660_001, True),
        (660_000, 656_700, 663_300, True),
        (660_000, 656_699, 660_001, False),
        (660_000, 659_999, 663_301, False),
        (660_000, 690_000, 690_001, False),
        (660_000, 630_000, 630_001, False),
        (660_000, 0, 660_001, False),
        (660_000, 659_999, 0, False),
        (0, 659_999, 660_001, False),
        (50, 49, 51, True),
        (50, 48, 51, False),
        (1, 0, 2, False),
    ],
)
def test_quotes_are_a_bid_and_an_ask_around_the_index(
    index: int, bid: int, ask: int, expected: bool
) -> None:
    assert is_quoted(index, bid, ask) is expected


def test_traders_who_wait_send_nothing_until_the_market_is_quoted() -> None:
    port, clock = Port(), Clock()
    strategy = strategy_of(Recorded(), [port], clock, waits=True)
    step(strategy, clock, 5)
    assert (rows_sent(port), strategy.health()["markets_unquoted"]) == (0, 1)
    quoted(port)
    step(strategy, clock, 5)  # the first learns of the quotes
    assert (rows_sent(port), strategy.health()["markets_unquoted"]) == (4, 0)


def test_nobody_begins_with_what_lies_far_off_but_goes_on_with_it() -> None:
    port, clock = Port(), Clock()
    strategy = strategy_of(Recorded(), [port], clock, waits=True)
    quoted(port, INDEX - 2_700, INDEX + 2_700)
    step(strategy, clock, 5)
    assert (rows_sent(port), strategy.health()["markets_unquoted"]) == (0, 1)
    step(strategy, clock, FIRST_QUOTES_WAIT_US_MAX // STEP_US)
    began = rows_sent(port)
    assert (began > 0, strategy.health()["markets_unquoted"]) == (True, 0)
    step(strategy, clock, 5)
    assert rows_sent(port) == began + 5


def test_close_quotes_far_from_the_index_are_not_waited_for() -> None:
    port, clock = Port(), Clock()
    strategy = strategy_of(Recorded(), [port], clock, waits=True)
    quoted(port, 695_000, 695_001)
    step(strategy, clock, 5)
    assert rows_sent(port) == 0


def test_traders_wait_again_when_the_market_was_away() -> None:
    port, clock = Port(), Clock()
    strategy = strategy_of(Recorded(), [port], clock, waits=True)
    quoted(port)
    step(strategy, clock, 3)
    assert rows_sent(port) == 3
    port.away = True
    step(strategy, clock)
    unquoted(port)
    port.away = False
    step(strategy, clock, 20)
    assert (port.registrations, rows_sent(port)) == (2, 3)
    quoted(port)
    step(strategy, clock, 3)
    assert rows_sent(port) == 5


def test_traders_wait_also_when_the_makers_alone_are_started_again() -> None:
    port, clock = Port(), Clock()
    strategy = strategy_of(Recorded(), [port], clock, waits=True)
    quoted(port)
    step(strategy, clock, 3)
    unquoted(port)
    step(strategy, clock)  # sends what it decides on the view of before
    step(strategy, clock, 10)
    assert (port.registrations, rows_sent(port)) == (1, 4)


def test_an_unquoted_market_does_not_stop_another() -> None:
    ports, clock = [Port(), Port()], Clock()
    quoted(ports[1])
    step(strategy_of(Recorded(), ports, clock, waits=True), clock, 3)
    assert [rows_sent(port) for port in ports] == [0, 3]


def test_a_market_that_stays_without_quotes_is_not_left_alone_for_ever() -> None:
    port, clock = Port(), Clock()
    strategy = strategy_of(Recorded(), [port], clock, waits=True)
    step(strategy, clock, QUOTES_WAIT_US_MAX // STEP_US)
    assert rows_sent(port) == 0
    step(strategy, clock, 2)
    assert rows_sent(port) == 2
    assert strategy.health()["markets_unquoted"] == 1


def test_makers_wait_for_nobody_and_others_for_them() -> None:
    world = load_world("default")
    found = {one.name: waits_for_quotes(world, one) for one in world.populations}
    assert found == {
        "makers": (False,) * 4,
        "noise": (True,) * 4,
        "momentum": (True,) * 2,
        "arbitrage": (True,) * 4,
        "reserve": (False,) * 4,
    }


def test_nobody_waits_where_no_makers_trade() -> None:
    market = """
[[markets]]
id = "{0}-PERP"
base = "{0}"
quote = "USDC"
tick_size = "0.1"
lot_size = "0.01"
max_quantity = "1000"
price = {{ process = "constant", price = "100" }}
"""
    population = """
[[populations]]
name = "{0}"
strategy = "{0}"
heads = 2
capital = "1000"
markets = {1}
"""
    world = parse_world(
        'name = "made-in-part"\nseed = 1\n'
        + market.format("SOL")
        + market.format("XRP")
        + population.format("noise", '["SOL-PERP", "XRP-PERP"]')
        + population.format("ladder", '["XRP-PERP"]')
    )
    noise, ladder = world.populations
    assert waits_for_quotes(world, noise) == (False, True)
    assert waits_for_quotes(world, ladder) == (False,)


@pytest.fixture
def populated(house: House) -> list[Population]:
    """Noise traders who take whatever is there, and makers; in this order."""
    built: list[Population] = []
    for number, (name, parameters) in enumerate((("noise", EAGER), ("ladder", {})), start=1):
        accounts = create_strategy_accounts(house.owner_url, number, name, HEADS, CAPITAL)
        chosen = STRATEGIES[name].parameters(**parameters)
        built.append(build_population(name, chosen, accounts, 1, SEED, number))
    return built


def begun(house: House, populated: list[Population]) -> tuple[Strategy, Strategy]:
    stored = StrategyHoldings(house.urls[0], [MARKET])
    noise, makers = (
        Strategy(
            number,
            population,
            [house.actors[0]],
            Means(CAPITAL, 10, (ETH_PERP,), (number == 1,), stored),
        )
        for number, population in enumerate(populated, start=1)
    )
    return noise, makers


def stepped_until_sent(strategy: Strategy, rows: int = 1) -> int:
    """How many rows it has sent when these are among them."""

    def is_sent() -> int:
        strategy.step_once()
        sent = strategy.health()["rows_sent"]
        return sent if sent >= rows else 0

    return eventually(is_sent)


def test_forgotten_orders_far_from_the_index_outlive_a_restart(
    house: House, populated: list[Population]
) -> None:
    house.open()
    client = trader(house.database, "1000000")
    assert stepped_until_sent(begun(house, populated)[1])
    far = [(Side.BUY, 5_691), (Side.SELL, 6_291)]
    forgotten = [house.place_one(order(client, side, price_ticks=ticks)) for side, ticks in far]
    eventually(lambda: all(house.state(one)[0] == OrderStatus.OPEN for one in forgotten))
    house.close()
    house.open()
    noise, makers = begun(house, populated)
    assert stepped_until_sent(noise)  # it meets the makers' quotes of before
    quoting = populated[1].accounts
    house.actors[0].register(2, quoting.start, quoting.stop - 1)
    for _ in range(STEPS):
        noise.step_once()
    assert noise.health()["markets_unquoted"] == 1
    assert not house.actors[0].health().is_quoted
    before = noise.health()["rows_sent"]
    stepped_until_sent(makers)
    assert house.actors[0].health().is_quoted
    assert stepped_until_sent(noise, before + STEPS * HEADS) > before
    house.settled()
    assert house.count("SELECT count(*) FROM positions WHERE quantity_lots <> 0") > HEADS
    assert [house.state(one) for one in forgotten] == [(OrderStatus.OPEN, 0)] * 2
    house.close()
