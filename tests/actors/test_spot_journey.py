"""Orders of a spot market through acceptance, market and recorder: both assets change hands."""

import random
from typing import Any

from sim.orders import OrderStatus
from sim.refusals import Refusal, Refused
from sim.rows.messages import OrderType, Side, TimeInForce
from tests.actors.house import House
from tests.builders import position, spot_order, trader, with_money
from tests.markets import ETH_PERP, ETH_SPOT
from tests.waiting import eventually

SPOT = "ETH_USDC"


def money(house: House, account_id: int) -> dict[str, tuple[int, int]]:
    """Total and locked atoms of what an account has, by asset."""
    rows = house.database.execute(
        "SELECT asset, total_atoms, locked_atoms FROM balances WHERE account_id = %s",
        (account_id,),
    )
    return {str(row[0]): (int(str(row[1])), int(str(row[2]))) for row in rows}


def is_filled(house: House, order_id: int, lots: int) -> None:
    """So many lots of an order, sooner or later."""
    eventually(lambda: house.state(order_id)[1] == lots)


def rich(house: House, usdc: str = "10000", eth: str = "100") -> int:
    account_id = trader(house.database, usdc)
    with_money(house.database, account_id, eth, "ETH")
    return account_id


def test_a_fill_exchanges_both_assets_to_the_atom_and_fees_are_in_quote(house: House) -> None:
    house.open(SPOT)
    alice, bob = trader(house.database), rich(house)
    resting = house.place_one(spot_order(alice, Side.BUY, 100))
    eventually(lambda: house.state(resting) == (OrderStatus.OPEN, 0))
    # 0.1 at 59.91 is 5.991; the taker's fee 5 of 10,000 of it, rounded up
    assert money(house, alice) == {"USDC": (10_000_000_000, 5_991_000 + 2_996)}
    taking = house.place_one(spot_order(bob, Side.SELL, 40))
    eventually(lambda: house.state(taking) == (OrderStatus.FILLED, 40))
    house.settled()
    # 0.04 at 59.91 is 2.3964; maker 2, taker 5 of 10,000
    left = 5_993_996 - 5_993_996 * 40 // 100
    assert money(house, alice) == {
        "USDC": (10_000_000_000 - 2_396_400 - 480, left),
        "ETH": (4_000_000, 0),
    }
    assert money(house, bob) == {
        "USDC": (10_000_000_000 + 2_396_400 - 1_199, 0),
        "ETH": (10_000_000_000 - 4_000_000, 0),
    }
    house.cancel(alice, resting)
    eventually(lambda: house.state(resting)[0] == OrderStatus.CANCELED)
    house.settled()
    assert money(house, alice)["USDC"] == (10_000_000_000 - 2_396_880, 0)
    assert house.count("SELECT count(*) FROM positions") == 0
    assert house.count("SELECT count(*) FROM leverages") == 0


def open_and_locked(house: House, account_id: int) -> tuple[int, dict[str, int]]:
    row = house.database.execute(
        "SELECT sum(open_orders) FROM balances WHERE account_id = %s", (account_id,)
    ).fetchone()
    assert row is not None
    return int(str(row[0])), {asset: it[1] for asset, it in money(house, account_id).items()}


def test_a_market_order_buys_from_the_book_and_what_it_did_not_need_is_free_again(
    house: House,
) -> None:
    house.open(SPOT)
    alice, bob = rich(house), trader(house.database)
    house.place_one(spot_order(alice, Side.SELL, 50, price_ticks=5_990))
    asked = house.place_one(spot_order(alice, Side.SELL, 50, price_ticks=6_000))
    eventually(lambda: house.state(asked)[0] == OrderStatus.OPEN)
    wish = spot_order(bob, Side.BUY, 80, order_type=OrderType.MARKET, price_ticks=0)
    taking = house.place_one(wish)
    eventually(lambda: house.state(taking) == (OrderStatus.FILLED, 80))
    house.settled()
    paid = (50 * 5_990 + 30 * 6_000) * 10
    fees = 1_498 + 900  # 5 of 10,000 of both fills, each rounded up
    assert money(house, bob) == {
        "USDC": (10_000_000_000 - paid - fees, 0),
        "ETH": (80 * 100_000, 0),
    }
    assert open_and_locked(house, alice) == (1, {"USDC": 0, "ETH": 20 * 100_000})


def test_what_does_not_trade_at_once_or_not_at_all_leaves_nothing_locked(house: House) -> None:
    house.open(SPOT)
    alice, bob = rich(house), rich(house)
    house.place_one(spot_order(alice, Side.BUY, 10))
    part = house.place_one(spot_order(bob, Side.SELL, 25, time_in_force=TimeInForce.IOC))
    eventually(lambda: house.state(part) == (OrderStatus.EXPIRED, 10))
    none = house.place_one(spot_order(bob, Side.SELL, 25, time_in_force=TimeInForce.FOK))
    eventually(lambda: house.state(none) == (OrderStatus.EXPIRED, 0))
    house.place_one(spot_order(alice, Side.BUY, 10, price_ticks=5_990))
    taking = house.place_one(spot_order(bob, Side.SELL, 10, price_ticks=5_990, post_only=True))
    eventually(lambda: house.state(taking) == (OrderStatus.REJECTED, 0))
    house.settled()
    assert open_and_locked(house, bob) == (0, {"USDC": 0, "ETH": 0})


def test_a_sale_is_released_by_its_share_with_every_fill(house: House) -> None:
    house.open(SPOT)
    alice, bob = rich(house), rich(house)
    asked = house.place_one(spot_order(alice, Side.SELL, 30))
    for lots, left in ((7, 23), (13, 10)):
        house.place_one(spot_order(bob, Side.BUY, lots))
        is_filled(house, asked, 30 - left)
        assert money(house, alice)["ETH"][1] == left * 100_000
    house.cancel(alice, asked)
    eventually(lambda: house.state(asked)[0] == OrderStatus.CANCELED)
    house.settled()
    assert open_and_locked(house, alice) == (0, {"USDC": 0, "ETH": 0})


def random_orders(house: House, seed: int, accounts: list[int], count: int) -> None:
    dice = random.Random(seed)
    perpetual: dict[str, Any] = {"spec": ETH_PERP, "leverage": 10}
    wishes = [
        spot_order(
            dice.choice(accounts),
            dice.choice(list(Side)),
            dice.randint(1, 400),
            price_ticks=5_991 + dice.randint(-10, 10),
            time_in_force=dice.choice(list(TimeInForce)),
            **(perpetual if dice.random() < 0.2 else {}),
        )
        for _ in range(count)
    ]
    for start in range(0, count, 50):
        house.place(*wishes[start : start + 50])
        house.cancel(dice.choice(accounts), None)


def test_a_random_run_beside_a_perpetual_conserves_every_asset_also_when_actors_are_started_again(
    house: House,
) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    accounts = [rich(house, "500", "5") for _ in range(5)]
    house.open(SPOT, "ETH-PERP")
    random_orders(house, seed, accounts, 300)
    house.close()
    random_orders(house, seed + 1, accounts, 100)
    house.open(SPOT, "ETH-PERP")
    house.settled()
    for account_id in accounts:
        house.cancel(account_id, None)
    eventually(lambda: house.count("SELECT count(*) FROM orders WHERE status <= 3") == 0)
    house.settled()
    assert house.count("SELECT sum(locked_atoms + open_orders) FROM balances") == 0
    assert house.count("SELECT sum(total_atoms) FROM balances WHERE asset = 'ETH'") == 25 * 10**8
    assert house.count("SELECT count(*) FROM trades WHERE market_id = 'ETH_USDC'") > 0


def test_what_a_purchase_may_pay_cannot_back_a_position(house: House) -> None:
    alice = trader(house.database, "1000")
    house.place_one(spot_order(alice, Side.BUY, 16_600))  # 994.506, and a fee of 0.497253
    (short,) = house.place(spot_order(alice, Side.BUY, 1_000, spec=ETH_PERP, leverage=10))
    assert isinstance(short, Refused)
    assert short.refusal == Refusal.INSUFFICIENT_MARGIN
    house.place_one(spot_order(alice, Side.BUY, 10, spec=ETH_PERP, leverage=10))


def test_profit_that_is_not_realised_buys_nothing(house: House) -> None:
    alice = trader(house.database, "100")
    position(house.database, alice, 1_000, 1_000 * 4_991 * 100)  # 100 of profit at 59.91
    for spec, leverage in ((ETH_SPOT, None), (ETH_PERP, 10)):
        lots = 1_700 if spec is ETH_SPOT else 2_000  # 101.8 and 119.8 USDC, of 140.1
        (answer,) = house.place(spot_order(alice, Side.BUY, lots, spec=spec, leverage=leverage))
        assert isinstance(answer, Refused) == (spec is ETH_SPOT)
