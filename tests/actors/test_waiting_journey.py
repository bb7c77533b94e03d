"""Orders that wait, are linked or amended, through relay, market and recorder at once."""

import asyncio
import random
import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from actors.commands import market as market_command
from sim.market import MarketSpec
from sim.orders import OrderStatus, PlaceOrder, Terms
from sim.refusals import Refused
from sim.rows.messages import COMMAND, CommandKind, OrderFlag, OrderType, Side
from sim.rows.order_types import LIMIT, type_when_triggered
from storage.intake.amendments import Amend, OpenOrder, amend
from storage.intake.cancel_after import SET, fire_expired
from storage.intake.idempotency import Asked
from storage.postgres.database import open_pool
from storage.postgres.unit_of_work import unit_of_work
from storage.settings import Settings
from tests.actors.house import MARKET, House, bytes_of
from tests.builders import order, trader, with_money
from tests.markets import ETH_PERP, ETH_SPOT
from tests.waiting import eventually

TURNS = OrderFlag.MAY_OPEN, OrderFlag.REDUCE_ONLY
ROUNDS, ROUNDS_MAX, ORDERS_A_ROUND, AMENDED_A_ROUND = 12, 60, 40, 20
OPEN = "SELECT id, account_id FROM orders WHERE status <= 3"
TOO_LITTLE = """
SELECT count(*) FROM orders WHERE status <= 3 AND may_open AND NOT reduce_only AND CASE
    WHEN market_id = 'ETH-PERP'
    THEN reserved_atoms * leverage < price_ticks * (quantity_lots - filled_lots) * 100
    WHEN side = 2 THEN reserved_atoms <> (quantity_lots - filled_lots) * 100000
    ELSE reserved_atoms < price_ticks * (quantity_lots - filled_lots) * 10 END"""
"""A tick of a lot of ETH-PERP is 100 atoms, and 10 of ETH_USDC, whose lot is 100,000 of ETH."""
OWING = "SELECT count(*) FROM balances WHERE total_atoms < 0"
LOCKED = "SELECT coalesce(sum(locked_atoms) + sum(open_orders), 0) FROM balances"


def wish(dice: random.Random, account_id: int, spec: MarketSpec) -> PlaceOrder:
    kind = dice.choice([OrderType.LIMIT, OrderType.LIMIT, *OrderType])
    if kind == OrderType.MARKET:
        kind = OrderType.STOP
    price = 5_991 + dice.randint(-12, 12)
    waits, has_limit = kind > OrderType.MARKET, type_when_triggered(kind) == LIMIT
    trigger = 0 if not waits else price
    terms = Terms(
        dice.randint(1, 9) if kind == OrderType.TRAILING else trigger,
        waits and dice.random() < 0.2,
        time.time_ns() // 1_000 + dice.randint(10**5, 3 * 10**6) if dice.random() < 0.2 else 0,
        f"link {dice.randint(1, 3)}" if dice.random() < 0.2 else None,
    )
    return order(
        account_id,
        dice.choice(list(Side)),
        dice.randint(1, 50),
        order_type=kind,
        price_ticks=price + dice.randint(-3, 3) if has_limit else 0,
        reduce_only=dice.random() < 0.2 and not spec.is_spot,
        terms=terms,
        spec=spec,
        leverage=None if spec.is_spot else 10,
    )


def amended_by(dice: random.Random) -> Amend:
    """Another quantity, price or trigger of whatever order it is given."""

    def changed(open_order: OpenOrder) -> OpenOrder:
        place = open_order.place
        left = max(1, open_order.open_lots + dice.randint(-20, 20))
        trigger = place.terms.trigger_ticks
        if trigger and not open_order.is_triggered and place.order_type != OrderType.TRAILING:
            trigger += dice.randint(-5, 5)
        price = place.price_ticks
        return replace(
            open_order,
            place=replace(
                place,
                quantity_lots=open_order.filled_lots + left,
                price_ticks=price + dice.randint(-5, 5) if price else 0,
                terms=replace(place.terms, trigger_ticks=trigger),
            ),
        )

    return changed


def amend_some(house: House, dice: random.Random) -> int:
    """Ask for amendments side by side; how many were accepted."""
    rows = house.database.execute(OPEN).fetchall()
    chosen = dice.sample(rows, min(AMENDED_A_ROUND, len(rows)))

    async def work() -> int:
        pool = await open_pool(house.api_url, 4)

        async def one(order_id: Any, account_id: Any) -> int:
            asked = Asked(account_id, "", b"", None)
            try:
                async with unit_of_work(pool) as connection:
                    await amend(connection, asked, order_id, amended_by(dice))
            except Refused:
                return 0
            return 1

        accepted = await asyncio.gather(*[one(*row) for row in chosen])
        await pool.close()
        return sum(accepted)

    return asyncio.run(work())


def turned(house: House) -> set[int]:
    """What the market was told of orders that are amended: nothing, to open, to close."""
    rows = house.database.execute("SELECT payload FROM commands").fetchall()
    commands = np.frombuffer(b"".join(bytes_of(row[0]) for row in rows), COMMAND)
    return set(commands["flags"][commands["kind"] == CommandKind.AMEND].tolist())


@pytest.mark.parametrize("spec", [ETH_PERP, ETH_SPOT], ids=lambda spec: spec.market_id)
def test_a_random_run_of_orders_that_wait_and_are_amended_locks_what_it_should(
    spec: MarketSpec, house: House
) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    dice, amended = random.Random(seed), 0
    house.open(spec.market_id)
    people = [trader(house.database, "1000") for _ in range(5)]
    for person in people:
        with_money(house.database, person, "0.5", "ETH")
    wanted = {0} | ({*TURNS} if not spec.is_spot else set())
    for number in range(ROUNDS_MAX):
        if number >= ROUNDS and turned(house) == wanted:
            break  # chance may take longer to turn an order both ways
        house.place(*[wish(dice, dice.choice(people), spec) for _ in range(ORDERS_A_ROUND)])
        amended += amend_some(house, dice)
        house.cancel(dice.choice(people), None)
        if number % 4 == 3:
            house.settled()
            assert house.count(TOO_LITTLE) == 0
            assert not spec.is_spot or house.count(OWING) == 0
    assert amended > ROUNDS
    assert turned(house) == wanted
    for person in people:
        house.cancel(person, None)
    house.settled()
    assert house.count(LOCKED) == 0
    assert house.count("SELECT count(*) FROM amendments") == 0
    for status in (OrderStatus.FILLED, OrderStatus.EXPIRED):
        assert house.count(f"SELECT count(*) FROM orders WHERE status = {status:d}") > 0
    triggered = "SELECT count(*) FROM orders WHERE triggered_at_us > 0"
    assert eventually(lambda: house.count(triggered)) > 0


def waiting(account_id: int) -> PlaceOrder:
    return order(account_id, order_type=OrderType.STOP, price_ticks=0, terms=Terms(6_100))


def test_what_waits_ends_with_the_dead_mans_switch_and_with_a_drain(house: House) -> None:
    house.open()
    alice = trader(house.database)
    first = house.place_one(waiting(alice))
    eventually(lambda: house.state(first)[0] == OrderStatus.OPEN)
    house.database.execute(SET, (alice, 1))
    assert fire_expired(house.database, 1) == 1
    eventually(lambda: house.state(first)[0] == OrderStatus.CANCELED)
    second = house.place_one(waiting(alice))
    eventually(lambda: house.state(second)[0] == OrderStatus.OPEN)
    operator = Settings.load(database_url=house.urls[0])
    market_command.halt_market(operator, MARKET, "to be looked at")
    market_command.drain_market(operator, MARKET)
    eventually(lambda: house.state(second)[0] == OrderStatus.CANCELED)
    market_command.resume_market(operator, MARKET)
    house.settled()
    assert house.count(LOCKED) == 0
