"""What accounts have open, read and summed all at once, is what its orders come to one by one."""

import random
from collections import defaultdict
from dataclasses import astuple
from typing import Any

import numpy as np
import psycopg
import pytest

from sim.money.open_orders import OpenOrders
from sim.rows.messages import OrderType, Side
from storage.intake.exposures import exposures
from storage.postgres.database import AsyncPool
from storage.postgres.unit_of_work import unit_of_work
from tests.builders import trader

MARK = 5_991
KINDS = (OrderType.LIMIT, OrderType.MARKET, OrderType.STOP, OrderType.TAKE_PROFIT_LIMIT)
INSERT = """
INSERT INTO orders (id, account_id, market_id, body_hash, side, order_type, time_in_force,
    price_ticks, quantity_lots, filled_lots, leverage, reduce_only, post_only, reserved_atoms,
    status, reason, created_at_us, updated_at_us, triggered_at_us)
VALUES (%(id)s, %(account)s, %(market)s, '', %(side)s, %(kind)s, 1, %(price)s, %(lots)s,
    %(filled)s, 1, %(reduces)s, false, 0, %(status)s, 0, 0, 0, %(triggered)s)"""
AMEND = "INSERT INTO amendments VALUES (%(id)s, %(account)s, %(added)s, %(becomes)s, 0, 0, 0, 0)"


def some_order(dice: random.Random, number: int, account_id: int) -> dict[str, Any]:
    lots, kind = dice.randint(1, 50), dice.choice(KINDS)
    return {
        "id": number,
        "account": account_id,
        "market": dice.choice(["ETH-PERP", "BTC-PERP", "ETH_USDC"]),
        "side": dice.choice([1, 2]),
        "kind": int(kind),
        "price": MARK + dice.randint(-100, 100),
        "lots": lots,
        "filled": dice.randrange(lots),
        "reduces": dice.random() < 0.3,
        "status": dice.randint(1, 5),
        "triggered": dice.choice([0, 1]) if kind > OrderType.MARKET else 0,
        "added": dice.randint(-3, 9),
        "becomes": dice.choice([0, MARK + dice.randint(-100, 100)]),
        "amended": dice.random() < 0.2,
    }


def sums_by_hand(orders: list[dict[str, Any]]) -> dict[tuple[str, int], list[int]]:
    """The fields of OpenSide in their order, by market and side."""
    found: dict[tuple[str, int], list[int]] = defaultdict(lambda: [0] * 7)
    for one in orders:
        if one["status"] > 3:
            continue
        lots, price, sign = one["lots"] - one["filled"], one["price"], 3 - 2 * one["side"]
        if one["amended"]:
            lots += max(0, one["added"])
            price = sign * max(sign * price, sign * (one["becomes"] or price))
        loss = max(0, sign * (price - MARK))
        waits = one["kind"] > OrderType.MARKET and not one["triggered"]
        adds = [1, lots, price * lots, 0 if one["reduces"] else lots, 0, 0, 0]
        if waits:
            adds[6] = loss * lots
        elif loss:
            adds[4:6] = [lots, price * lots]
        place = one["market"], one["side"]
        found[place] = [sum(pair) for pair in zip(found[place], adds, strict=True)]
    return dict(found)


@pytest.mark.asyncio
@pytest.mark.parametrize("seed", range(4))
async def test_all_that_an_account_has_open_is_summed_by_market_and_side(
    pool: AsyncPool, database: psycopg.Connection[Any], seed: int
) -> None:
    dice = random.Random(seed)
    mine, other = trader(database), trader(database)
    database.execute("UPDATE market_prices SET mark_ticks = %s", (MARK,))
    database.execute(
        "INSERT INTO leverages SELECT %s, market_id, 7 FROM markets WHERE kind = 'PERPETUAL'",
        (mine,),
    )
    orders = [some_order(dice, n, mine if n % 3 else other) for n in range(1, 90)]
    for one in orders:
        database.execute(INSERT, one)
        if one["amended"]:
            database.execute(AMEND, one)
    async with unit_of_work(pool) as connection:
        held = await exposures(connection, mine)
    found = {
        (market_id, int(side)): list(astuple(sums))
        for market_id, exposure in held.items()
        for side, sums in exposure.open_sides.items()
    }
    assert found == sums_by_hand([one for one in orders if one["account"] == mine])
    assert {one.leverage for one in held.values() if not one.spec.is_spot} == {7}


def test_sums_leave_64_bits() -> None:
    """Each order fits, all of them do not."""
    lots, price, count = 10**9, 10**9, 10
    same = [np.full(count, number) for number in (1_000, int(Side.BUY), price, lots, 0)]
    ((account_id, side, sums),) = OpenOrders(*same).sums(mark_ticks=1)
    assert (account_id, side) == (1_000, Side.BUY)
    all_lots, all_worth = count * lots, count * price * lots
    assert all_worth > 2**63
    assert astuple(sums) == (count, all_lots, all_worth, all_lots, all_lots, all_worth, 0)
    assert OpenOrders(*(column[:0] for column in same)).sums(mark_ticks=1) == []
