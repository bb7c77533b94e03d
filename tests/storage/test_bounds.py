"""The bounds of orders: price band, open loss, one leverage a position, closing orders."""

import struct
from typing import Any

import numpy as np
import psycopg
import pytest

from sim.orders import PlaceOrder, Terms
from sim.refusals import Name, Refusal, Refused
from sim.rows.messages import COMMAND, OrderFlag, OrderType, Side, TimeInForce
from sim.units import format_atoms
from storage.intake.accept import Acceptor
from storage.intake.exposures import FLAGS, joined
from storage.intake.leverages import set_leverage
from storage.intake.transfers import withdraw
from storage.postgres.database import AsyncPool
from storage.postgres.unit_of_work import unit_of_work
from tests.builders import order, position, trader
from tests.markets import ETH_PERP

pytestmark = pytest.mark.asyncio
MARK = 5_991


async def refused(work: Any) -> Refused:
    with pytest.raises(Refused) as caught:
        await work
    return caught.value


def locked(database: psycopg.Connection[Any], account_id: int) -> str:
    row = database.execute(
        "SELECT locked_atoms FROM balances WHERE account_id = %s", (account_id,)
    ).fetchone()
    assert row is not None
    return format_atoms(int(row[0]))


def holds(
    database: psycopg.Connection[Any], account_id: int, lots: int, price: int, leverage: int
) -> None:
    """The account has a position that it opened at a price."""
    cost_atoms = lots * price * ETH_PERP.atoms_per_tick_lot
    position(database, account_id, lots, cost_atoms, leverage=leverage)


def sale(account_id: int, lots: int, **more: Any) -> PlaceOrder:
    return order(account_id, Side.SELL, lots, **{"leverage": None, **more})


@pytest.mark.parametrize(
    ("side", "beyond", "nearest"), [(Side.BUY, 6_591, "65.9"), (Side.SELL, 5_391, "53.92")]
)
async def test_a_limit_beyond_the_band_is_refused_with_the_nearest_price(
    acceptor: Acceptor,
    database: psycopg.Connection[Any],
    side: Side,
    beyond: int,
    nearest: str,
) -> None:
    account_id = trader(database)
    refusal = await refused(acceptor.place(order(account_id, side, price_ticks=beyond)))
    assert refusal.refusal == Refusal.INVALID_ORDER
    assert refusal.details["nearest"] == nearest
    within = int(nearest.replace(".", "").ljust(4, "0"))
    assert (await acceptor.place(order(account_id, side, price_ticks=within))).order_id
    far = 1 if side == Side.BUY else 10**6
    assert (await acceptor.place(order(account_id, side, price_ticks=far))).order_id


async def test_without_a_mark_nothing_is_bounded_and_nothing_is_taken(
    acceptor: Acceptor, database: psycopg.Connection[Any]
) -> None:
    account_id = trader(database)
    database.execute("DELETE FROM market_prices")
    assert (await refused(acceptor.place(order(account_id)))).refusal == Refusal.PRICE_UNAVAILABLE


def depth(*levels: tuple[int, int]) -> bytes:
    return np.array([(price, lots, 1) for price, lots in levels], np.int64).tobytes()


async def test_a_market_order_reserves_for_its_depth_and_half_a_percent(
    acceptor: Acceptor, database: psycopg.Connection[Any]
) -> None:
    database.execute(
        "UPDATE market_views SET bids = %b, best_bid_ticks = 5990 WHERE market_id = 'ETH-PERP'",
        (depth((5_990, 5), (5_800, 5), (5_600, 5)),),
    )
    account_id = trader(database)
    terms: dict[str, Any] = {"order_type": OrderType.MARKET, "price_ticks": 0}
    terms["time_in_force"] = TimeInForce.IOC
    await acceptor.place(sale(account_id, 10, **terms))
    row = database.execute("SELECT price_ticks FROM orders").fetchone()
    assert row == (5_771,)
    # 0.1 at 59.90: a tenth, 5 in 10,000, and 2.20 below mark for each of its lots
    assert locked(database, account_id) == format_atoms(599_000 + 2_995 + 220_000)
    refusal = await refused(acceptor.place(sale(account_id, 11, **terms)))
    assert refusal.refusal == Refusal.INSUFFICIENT_LIQUIDITY
    assert refusal.details == {"field": Name.QUANTITY, "nearest": "0.1"}
    database.execute("UPDATE market_views SET bids = %b", (depth((5_600, 5)),))
    refusal = await refused(acceptor.place(sale(account_id, 1, **terms)))
    assert (refusal.refusal, refusal.details) == (Refusal.INSUFFICIENT_LIQUIDITY, {})


async def test_an_order_reserves_what_it_loses_at_its_limit(
    acceptor: Acceptor, database: psycopg.Connection[Any]
) -> None:
    account_id = trader(database)
    await acceptor.place(order(account_id, lots=100, price_ticks=6_091, leverage=20))
    assert locked(database, account_id) == "4.075955"  # 60.91 ÷ 20 + its fee + 1


async def test_open_losses_of_resting_orders_count_at_the_mark_of_now(
    acceptor: Acceptor, database: psycopg.Connection[Any]
) -> None:
    account_id = trader(database, "20")
    await acceptor.place(order(account_id, lots=100, leverage=20))
    database.execute("UPDATE market_prices SET mark_ticks = 4300")  # 16.91 below its limit
    closing = sale(account_id, 1, price_ticks=4_300, reduce_only=True)
    await acceptor.place(closing)
    dear = order(account_id, lots=10, price_ticks=4_730, leverage=20)  # 0.43 more to lose
    assert (await acceptor.place(dear)).order_id
    database.execute("UPDATE market_prices SET mark_ticks = 4000")
    refusal = await refused(acceptor.place(closing))
    assert refusal.refusal == Refusal.INSUFFICIENT_MARGIN


async def test_a_plain_order_that_closes_needs_no_margin(
    acceptor: Acceptor, database: psycopg.Connection[Any]
) -> None:
    account_id = trader(database, "1")  # of a position worth 59.91 it could not open any
    holds(database, account_id, 100, MARK, leverage=1)
    await acceptor.place(sale(account_id, 60))
    assert locked(database, account_id) == "0.017973"
    refusal = await refused(acceptor.place(sale(account_id, 41)))  # one lot would open
    assert refusal.refusal == Refusal.INSUFFICIENT_MARGIN
    await acceptor.place(sale(account_id, 40))
    assert locked(database, account_id) == "0.029955"
    payloads = database.execute("SELECT payload FROM commands").fetchall()
    rows = np.frombuffer(b"".join(bytes(payload) for (payload,) in payloads), COMMAND)
    assert (rows["flags"] == OrderFlag.REDUCE_ONLY).all()  # the position may be gone by then


async def test_an_order_with_margin_of_its_own_may_turn_a_position_round(
    acceptor: Acceptor, database: psycopg.Connection[Any]
) -> None:
    account_id = trader(database)
    holds(database, account_id, 100, MARK, leverage=10)
    await acceptor.place(sale(account_id, 150))
    assert locked(database, account_id) == "9.031433"  # a tenth of all of it, and its fee
    (payload,) = database.execute("SELECT payload FROM commands").fetchone() or (b"",)
    assert np.frombuffer(bytes(payload), COMMAND)["flags"] == 0


async def test_no_close_takes_an_account_below_nothing(
    acceptor: Acceptor, database: psycopg.Connection[Any]
) -> None:
    account_id = trader(database, "1")
    holds(database, account_id, 100, MARK, leverage=20)
    refusal = await refused(acceptor.place(sale(account_id, 100, price_ticks=5_893)))
    assert refusal.refusal == Refusal.INSUFFICIENT_MARGIN
    await acceptor.place(sale(account_id, 100, price_ticks=5_895))  # 0.96 and its fee


def stop_loss(account_id: int, trigger_ticks: int, **more: Any) -> PlaceOrder:
    terms, kind = Terms(trigger_ticks), OrderType.STOP
    wish = {"order_type": kind, "price_ticks": 0, "terms": terms, "reduce_only": True}
    return sale(account_id, 100, **{**wish, **more})


@pytest.mark.parametrize("reduce_only", [True, False])
async def test_a_stop_that_closes_trades_as_far_as_its_account_can_bear(
    acceptor: Acceptor, database: psycopg.Connection[Any], reduce_only: bool
) -> None:
    """5 % below its trigger it would lose 3.56 and a fee of 0.029655; a tick is worth 0.01. Closing
    at once takes 0.55 % of 59.91, which is kept back."""
    account_id = trader(database, "3")
    holds(database, account_id, 100, MARK, leverage=20)
    await acceptor.place(stop_loss(account_id, 5_931, reduce_only=reduce_only))
    assert database.execute("SELECT price_ticks FROM orders").fetchall() == [(5_727,)]
    assert locked(database, account_id) == "2.669655"  # 264 ticks, and its fee
    await acceptor.place(sale(account_id, 100, price_ticks=5_965, reduce_only=True))


async def test_a_stop_whose_trigger_itself_is_too_far_is_refused_with_what_it_loses_there(
    acceptor: Acceptor, database: psycopg.Connection[Any]
) -> None:
    account_id = trader(database, "0.6")
    holds(database, account_id, 100, MARK, leverage=20)
    refusal = await refused(acceptor.place(stop_loss(account_id, 5_931)))
    assert refusal.refusal == Refusal.INSUFFICIENT_MARGIN
    assert refusal.details == {"required": "0.629755", "bearable": "0.6"}


async def test_a_stop_that_would_open_is_not_brought_nearer(
    acceptor: Acceptor, database: psycopg.Connection[Any]
) -> None:
    account_id = trader(database, "3.5")
    wish = stop_loss(account_id, 5_931, reduce_only=False, leverage=20)
    assert (await refused(acceptor.place(wish))).refusal == Refusal.INSUFFICIENT_MARGIN


async def test_an_order_has_the_leverage_of_the_position(
    acceptor: Acceptor, database: psycopg.Connection[Any]
) -> None:
    account_id = trader(database)
    await acceptor.place(order(account_id, leverage=5))
    await acceptor.place(order(account_id, leverage=None))
    refusal = await refused(acceptor.place(order(account_id, leverage=20)))
    assert refusal.refusal == Refusal.INVALID_ORDER
    assert refusal.details == {"field": Name.LEVERAGE, "nearest": 5}
    rows = database.execute("SELECT leverage FROM orders").fetchall()
    assert rows == [(5,), (5,)]


async def test_who_is_flat_sets_another_leverage_with_an_order(
    acceptor: Acceptor, database: psycopg.Connection[Any]
) -> None:
    account_id = trader(database)
    await acceptor.place(order(account_id, leverage=5))
    database.execute("UPDATE orders SET status = 5")
    await acceptor.place(order(account_id, leverage=20))
    assert database.execute("SELECT leverage FROM leverages").fetchall() == [(20,)]


async def changed(pool: AsyncPool, account_id: int, leverage: int) -> None:
    async with unit_of_work(pool) as connection:
        await set_leverage(connection, account_id, ETH_PERP, leverage)


async def test_the_leverage_of_a_position_changes_as_far_as_its_margin_permits(
    acceptor: Acceptor, pool: AsyncPool, database: psycopg.Connection[Any]
) -> None:
    account_id = trader(database, "10")
    holds(database, account_id, 100, MARK, leverage=10)
    await changed(pool, account_id, 20)
    refusal = await refused(changed(pool, account_id, 5))  # 11.982 of 10
    assert refusal.refusal == Refusal.INSUFFICIENT_MARGIN
    found = {"required": "8.9865", "available": "7.0045"}
    assert refusal.details == {"field": Name.LEVERAGE, "nearest": 6, **found}
    await changed(pool, account_id, 6)
    await acceptor.place(sale(account_id, 10))
    assert (await refused(changed(pool, account_id, 7))).refusal == Refusal.LEVERAGE_IN_USE


async def test_a_change_of_leverage_and_an_order_that_is_being_decided_do_not_miss_each_other(
    acceptor: Acceptor, pool: AsyncPool, database: psycopg.Connection[Any]
) -> None:
    account_id = trader(database)
    before = database.execute("SELECT version FROM balances WHERE account_id = %s", (account_id,))
    version = before.fetchall()
    await changed(pool, account_id, 7)
    after = database.execute("SELECT version FROM balances WHERE account_id = %s", (account_id,))
    assert after.fetchall() == [(version[0][0] + 1,)]
    await acceptor.place(order(account_id, leverage=None))
    assert database.execute("SELECT leverage FROM orders").fetchall() == [(7,)]


async def test_what_open_orders_may_lose_cannot_be_withdrawn(
    acceptor: Acceptor, pool: AsyncPool, database: psycopg.Connection[Any]
) -> None:
    account_id = trader(database, "20")
    await acceptor.place(order(account_id, lots=100, leverage=20))
    database.execute("UPDATE market_prices SET mark_ticks = 4491")  # 15 below its limit
    async with unit_of_work(pool) as connection:
        refusal = await refused(withdraw(connection, account_id, "USDC", 5_000_000))
    assert refusal.details["available"] == "4.969945"


async def test_an_order_that_is_younger_than_what_was_read_before_it_is_left_out() -> None:
    """Two statements read an account; its first order may come between them."""
    place = 1_000 * FLAGS + Side.BUY
    younger = ("ETH-PERP", *map(sent, (7, place, 5_991, 10)), None)
    assert joined([], [younger], {"ETH-PERP": (ETH_PERP, MARK)}) == {1_000: {}}


def sent(number: int) -> bytes:
    """An array of one number, as array_send has it."""
    head = struct.pack(">5i", 1, 0, 20, 1, 1)
    return head + struct.pack(">iq", 8, number)
