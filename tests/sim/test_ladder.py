import numpy as np
import pytest

from sim.market import BTC_PERP
from sim.populations.command_rows import cancels, immediate, places
from sim.populations.dice import Dice
from sim.populations.ladder import Ladder, LadderParameters, offsets_ppm
from sim.prices.processes import ConstantPrice
from sim.rows.messages import CommandKind, OrderFlag, Rows, Side, TimeInForce
from tests.sim.array_ladder import ArrayLadder, price_bands
from tests.sim.simulated_market import Exchange, SimulatedMarket, still_view

SEED = 5
INDEX = 660_000
MAKERS = range(7_000_000_000, 7_000_000_003)
CLIENT = 42


def ladder(parameters: LadderParameters | None = None) -> Ladder:
    return Ladder(parameters or LadderParameters(), MAKERS, 1, Dice(SEED, 1, len(MAKERS)))


def exchange(parameters: LadderParameters | None = None) -> tuple[Exchange, Ladder]:
    makers = ladder(parameters)
    return Exchange([SimulatedMarket(BTC_PERP, ConstantPrice(INDEX))], [makers]), makers


def client_takes(ran: Exchange, side: Side, price: int, lots: int, order: int) -> Rows:
    row = immediate(places(*(np.array([value]) for value in (CLIENT, side, price, lots))))
    row["order_id"] = order
    return ran.markets[0].apply(row)


def test_an_empty_market_gets_a_whole_ladder_of_post_only_orders() -> None:
    [rows] = ladder().act(1, [still_view(BTC_PERP, INDEX)])
    assert len(rows) == 3 * 2 * 8
    assert np.all(rows["kind"] == CommandKind.PLACE)
    assert np.all(rows["flags"] == OrderFlag.POST_ONLY)
    assert np.all(rows["order_id"] == 0)
    bids, asks = rows[rows["side"] == Side.BUY], rows[rows["side"] == Side.SELL]
    assert bids["price_ticks"].max() < INDEX < asks["price_ticks"].min()


def test_sizes_grow_away_from_the_touch() -> None:
    ran, _ = exchange()
    ran.step()
    bids, asks = ran.markets[0].engine.depth(24)
    for levels in (bids, asks):
        assert levels[-8:, 1].sum() > 4 * levels[:8, 1].sum()


def test_a_market_at_rest_is_left_alone() -> None:
    ran, makers = exchange()
    ran.step()
    assert [len(rows) for rows in makers.act(2, [ran.markets[0].view()])] == [0]


def test_only_what_moved_is_quoted_again() -> None:
    ran, makers = exchange()
    ran.step()
    ran.markets[0].price = ConstantPrice(INDEX + 20)
    [rows] = makers.act(2, [ran.markets[0].view()])
    replaced = int((rows["kind"] == CommandKind.PLACE).sum())
    assert 6 <= replaced <= 24
    assert int((rows["kind"] == CommandKind.CANCEL).sum()) == replaced


def test_orders_that_vanish_without_a_word_are_quoted_again() -> None:
    ran, _ = exchange()
    ran.step()
    engine = ran.markets[0].engine
    resting = engine.resting_orders()
    engine.apply(cancels(resting["account_id"], resting["order_id"]))
    ran.markets[0].price = ConstantPrice(INDEX + 3_000)
    ran.run(2)
    assert engine.open_order_count == 48


def test_a_level_that_is_mostly_eaten_is_refilled() -> None:
    ran, _ = exchange()
    ran.step()
    engine = ran.markets[0].engine
    client_takes(ran, Side.BUY, INDEX + 60, 500, order=1)
    before = engine.open_order_count
    ran.run(2)
    assert before < engine.open_order_count == 48


def test_without_an_index_or_a_view_nobody_quotes() -> None:
    makers = ladder()
    assert [len(rows) for rows in makers.act(1, [still_view(BTC_PERP, 0)])] == [0]
    assert [len(rows) for rows in makers.act(1, [None])] == [0]


def test_the_ladder_leans_against_its_inventory() -> None:
    flat, long = ladder(), ladder()
    limit = long.limit_lots(0, still_view(BTC_PERP, INDEX))
    long.enter(0, 1, np.full(3, limit // 2))
    flat.enter(0, 1, None)
    quotes = [one.act(1, [still_view(BTC_PERP, INDEX)])[0] for one in (flat, long)]
    touch = [rows["price_ticks"][rows["side"] == Side.SELL].min() for rows in quotes]
    assert touch[1] < touch[0]
    lots = {side: quotes[1]["quantity_lots"][quotes[1]["side"] == side].sum() for side in Side}
    assert lots[Side.BUY] < lots[Side.SELL]


def test_inventory_goes_back_when_takers_choose_the_better_price() -> None:
    ran, makers = exchange()
    ran.step()
    view = ran.markets[0].view()
    limit = makers.limit_lots(0, view)
    start = limit // 2
    makers.enter(0, 1, np.full(3, start))
    for order in range(1, 600):
        ran.step()
        view = ran.markets[0].view()
        cheap_ask = view.best_ask_ticks - INDEX < INDEX - view.best_bid_ticks
        side, price = (Side.BUY, INDEX + 5_000) if cheap_ask else (Side.SELL, INDEX - 5_000)
        client_takes(ran, side, price, 400, order)
    assert abs(int(makers.holdings[0].positions_lots.sum())) < 3 * start // 4


@pytest.mark.parametrize("side", [Side.BUY, Side.SELL])
def test_no_maker_passes_its_limit_however_much_is_taken(side: Side) -> None:
    ran, makers = exchange(LadderParameters(position_max_quote=200_000, level_quote=30_000))
    limit = makers.limit_lots(0, ran.markets[0].view())
    for order in range(1, 60):
        ran.step()
        client_takes(ran, side, INDEX + (9_000 if side == Side.BUY else -9_000), 50_000, order)
        assert np.abs(makers.holdings[0].positions_lots).max() <= limit
    ran.step()
    positions = makers.holdings[0].positions_lots
    assert np.abs(positions).max() <= limit
    assert np.abs(positions).min() > limit * 9 // 10


def test_foreign_quotes_beyond_the_reference_price_are_taken() -> None:
    ran, makers = exchange()
    market = ran.markets[0]
    row = places(*(np.array([value]) for value in (CLIENT, Side.SELL, INDEX - 500, 700)))
    row["order_id"] = 9
    market.apply(row)
    [rows] = makers.act(1, [market.view()])
    sweep = rows[rows["time_in_force"] == TimeInForce.IOC]
    assert sweep["quantity_lots"].tolist() == [700]
    assert sweep["side"].tolist() == [Side.BUY]
    ran.run(2)
    assert market.engine.best_ask_ticks > INDEX


def test_the_bands_of_a_ladder_never_overlap() -> None:
    for index in (30, 500, 7_000, INDEX, 2**31 - 1):
        ladder_ppm = offsets_ppm(LadderParameters(tolerance_ppm=900_000), 4, 0)
        bands = price_bands(ladder_ppm, index, 900_000)
        assert np.all(bands.nearest >= 1)
        assert np.all(bands.farthest[:, :-1] < bands.nearest[:, 1:])
        assert np.all((bands.nearest <= bands.offsets) & (bands.offsets <= bands.farthest))


def test_a_market_near_its_first_or_last_tick_gets_sane_prices() -> None:
    for index in (1, 3, BTC_PERP.max_price_ticks):
        [rows] = ladder().act(1, [still_view(BTC_PERP, index)])
        assert np.all(rows["price_ticks"] >= 1)


@pytest.mark.parametrize("index", [INDEX, 40])
@pytest.mark.parametrize("levels", [1, 8, 50])
def test_ladders_are_those_of_plain_arrays(index: int, levels: int) -> None:
    print(f"seed {SEED}")
    parameters = LadderParameters(
        levels=levels, position_max_quote=90_000, offset_growth_percent=120, sweep_ppm=20
    )
    dice = np.random.default_rng(SEED)
    market = SimulatedMarket(BTC_PERP, ConstantPrice(index))
    makers, plain = (
        kind(parameters, MAKERS, 1, Dice(SEED, 1, len(MAKERS))) for kind in (Ladder, ArrayLadder)
    )
    ran, kinds = Exchange([market], [makers]), set()
    limit = makers.limit_lots(0, market.view())
    for step in range(2, 40):
        market.price = ConstantPrice(max(1, index + int(dice.integers(-60, 61)) * index // INDEX))
        price = max(1, index + int(dice.integers(-400, 401)) * max(1, index // INDEX))
        client_takes(ran, Side(int(dice.integers(1, 3))), price, int(dice.integers(1, 3_000)), step)
        row = places(*(np.array([value]) for value in (CLIENT, 1 + step % 2, price, 300)))
        row["order_id"] = 1_000 + step
        market.apply(row)
        makers.learn(0, market.reply(1).events)
        makers.holdings[0].positions_lots += dice.integers(-limit // 9, limit // 9 + 1, len(MAKERS))
        plain.holdings, view = makers.holdings, market.view()
        [ours], [theirs] = makers.act(step, [view]), plain.act(step, [view])
        in_turn = np.argsort(theirs["account_id"], kind="stable")
        assert np.array_equal(ours, theirs[in_turn])
        kinds |= {(int(one["kind"]), int(one["time_in_force"])) for one in ours}
        ran.step()
    assert len(kinds) == 3 or levels == 1 or index < INDEX
