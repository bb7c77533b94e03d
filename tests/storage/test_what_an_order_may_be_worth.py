"""The most that an order may be worth is the same for clients and for simulated traders."""

from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from sim.market import MarketSpec
from sim.money.acceptance import MarketNow
from sim.money.margin import Exposure
from sim.money.order_margin import OrderMargin
from sim.money.position import Position
from sim.money.rules import ORDER_ATOMS_MAX
from sim.orders import PlaceOrder
from sim.populations.command_rows import places
from sim.refusals import Refusal, Refused
from sim.rows.messages import MarketStatus, OrderFlag, Rows, Side
from sim.units import ATOMS_PER_UNIT
from storage.intake.accept_check import decide
from storage.intake.accept_state import Account, Accounts, OpenOrdersMax
from tests.builders import order
from tests.markets import SPOT
from tests.sim.scenario_texts import scenario_of, world_of

STEPS: Any = (Decimal("0.01"), Decimal("1"), 20_000)
PERP = MarketSpec("BIG-PERP", "BIG", "USDC", *STEPS)
SPOT_MARKET = MarketSpec("BIG_USDC", "BIG", "USDC", *STEPS, **SPOT)
MARK, LOTS = 10_000_000, 10_000
HELD_LOTS = 15_000
MONEY_ATOMS = 100 * ORDER_ATOMS_MAX
TRADER = 7
TOO_LARGE = f"{Refusal.INVALID_ORDER}: An order may be worth at most 1000000000"

ANYWHERE: list[tuple[Side, int, int, dict[str, bool]]] = [
    (Side.BUY, MARK, MARK - 10, {}),
    (Side.SELL, MARK, MARK - 10, {}),
    (Side.SELL, MARK - 50, MARK, {}),
    (Side.SELL, MARK, MARK - 10, {"post_only": True}),
]
ORDERS = [(*one, spec) for one in ANYWHERE for spec in (PERP, SPOT_MARKET)]
ORDERS.append((Side.SELL, MARK, MARK - 10, {"reduce_only": True}, PERP))

MARKET = """
[[markets]]
id = "BIG-PERP"
base = "BIG"
quote = "USDC"
tick_size = "0.01"
lot_size = "1"
max_quantity = "20000"
price = {process = "synthetic", start = "100000"}

[[populations]]
name = "one"
strategy = "noise"
heads = 1
capital = "100000000000"
"""


def live(wish: PlaceOrder, bid: int, mark: int = MARK) -> str:
    """What acceptance says of the order, to an account with money and a position."""
    spec, nothing = wish.spec, np.empty((0, 3), np.int64)
    about, free = (0, 0, "TRADER", "ACTIVE", TRADER, False), {"BIG": 10**8 * HELD_LOTS}
    now = MarketNow(spec, MarketStatus.ACTIVE, mark, mark, 0, bid, nothing, nothing)
    cost_atoms = HELD_LOTS * mark * spec.atoms_per_tick_lot
    held = (
        {}
        if spec.is_spot
        else {spec.market_id: Exposure(spec, mark, Position(HELD_LOTS, cost_atoms))}
    )
    account = Account(MONEY_ATOMS, 0, *about, free_atoms=free, held=held)
    try:
        decide(wish, Accounts({TRADER: account}, {spec.market_id: now}), OpenOrdersMax(10, 10), 0)
    except Refused as refused:
        return f"{refused.refusal}: {refused.message}"
    return "taken"


def simulated(wish: PlaceOrder, bid: int) -> str:
    """What the part of a strategy says, whose trader has as much."""
    leverage = 1 if wish.spec.is_spot else 10
    margin = OrderMargin(range(TRADER, TRADER + 1), MONEY_ATOMS, [wish.spec], leverage)
    margin.begin_with(0, np.array([HELD_LOTS]))
    kept = margin.admit([row_of(wish)], [(bid, MARK)], np.zeros(1, np.int64))[0]
    assert len(kept) == 1 - margin.refused
    assert margin.too_large == margin.refused
    return TOO_LARGE if margin.too_large else "taken"


def row_of(wish: PlaceOrder) -> Rows:
    columns = (wish.account_id, wish.side, wish.price_ticks, wish.quantity_lots)
    row = places(*(np.array([column], np.int64) for column in columns))
    row["flags"] = wish.reduce_only * OrderFlag.REDUCE_ONLY + wish.post_only * OrderFlag.POST_ONLY
    return row


@pytest.mark.parametrize(("side", "price", "bid", "more", "spec"), ORDERS)
def test_the_same_order_is_taken_at_the_bound_and_refused_above_it(
    side: Side, price: int, bid: int, more: dict[str, bool], spec: MarketSpec
) -> None:
    """A tick of the price that it reserves at, which of a cheap sale is the bid, makes the
    difference."""
    assert spec.notional_atoms(max(price, bid), LOTS) == ORDER_ATOMS_MAX
    leverage = None if spec.is_spot else 10
    for above, expected in ((0, "taken"), (1, TOO_LARGE)):
        wish = order(
            TRADER, side, LOTS, spec=spec, leverage=leverage, price_ticks=price + above, **more
        )
        assert live(wish, bid + above) == simulated(wish, bid + above) == expected


def test_a_simulated_world_sends_what_acceptance_takes() -> None:
    world = world_of(scenario_of(MARKET, duration_s=2))
    part, sent = world.parts[0], list[str]()

    def largest(step: int, views: Any) -> list[Rows]:
        bid, mark = views[0].best_bid_ticks, views[0].mark_ticks
        lots = ORDER_ATOMS_MAX // (mark * PERP.atoms_per_tick_lot)
        account_id = part.population.accounts.start
        rows = []
        for more in (0, 1):
            wish = order(TRADER, Side.BUY, lots + more, spec=PERP, price_ticks=mark)
            sent.append(live(wish, bid, mark))
            rows.append(row_of(wish))
            rows[-1]["account_id"] = account_id
        return [np.concatenate(rows)]

    part.population.act = largest  # type: ignore[method-assign]
    part.population.next_step = lambda after: after + 1  # type: ignore[method-assign]
    for _ in range(world.scenario.steps):
        world.step()
    assert (sent.count("taken"), sent.count(TOO_LARGE)) == (len(sent) // 2, len(sent) // 2)
    assert (part.rows_sent, part.orders_refused) == (len(sent) // 2, len(sent) // 2)
    assert len(sent) > 20


def test_what_a_trader_may_carry_ends_where_a_clients_account_does() -> None:
    """More equity than carries positions of 10**12 does not count."""
    for leverage in (1, 10):
        margin = OrderMargin(range(1), 10**13 * ATOMS_PER_UNIT, [PERP], leverage)
        assert margin.free_atoms.tolist() == [10**12 * ATOMS_PER_UNIT // leverage]
