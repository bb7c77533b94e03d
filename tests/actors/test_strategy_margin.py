"""Live strategies order what their traders' equity carries, whoever is started again."""

from collections.abc import Sequence

from actors.live.strategy import Means, Strategy
from sim.money.ledger import STRATEGIES_FIRST
from sim.populations.population import MarketView, StrategyReply
from sim.prices.processes import ConstantPrice
from sim.rows.messages import Rows, Side
from storage.reading.strategy_holdings import StrategyHoldings
from storage.servers.bootstrap import create_strategy_accounts
from tests.actors.house import MARKET, House
from tests.actors.recorded_holdings import RecordedHoldings
from tests.actors.strategy_market import Clock, Port, Recorded, step, strategy_of
from tests.builders import order, trader
from tests.markets import ETH_PERP
from tests.sim.engine_rows import SELL, limit
from tests.waiting import eventually

PRICE = 1_000
ONE_ORDER = 10_050
"""What a bid for a lot at PRICE reserves: a tenth of 100,000 atoms, and 500 parts per million."""

CLIENT = 9
TWO_ORDERS = 2 * ONE_ORDER + 5_000


def sizes(port: Port) -> list[int]:
    return [len(rows) for _, rows in port.sent]


def sold(port: Port, lots: int) -> None:
    port.market.apply(limit(1_000 + port.market.commands, CLIENT, SELL, lots, PRICE))


def test_orders_that_capital_does_not_carry_are_not_sent() -> None:
    port, clock = Port(PRICE), Clock()
    strategy = strategy_of(Recorded(), [port], clock, TWO_ORDERS)
    step(strategy, clock, 4)
    assert sizes(port) == [1, 1, 0, 0]
    assert strategy.health()["orders_refused"] == 2
    assert strategy.health()["rows_sent"] == 2


def test_what_was_bought_binds_margin_also_for_the_strategys_next_life() -> None:
    port, clock = Port(PRICE), Clock()
    step(strategy_of(Recorded(), [port], clock, TWO_ORDERS), clock, 2)
    sold(port, 2)
    again = strategy_of(Recorded(), [port], clock, TWO_ORDERS)
    step(again, clock, 3)
    assert sizes(port) == [1, 1, 0, 0, 0]
    assert again.health()["orders_refused"] == 3
    richer = strategy_of(Recorded(), [port], clock, TWO_ORDERS + ONE_ORDER)
    step(richer, clock, 2)
    assert sizes(port)[-2:] == [1, 0]


def test_what_filled_while_the_market_was_away_binds_margin_when_it_is_back() -> None:
    port, clock = Port(PRICE), Clock()
    strategy = strategy_of(Recorded(), [port], clock, TWO_ORDERS)
    step(strategy, clock, 2)
    port.away = True
    step(strategy, clock)
    sold(port, 2)
    port.market.reply(3)  # what it would have been told is lost with the market
    port.away = False
    step(strategy, clock, 10)
    assert port.registrations == 2
    assert len(sizes(port)) > 2
    assert sum(sizes(port)) == 2


def test_what_a_market_never_answered_to_binds_margin_elsewhere_until_it_is_back() -> None:
    first, second, clock = Port(PRICE), Port(PRICE), Clock()
    strategy = strategy_of(Recorded(), [first, second], clock, ONE_ORDER + 5_000)
    first.loses_next_reply = True
    step(strategy, clock)
    first.away = True
    step(strategy, clock, 5)
    assert sizes(first) == [1]
    assert sizes(second) == [0] * 6
    first.away = False
    step(strategy, clock, 60)
    assert first.registrations == 2
    assert sum(sizes(second)) == 0
    assert first.market.engine.open_order_count == 1


def test_a_market_that_was_never_entered_binds_margin_as_it_is_recorded() -> None:
    first, second, clock = Port(PRICE), Port(PRICE), Clock()
    step(strategy_of(Recorded(), [second], clock, TWO_ORDERS), clock, 2)
    sold(second, 2)
    second.away = True
    strategy = strategy_of(Recorded(), [first, second], clock, TWO_ORDERS)
    step(strategy, clock, 3)
    assert sizes(first) == [0, 0, 0]


def test_nothing_is_sent_while_it_is_not_known_what_traders_hold() -> None:
    port, clock = Port(PRICE), Clock()
    stored = RecordedHoldings([port.market])
    stored.behind = True
    strategy = strategy_of(Recorded(), [port], clock, TWO_ORDERS, stored)
    step(strategy, clock, 3)
    assert (port.sent, strategy.health()["markets"]) == ([], 0)
    stored.behind = False
    step(strategy, clock, 60)
    assert sizes(port)[:3] == [1, 1, 0]


def test_nothing_is_asked_for_before_there_is_a_mark() -> None:
    class Markless(Port):
        def submit(self, strategy_no: int, batch_no: int, rows: Rows) -> StrategyReply:
            self.market.price = ConstantPrice(PRICE)
            return super().submit(strategy_no, batch_no, rows)

    port, clock = Markless(0), Clock()
    step(strategy_of(Recorded(), [port], clock, TWO_ORDERS), clock, 2)
    assert sizes(port) == [0, 1]


class Bidder(Recorded):
    """Bids for ten lots at 59.91 in every step, which is ETH-PERP's mark."""

    accounts = range(7 * STRATEGIES_FIRST, 7 * STRATEGIES_FIRST + 2)

    def act(self, step: int, views: Sequence[MarketView | None]) -> list[Rows]:
        rows = super().act(step, views)
        for sent in rows:
            sent["account_id"], sent["price_ticks"] = self.accounts.start, 5_991
            sent["quantity_lots"] = 10
        return rows


def test_on_real_servers_a_strategy_and_a_market_that_are_started_again_know_what_is_held(
    house: House,
) -> None:
    worth = ETH_PERP.notional_atoms(5_991, 10)
    capital = worth // 10 * 5 // 2
    create_strategy_accounts(house.owner_url, 7, "bidders", 2, capital)
    house.open()
    client = trader(house.database, "100000")
    stored = StrategyHoldings(house.urls[0], [MARKET])
    means = Means(capital, 10, (ETH_PERP,), (False,), stored)

    def begun() -> Strategy:
        return Strategy(7, Bidder(), [house.actors[0]], means)

    def held() -> int:
        return house.count(
            "SELECT coalesce(sum(quantity_lots), 0) FROM positions WHERE account_id >= 7 * 1e9"
        )

    def stepped_until_refused(strategy: Strategy) -> int:
        """Rows it has sent when equity did not carry three more."""

        def refused() -> bool:
            strategy.step_once()
            return strategy.health()["orders_refused"] >= 3

        eventually(refused)
        return strategy.health()["rows_sent"]

    assert stepped_until_refused(begun()) == 2
    house.place_one(order(client, Side.SELL, 20))
    eventually(lambda: held() == 20)
    assert stepped_until_refused(begun()) == 0
    house.close()
    house.open()
    assert stepped_until_refused(begun()) == 0
    assert held() == 20
    house.settled()
    house.close()
