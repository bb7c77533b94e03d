import numpy as np

from sim.market import BTC_PERP
from sim.populations.dice import UNIT_BITS, Dice
from sim.populations.momentum import Momentum, MomentumParameters
from sim.populations.population import Population
from sim.populations.registry import STRATEGIES, build_population
from sim.prices.processes import ConstantPrice
from sim.rows.messages import Rows, Side, TimeInForce
from sim.units import ATOMS_PER_UNIT, PPM
from tests.sim.simulated_market import Exchange, SimulatedMarket, still_view

SEED = 31
INDEX = 660_000
HEADS = 300
FIRST = 9_000_000_000


def crowd() -> Momentum:
    accounts = range(FIRST, FIRST + HEADS)
    return Momentum(MomentumParameters(), accounts, 1, Dice(SEED, 3, HEADS))


def rows_on_a_path(prices: list[int]) -> Rows:
    traders = crowd()
    sent = [
        traders.act(step, [still_view(BTC_PERP, price, price - 5, price + 5)])[0]
        for step, price in enumerate(prices)
    ]
    return np.concatenate(sent)


def test_a_quiet_market_makes_nobody_act() -> None:
    assert len(rows_on_a_path([INDEX] * 300)) == 0


def test_a_rise_is_bought_and_a_fall_is_sold() -> None:
    for slope, side in ((30, Side.BUY), (-30, Side.SELL)):
        rows = rows_on_a_path([INDEX + slope * step for step in range(300)])
        assert len(rows) > 100
        assert np.all(rows["side"] == side)
        assert np.all(rows["time_in_force"] == TimeInForce.IOC)


def trending(slope: int) -> tuple[Momentum, int]:
    """The traders and their limit after 400 steps of a trend, against makers who follow it."""
    traders = crowd()
    makers: Population = build_population(
        "ladder", STRATEGIES["ladder"].parameters(), range(50, 53), 1, SEED, 1
    )
    ran = Exchange([SimulatedMarket(BTC_PERP, ConstantPrice(INDEX))], [makers, traders])
    limit = traders.limit_lots(0, ran.markets[0].view())
    for step in range(400):
        ran.markets[0].price = ConstantPrice(INDEX + slope * step)
        ran.step()
        assert np.abs(traders.holdings[0].positions_lots).max() <= limit
    return traders, limit


def test_positions_follow_a_trend_up_to_their_limit_and_no_further() -> None:
    for slope in (30, -30):
        traders, limit = trending(slope)
        held = traders.holdings[0].positions_lots * (1 if slope > 0 else -1)
        assert held.min() >= 0
        assert held.mean() > 0.8 * limit


def fast_shifts() -> list[int]:
    """The horizon that each trader has from its birth on."""
    drawn = Dice(SEED, 3, HEADS).birth(0, 1)[:, 0].astype(np.int64)
    shifts: list[int] = (6 + (drawn * 4 >> UNIT_BITS)).tolist()
    assert set(shifts) == {6, 7, 8, 9}
    return shifts


def test_trends_and_orders_are_those_of_plain_averages_over_horizons_of_their_own() -> None:
    print(f"seed {SEED}")
    own = MomentumParameters(activity_ppm=300_000, threshold_ppm=2, position_max_quote=5_000)
    traders = Momentum(own, range(FIRST, FIRST + HEADS), 1, Dice(SEED, 3, HEADS))
    noise = np.random.default_rng(SEED).integers(-30, 31, 90)
    walk = INDEX + np.cumsum(noise + np.repeat([12, -40], [30, 60]))
    plain: dict[int, list[int]] = {}
    shifts = fast_shifts()
    sides = set()
    for step, price in enumerate(walk.tolist(), start=1):
        held = np.random.default_rng(step).integers(-60, 61, HEADS)
        traders.enter(0, 0, held)
        wanted = []
        for shift in range(6, 12):
            average = plain.setdefault(shift, [2 * price << 15])
            average[0] += ((2 * price << 15) - average[0]) >> shift
        view = still_view(BTC_PERP, price, price - 5, price + 5)
        acting, draws = traders.wake(step, 0, own.activity_ppm, 1)
        limit = traders.limit_lots(0, view)
        for place, drawn in zip(acting.tolist(), draws[:, 0].tolist(), strict=True):
            shift = shifts[place]
            fast, slow = plain[shift][0], plain[shift + 2][0]
            trend = 0 if abs(fast - slow) <= slow * 2 // PPM else 1 if fast > slow else -1
            gap = trend * limit - int(held[place])
            whole = own.order_quote * ATOMS_PER_UNIT // (price * BTC_PERP.atoms_per_tick_lot)
            lots = min(abs(gap), max(whole - whole * drawn * 3 // 2**18, 1))
            if gap * trend > 0:
                away = 5 + price * own.slip_ppm // PPM
                side = Side.BUY if trend > 0 else Side.SELL
                wanted.append((FIRST + place, int(side), price + trend * away, lots))
        [rows] = traders.act(step, [view])
        names = ("account_id", "side", "price_ticks", "quantity_lots")
        assert list(zip(*(rows[name].tolist() for name in names), strict=True)) == wanted
        sides |= {row[1] for row in wanted}
    assert sides == {Side.BUY, Side.SELL}
