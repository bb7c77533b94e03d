"""An exchange that has lived so long that its sums have left 64 bits answers to the last digit."""

from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest

from sim.money.candles import INTERVALS_US
from sim.orders import OrderStatus
from sim.rows.messages import Side
from sim.units import format_atoms
from storage.postgres.database import now_us
from storage.postgres.database_roles import DatabaseUrls
from storage.servers.embedded import EmbeddedValkey
from tests.actors.house import MARKET, House
from tests.api.deployment import Deployment, Person, error_of, running
from tests.auditor import check_money
from tests.builders import order, position
from tests.waiting import eventually

MOST = 2**63 - 1
INTERVALS = ("1m", "5m", "15m", "1h", "4h", "1d")
TRADES = ((Side.BUY, 40, 5_991), (Side.SELL, 30, 6_000), (Side.SELL, 10, 6_100))
"""What becomes of Alice's three resting orders."""

LOTS = sum(lots for _, lots, _ in TRADES)
NOTIONAL = sum(lots * ticks * 100 for _, lots, ticks in TRADES)
EARNED = 30 * 9 * 100 + 10 * 109 * 100
FEES = 4_793 + 3_600 + 1_220
WEALTH = MOST + EARNED - FEES


@pytest.fixture
def old(
    house: House, database_urls: DatabaseUrls, valkey: EmbeddedValkey, tmp_path: Path
) -> Iterator[Deployment]:
    with running(database_urls, valkey.limits_url, tmp_path / "api") as deployment:
        yield deployment


def aged(house: House, account_id: int) -> None:
    """The account has earned and the market has turned over all that 64 bits hold."""
    run = house.database.execute
    run("UPDATE balances SET total_atoms = %s WHERE account_id = %s", (MOST, account_id))
    run(
        "UPDATE ledger_entries SET amount_atoms = CASE leg WHEN 0 THEN %s ELSE %s END"
        " WHERE seq = %s AND source = 'transfer'",
        (MOST, -MOST, account_id),
    )
    position(house.database, account_id, 0, 0, MOST)
    run(
        "INSERT INTO candles (market_id, width_us, open_time_us, open_ticks, high_ticks, low_ticks,"
        " close_ticks, volume_lots, notional_atoms, trade_count)"
        " SELECT %s, w, (%s / 60000000 + n) * 60000000 / w * w AS opened, 5991, 5991, 5991, 5991,"
        " count(*) * %s::numeric, count(*) * %s::numeric, count(*)"
        " FROM generate_series(-1, 1) AS n, unnest(%s::bigint[]) AS w GROUP BY w, opened",
        (MARKET, now_us(), MOST, MOST, list(INTERVALS_US.values())),
    )


def crossed_by_trades(house: House, alice: Person, bob: Person) -> None:
    """Alice's orders, accepted before she was that rich, are all filled."""
    house.open()
    resting = [
        house.place_one(order(alice.user_id, side, lots, price_ticks=ticks))
        for side, lots, ticks in TRADES
    ]
    house.settled()
    house.close()  # what the recorder has in memory is read again
    aged(house, alice.user_id)
    house.open()
    for placed, (side, lots, ticks) in zip(resting, TRADES, strict=True):
        other = Side.SELL if side == Side.BUY else Side.BUY
        house.place_one(order(bob.user_id, other, lots, price_ticks=ticks))
        eventually(partial(is_filled, house, placed, lots))


def is_filled(house: House, order_id: int, lots: int) -> bool:
    return house.state(order_id) == (OrderStatus.FILLED, lots)


def test_sums_beyond_64_bits_are_exact_everywhere(house: House, old: Deployment) -> None:
    alice, bob = old.person("100000"), old.person("100000")
    crossed_by_trades(house, alice, bob)
    check_money(house.database)
    (realized,) = house.database.execute(
        "SELECT realized_pnl_atoms FROM positions WHERE account_id = %s", (alice.user_id,)
    ).fetchall()
    assert realized == (WEALTH,)
    assert [balance["total"] for balance in alice.get("/balances").json()] == [format_atoms(WEALTH)]
    assert alice.get("/ledger").json()[0]["balanceAfter"] == format_atoms(WEALTH)
    assert len(alice.get("/fills").json()) == len(TRADES)
    assert old.http.post("/admin/drain").json() == {"processed": 0}
    assert old.http.get("/health").json()["status"] == "ok"
    refused = alice.post(
        "/orders",
        {"marketId": MARKET, "side": "BUY", "type": "LIMIT", "quantity": "1", "price": "59"},
    )
    assert error_of(refused) == (400, "INVALID_ORDER")
    assert alice.post("/account/reset").json()["total"] == "0"
    assert alice.get("/ledger").json()[0]["amount"] == format_atoms(-WEALTH)
    check_money(house.database)


def test_an_open_position_shows_a_profit_beyond_64_bits(house: House, old: Deployment) -> None:
    alice = old.person()
    position(house.database, alice.user_id, 10, -4 * MOST, 3 * MOST)
    (held,) = alice.get("/positions").json()
    assert held["realizedPnl"] == format_atoms(3 * MOST)
    assert held["unrealizedPnl"] == format_atoms(10 * 5_991 * 100 + 4 * MOST)


def test_candles_of_every_interval_sum_beyond_64_bits(house: House, old: Deployment) -> None:
    crossed_by_trades(house, old.person("100000"), old.person("100000"))
    end = now_us() // 1_000 + 600_000
    for interval in INTERVALS:
        path = f"/markets/{MARKET}/candles?interval={interval}&end={end}&limit=20"
        candles = old.http.get(path).json()
        volume = sum(Decimal(candle["volume"]) for candle in candles)
        turnover = sum(Decimal(candle["quoteVolume"]) for candle in candles)
        assert volume * 100 == 3 * MOST + LOTS, interval
        assert turnover * 1_000_000 == 3 * MOST + NOTIONAL, interval
