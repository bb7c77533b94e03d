"""Times of one market never go back, by whatever clock and in whatever order it is stamped."""

import time

import numpy as np
import pytest

from actors.live.inbox import ClientRows, StrategyBatch
from actors.live.market import Market
from sim.rows.messages import EVENT, CommandKind, OrderType, Rows, Side, empty_commands
from tests.actors.house import MARKET, House, bytes_of

STRATEGY_ACCOUNT = 1_000_000_000
HOUR_NS = 3_600 * 10**9


def resting(order_id: int, account_id: int) -> Rows:
    rows = empty_commands(1)
    rows["kind"], rows["order_id"], rows["account_id"] = CommandKind.PLACE, order_id, account_id
    rows["side"], rows["order_type"], rows["time_in_force"] = Side.BUY, OrderType.LIMIT, 1
    rows["price_ticks"], rows["quantity_lots"] = 1, 1
    return rows


def of_strategy(number: int) -> StrategyBatch:
    return StrategyBatch(1, number, resting(-number, STRATEGY_ACCOUNT))


def of_client(number: int, numbered_at_us: int) -> ClientRows:
    rows = resting(number, 1_000)
    rows["command_seq"], rows["time_us"] = number, numbered_at_us
    return ClientRows(rows)


def journalled(house: House) -> list[int]:
    rows = house.database.execute("SELECT events FROM journal ORDER BY batch_no").fetchall()
    events = np.concatenate([np.frombuffer(bytes_of(row[0]), EVENT) for row in rows])
    return list(events["time_us"].tolist())


def shown(house: House) -> int:
    return house.count(f"SELECT at_us FROM market_views WHERE market_id = '{MARKET}'")


def test_times_never_go_back_between_strategies_clients_and_lives(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_ns = time.time_ns()
    market = Market(MARKET, *house.urls)
    market.process([of_strategy(1), of_client(1, now_ns // 1_000 - 5_000_000)])
    market.process([of_client(2, now_ns // 1_000 - 4_000_000)])
    seen = [shown(house)]
    monkeypatch.setattr(time, "time_ns", lambda: now_ns - HOUR_NS)
    market.process([of_strategy(2), of_client(3, now_ns // 1_000 - 3_000_000)])
    seen.append(shown(house))
    market.stop()
    again = Market(MARKET, *house.urls)
    again.process([of_client(4, now_ns // 1_000 - 2_000_000), of_strategy(3)])
    seen.append(shown(house))
    again.stop()
    times = journalled(house)
    assert len(times) == 7
    assert times == sorted(times)
    assert seen == sorted(seen)
    assert seen[-1] >= times[-1]
