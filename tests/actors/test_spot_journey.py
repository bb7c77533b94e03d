"""Orders of a spot market through acceptance, market and recorder: both assets change hands."""

from sim.orders import OrderStatus
from sim.rows.messages import Side
from tests.actors.house import House
from tests.builders import spot_order, trader, with_money
from tests.waiting import eventually

SPOT = "ETH_USDC"


def money(house: House, account_id: int) -> dict[str, tuple[int, int]]:
    """Total and locked atoms of what an account has, by asset."""
    rows = house.database.execute(
        "SELECT asset, total_atoms, locked_atoms FROM balances WHERE account_id = %s",
        (account_id,),
    )
    return {asset: (total, locked) for asset, total, locked in rows}


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
