"""What kernels of populations do, against the same rules written down once more in plain Python."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

from sim.market import BTC_PERP
from sim.populations.dice import UNIT, Dice
from sim.populations.holdings import Holdings
from sim.populations.noise import Noise, NoiseParameters
from sim.populations.population import MarketView
from sim.populations.rational import NORMAL_DEVIATION, NORMAL_MEAN
from sim.populations.value import Value, ValueParameters
from sim.rows.messages import EVENT, CommandKind, EventKind, Side, TimeInForce
from sim.units import ATOMS_PER_UNIT, PPM
from tests.sim.simulated_market import still_view, told

SEED = 77
FIRST = 3_000_000_000
INDEX = 660_000


@dataclass
class PlainOrder:
    order_id: int
    side: int
    price: int
    lots: int


@dataclass
class PlainTrader:
    position: int = 0
    orders: list[PlainOrder] = field(default_factory=list)

    def open_lots(self, side: int) -> int:
        return sum(order.lots for order in self.orders if order.side == side)


def learn(traders: list[PlainTrader], events: np.ndarray) -> None:
    """The rules of Holdings.learn."""
    for event in events:
        place, maker = int(event["account_id"]) - FIRST, int(event["maker_account_id"]) - FIRST
        lots, order_id = int(event["quantity_lots"]), int(event["order_id"])
        mine = traders[place] if 0 <= place < len(traders) else None
        if event["kind"] == EventKind.TRADE:
            signed = lots if event["side"] == Side.BUY else -lots
            if mine:
                mine.position += signed
            if 0 <= maker < len(traders):
                traders[maker].position -= signed
                for order in traders[maker].orders:
                    order.lots -= lots * (order.order_id == event["maker_order_id"])
                traders[maker].orders = [one for one in traders[maker].orders if one.lots > 0]
        elif mine and event["kind"] == EventKind.RESTED:
            price = int(event["price_ticks"])
            mine.orders.append(PlainOrder(order_id, int(event["side"]), price, lots))
        elif mine and event["kind"] == EventKind.REDUCED:
            for order in mine.orders:
                order.lots -= lots * (order.order_id == order_id)
        elif mine and event["kind"] != EventKind.REJECTED:
            mine.orders = [order for order in mine.orders if order.order_id != order_id]


def random_events(dice: np.random.Generator, traders: list[PlainTrader], count: int) -> np.ndarray:
    """Events of anybody's orders, half of them about orders that rest."""
    rows = np.zeros(count, EVENT)
    rows["kind"] = dice.choice([1, 2, 2, 2, 3, 3, 4, 5, 6], count)
    rows["order_id"] = -dice.permutation(10 * count)[:count] - 1 - dice.integers(10**6) * 10 * count
    rows["account_id"] = FIRST + dice.integers(-2, len(traders) + 2, count)
    rows["maker_account_id"] = FIRST + dice.integers(-2, len(traders) + 2, count)
    rows["quantity_lots"], rows["side"] = dice.integers(1, 9, count), dice.integers(1, 3, count)
    rows["price_ticks"] = INDEX + dice.integers(-9_000, 9_000, count)
    open_now = [(place, order) for place, one in enumerate(traders) for order in one.orders]
    for row in rows[: count // 2] if open_now else []:
        place, order = open_now[dice.integers(len(open_now))]
        if row["kind"] == EventKind.TRADE:
            row["maker_account_id"], row["maker_order_id"] = FIRST + place, order.order_id
        elif row["kind"] != EventKind.RESTED:
            row["account_id"], row["order_id"] = FIRST + place, order.order_id
    return rows


def crowd_and_model(kind: Any, parameters: Any) -> tuple[Any, list[PlainTrader]]:
    """A population that has learned random events, and what it should know."""
    heads, rounds, dice = 400, 60, np.random.default_rng(SEED)
    traders = [PlainTrader() for _ in range(heads)]
    crowd = kind(parameters, range(FIRST, FIRST + heads), 1, Dice(SEED, 4, heads))
    for _ in range(rounds):
        events = random_events(dice, traders, 60)
        learn(traders, events)
        crowd.learn(0, told(events, crowd.accounts))
    return crowd, traders


def same(held: Holdings, traders: list[PlainTrader]) -> bool:
    orders = held.orders
    told = zip(
        *(
            column.tolist()
            for column in (
                orders.traders,
                orders.ids,
                orders.sides,
                orders.prices_ticks,
                orders.remaining_lots,
            )
        ),
        strict=True,
    )
    wanted = [
        (place, order.order_id, order.side, order.price, order.lots)
        for place, one in enumerate(traders)
        for order in one.orders
    ]
    return (
        list(told) == wanted
        and held.open_orders == len(wanted)
        and held.positions_lots.tolist() == [one.position for one in traders]
        and held.traders["buying_lots"].tolist() == [one.open_lots(Side.BUY) for one in traders]
        and held.traders["selling_lots"].tolist() == [one.open_lots(Side.SELL) for one in traders]
    )


@pytest.mark.parametrize("heads", [3, 40, 5_000])
def test_what_is_held_is_what_plain_bookkeeping_says(heads: int) -> None:
    print(f"seed {SEED}")
    dice, traders = np.random.default_rng(SEED), [PlainTrader() for _ in range(heads)]
    held = Holdings(range(FIRST, FIRST + heads))
    for round_no in range(40):
        events = random_events(dice, traders, 100)
        learn(traders, events)
        held.learn(told(events, held.accounts))
        assert same(held, traders), f"round {round_no}"


PlainRow = tuple[int, int, int, int, int, int, int]


def rows_of(crowd: Any, step: int, view: MarketView) -> list[PlainRow]:
    """What a population sends: kind, account, order, side, price, lots, time in force."""
    [rows] = crowd.act(step, [view])
    names = ("kind", "account_id", "order_id", "side", "price_ticks", "quantity_lots")
    columns = [rows[name].tolist() for name in (*names, "time_in_force")]
    return list(zip(*columns, strict=True))


def noise_rows(
    own: NoiseParameters, traders: list[PlainTrader], crowd: Noise, step: int, view: MarketView
) -> list[PlainRow]:
    """The rules of Noise.decide."""
    limit = crowd.limit_lots(0, view)
    acting, draws = crowd.wake(step, 0, own.activity_ppm, 2)
    rows: list[PlainRow] = []
    for place, drawn in zip(acting.tolist(), draws.tolist(), strict=True):
        rows += of_one(own, traders[place], FIRST + place, drawn, view, limit)
    return rows


def of_one(
    own: NoiseParameters,
    trader: PlainTrader,
    account: int,
    drawn: list[int],
    view: MarketView,
    limit: int,
) -> list[PlainRow]:
    action, coin, size, distance, improvement = drawn[:5]
    buying = coin < UNIT // 2 - trader.position * (UNIT // 4) // limit
    side = Side.BUY if buying else Side.SELL
    held = trader.position if buying else -trader.position
    worth = min(own.size_min_quote * UNIT // (size + 1), own.size_max_quote)
    lots = worth * ATOMS_PER_UNIT // (view.index_ticks * view.spec.atoms_per_tick_lot)
    lots = min(max(lots, 1), view.spec.max_quantity_lots, limit - held - trader.open_lots(side))
    take = own.take_ppm * UNIT // PPM
    takes = action < take and lots >= 1
    quotes = take <= action < take + own.quote_ppm * UNIT // PPM and lots >= 1
    quotes = quotes and len(trader.orders) < own.orders_max
    far = 2 * (view.index_ticks * own.distance_max_ppm // PPM)
    rows = [
        (int(CommandKind.CANCEL), account, order.order_id, 0, 0, 0, 0)
        for number, order in enumerate(trader.orders)
        if abs(order.price - view.index_ticks) > far or (number == 0 and not takes and not quotes)
    ]
    bid, ask = view.best_bid_ticks, view.best_ask_ticks
    away = view.index_ticks * own.slip_ppm // PPM
    if quotes:
        scale = max(1, view.index_ticks * own.distance_ppm // PPM)
        away = -min(scale * UNIT // (distance + 1) - scale, far // 2)
        if improvement < own.improve_ppm * UNIT // PPM:
            away = distance * (ask - bid - 1) // UNIT
    base = (bid if quotes else ask) if buying else (ask if quotes else bid)
    price = base + (away if buying else -away)
    force = TimeInForce.GTC if quotes else TimeInForce.IOC
    made = (int(CommandKind.PLACE), account, 0, int(side), price, lots, force)
    return [*rows, made] if takes or quotes else rows


@pytest.mark.parametrize("activity_ppm", [50_000, 1_000_000])
def test_noise_decides_as_the_plain_rules_do(activity_ppm: int) -> None:
    print(f"seed {SEED}")
    own = NoiseParameters(activity_ppm=activity_ppm, position_max_quote=2_000, size_min_quote=100)
    crowd, traders = crowd_and_model(Noise, own)
    for step in range(1, 20):
        view = still_view(BTC_PERP, INDEX, INDEX - 30, INDEX + 35)
        view = replace(view, spec=replace(BTC_PERP, max_quantity_lots=20))
        wanted = noise_rows(own, traders, crowd, step, view)
        assert rows_of(crowd, step, view) == wanted
        assert {row[0] for row in wanted} == {CommandKind.PLACE, CommandKind.CANCEL}


def value_row(
    own: ValueParameters,
    trader: PlainTrader,
    account: int,
    drawn: list[int],
    estimate: int,
    view: MarketView,
    limit: int,
) -> list[PlainRow]:
    """The rules of Value.decide for one trader with a new estimate in ticks."""
    rows = [(int(CommandKind.CANCEL), account, one.order_id, 0, 0, 0, 0) for one in trader.orders]
    bid, ask, (size, depth, aggression) = view.best_bid_ticks, view.best_ask_ticks, drawn[4:7]
    away = 2 * estimate - bid - ask
    if abs(away) <= 2 * (view.index_ticks * own.edge_ppm // PPM):
        return rows
    short = depth * (own.depth_spreads * (ask - bid) + 1) // UNIT
    short = 0 if aggression < own.aggressive_ppm * UNIT // PPM else short
    side = Side.BUY if away > 0 else Side.SELL
    held = trader.position if away > 0 else -trader.position
    price = min(ask - short, estimate) if away > 0 else max(bid + short, estimate)
    atoms_per_lot = view.index_ticks * view.spec.atoms_per_tick_lot
    whole = min(own.order_quote * ATOMS_PER_UNIT // atoms_per_lot, view.spec.max_quantity_lots)
    lots = max(whole - whole * size * 3 // (4 * UNIT), 1)
    lots = min(lots, limit - held - trader.open_lots(side))
    made = (int(CommandKind.PLACE), account, 0, int(side), max(price, 1), lots, TimeInForce.GTC)
    return [*rows, made] if lots >= 1 else rows


def next_estimate(own: ValueParameters, kept_q8: int, drawn: list[int], index: int) -> int:
    """A trader's estimate in ticks × 256 after another look."""
    around = index * 256 * own.noise_ppm // PPM
    seen_q8 = index * 256 + around * (sum(drawn[:4]) - NORMAL_MEAN) // NORMAL_DEVIATION
    return kept_q8 + (seen_q8 - kept_q8) * own.gain_ppm // PPM if kept_q8 else seen_q8


@pytest.mark.parametrize("activity_ppm", [50_000, 1_000_000])
def test_value_traders_decide_as_the_plain_rules_do(activity_ppm: int) -> None:
    print(f"seed {SEED}")
    own = ValueParameters(activity_ppm=activity_ppm, position_max_quote=3_000, edge_ppm=200)
    crowd, traders = crowd_and_model(Value, own)
    estimates_q8, sides = [0] * len(traders), set()
    for step in range(1, 20):
        view = still_view(BTC_PERP, INDEX + 90 * (-1) ** step, INDEX - 300, INDEX + 350)
        acting, draws = crowd.wake(step, 0, activity_ppm, 2)
        wanted: list[PlainRow] = []
        limit = crowd.limit_lots(0, view)
        for place, drawn in zip(acting.tolist(), draws.tolist(), strict=True):
            kept_q8 = next_estimate(own, estimates_q8[place], drawn, view.index_ticks)
            estimates_q8[place] = kept_q8
            told = (traders[place], FIRST + place, drawn, kept_q8 >> 8, view, limit)
            wanted += value_row(own, *told)
        assert rows_of(crowd, step, view) == wanted
        sides |= {row[3] for row in wanted}
    assert sides == {0, Side.BUY, Side.SELL}
