"""Two of everything, lost replies, foreign streams: nothing that anyone can see changes twice."""

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import psycopg
import pytest
import redis

import actors.live.relay
from actors.live.inbox import StrategyBatch
from actors.live.market import Market
from actors.live.recorder import Recorder
from actors.live.relay import Relay
from sim.orders import OrderStatus
from sim.rows.messages import CommandKind, OrderType, Side, empty_commands
from storage.errors import DatabaseUnavailable, Superseded, wrapped
from storage.intake.commands import LOCK_SEQUENCES
from storage.market import journal
from storage.market.streams import Streams, commands_stream, events_stream, packed_events
from storage.postgres import database
from storage.postgres.database import connect
from storage.reading import projection_sql
from tests.actors.house import MARKET, House
from tests.builders import order, trader
from tests.waiting import eventually

LOST = 0.25
ORDERS = 120


def traded(house: House, dice: random.Random, meanwhile: Callable[[], None]) -> None:
    """Random orders and cancellations in portions, and something else after each."""
    accounts = [trader(house.database, "100000") for _ in range(4)]
    for _ in range(ORDERS // 10):
        wishes = [
            order(
                dice.choice(accounts),
                dice.choice(list(Side)),
                dice.randint(1, 50),
                price_ticks=5_991 + dice.randint(-5, 5),
            )
            for _ in range(10)
        ]
        house.place(*wishes)
        house.cancel(dice.choice(accounts), None)
        meanwhile()


def new_seed() -> int:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    return seed


def losing(dice: random.Random, work: Callable[..., Any]) -> Callable[..., Any]:
    """The same work, but now and then its request or its answer is lost with the connection."""

    def try_to(connection: psycopg.Connection[Any], *arguments: Any) -> Any:
        chance = dice.random()
        if chance > LOST / 2:
            answer = work(connection, *arguments)
        if chance < LOST:
            connection.close()
            raise psycopg.OperationalError("server closed the connection unexpectedly")
        return answer

    return try_to


def test_lost_requests_and_answers_are_made_good(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    dice = random.Random(new_seed())
    for module, name in (
        (journal, "commit_batch"),
        (projection_sql, "write"),
        (actors.live.relay, "sequence"),
    ):
        work = losing(dice, getattr(module, name))
        monkeypatch.setattr(module, name, unavailable(work))
    house.open()
    traded(house, dice, lambda: None)
    house.settled()


def unavailable(work: Callable[..., Any]) -> Callable[..., Any]:
    """The driver's error as the room above sees it."""

    def attempt(*arguments: Any) -> Any:
        try:
            return work(*arguments)
        except psycopg.OperationalError as error:
            raise DatabaseUnavailable(str(error)) from error

    return attempt


def test_sessions_that_the_server_ends_at_any_moment_cost_nothing(house: House) -> None:
    dice = random.Random(new_seed())
    house.open()

    def end_sessions() -> None:
        house.database.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname ="
            " current_database() AND application_name LIKE 'sandpit-%'"
            " AND application_name <> 'sandpit-test'"
        )

    traded(house, dice, end_sessions)
    house.settled()


def test_two_relays_number_without_gaps(house: House) -> None:
    dice = random.Random(new_seed())
    house.open()
    house.actors += [Relay(*house.urls, run=True) for _ in range(2)]
    traded(house, dice, lambda: None)
    house.settled()


def test_two_recorders_project_each_batch_once(house: House) -> None:
    dice = random.Random(new_seed())
    market, relay = Market(MARKET, *house.urls, run=True), Relay(*house.urls, run=True)
    house.actors += [market, relay]
    recorders = [Recorder([MARKET], *house.urls) for _ in range(2)]
    superseded = 0

    def step() -> None:
        nonlocal superseded
        for place in dice.sample(range(2), 2):
            try:
                recorders[place].step()
            except Superseded:
                superseded += 1
                recorders[place].stop()
                recorders[place] = Recorder([MARKET], *house.urls)

    def caught_up() -> bool:
        step()
        return house.count(BEHIND) == 0

    traded(house, dice, step)
    eventually(caught_up)
    house.actors += recorders
    house.settled()
    assert superseded
    assert house.count(f"SELECT status FROM markets WHERE market_id = '{MARKET}'") == 1


BEHIND = """
SELECT count(*) FROM market_heads h JOIN projections p USING (market_id)
WHERE h.batch_no > p.batch_no OR EXISTS (SELECT 1 FROM commands WHERE command_seq IS NULL
    OR (commands.market_id = h.market_id AND commands.command_seq > h.command_seq))"""


def test_a_market_that_wakes_between_commit_and_publishing_repeats_what_is_known(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = trader(house.database)
    zombie = Market(MARKET, *house.urls)
    publish = Streams.append

    def asleep(streams: Streams, stream: str, entries: list[tuple[int, bytes]]) -> bool:
        monkeypatch.undo()
        house.open()
        house.place(order(alice), order(alice))
        house.settled()
        return publish(streams, stream, entries)

    monkeypatch.setattr(Streams, "append", asleep)
    zombie.process([StrategyBatch(1, 1, placing(alice))])
    with pytest.raises(Superseded):
        zombie.process([StrategyBatch(1, 2, placing(alice))])
    house.place(order(alice))
    house.settled()
    zombie.stop()
    assert house.count("SELECT count(*) FROM snapshots WHERE batch_no > 0") <= 1


def placing(account_id: int) -> Any:
    rows = empty_commands(1)
    rows["kind"], rows["order_id"], rows["account_id"] = CommandKind.PLACE, -1, account_id
    rows["side"], rows["order_type"], rows["time_in_force"] = Side.BUY, OrderType.LIMIT, 1
    rows["price_ticks"], rows["quantity_lots"] = 1, 1
    return rows


def test_a_process_that_stops_inside_a_transaction_gives_its_locks_back(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "TRANSACTION_IDLE_MS_MAX", 100)
    frozen = connect(house.urls[0], "frozen")
    frozen.execute("BEGIN")
    frozen.execute(LOCK_SEQUENCES)
    house.open()
    placed = house.place_one(order(trader(house.database)))
    eventually(lambda: house.state(placed)[0] == OrderStatus.OPEN)
    with pytest.raises(DatabaseUnavailable), wrapped():
        frozen.execute("COMMIT")
    frozen.close()


def test_what_another_deployment_left_in_the_streams_is_never_read(
    house: House, valkey: Any
) -> None:
    alice = trader(house.database)
    foreign = np.concatenate([placing(alice)] * 3)
    foreign["command_seq"] = [1, 2, 3]
    with redis.Redis.from_url(valkey.admin_url) as client:
        for number in range(1, 4):
            theirs = {"d": foreign[number - 1 : number].tobytes(), "o": "another"}
            client.xadd(commands_stream(MARKET), theirs, id=f"{number}-0")
            events = {"d": packed_events(number, number, number, b""), "o": "another"}
            client.xadd(events_stream(MARKET), events, id=f"{number}-0")
        house.open()
        house.place(*[order(alice) for _ in range(5)])
        house.settled()
        client.xadd(commands_stream(MARKET), {"greeting": "by hand"})
        client.xadd(events_stream(MARKET), {"greeting": "by hand"})
        house.place(*[order(alice) for _ in range(5)])
        house.settled()
        eventually(lambda: newest(client, commands_stream(MARKET)) <= 10)
        assert house.count("SELECT count(*) FROM orders WHERE status = 2") == 10


def newest(client: Any, stream: str) -> int:
    """The number of the newest entry; 0 where there is none."""
    entries = client.xrevrange(stream, count=1)
    return int(entries[0][0].split(b"-")[0]) if entries else 0


def test_a_valkey_that_refuses_to_store_costs_time_only(house: House, valkey: Any) -> None:
    house.open()
    alice = trader(house.database)
    with redis.Redis.from_url(valkey.admin_url) as client:
        before = client.config_get("maxmemory")["maxmemory"]
        client.config_set("maxmemory", 1)
        try:
            house.place(*[order(alice) for _ in range(5)])
            house.settled()
        finally:
            client.config_set("maxmemory", before)
    house.place(order(alice))
    house.settled()


def test_a_market_that_is_stopped_while_it_waits_keeps_no_state_ahead_of_its_journal(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[object] = []

    def away(*batch: Any) -> None:
        tried.append(batch)
        raise DatabaseUnavailable("away")

    monkeypatch.setattr(journal, "commit_batch", away)
    house.open()
    placed = house.place_one(order(trader(house.database)))
    eventually(lambda: len(tried) > 1)
    house.close()
    assert house.count("SELECT count(*) FROM snapshots") == 0
    monkeypatch.undo()
    house.open()
    eventually(lambda: house.state(placed)[0] == OrderStatus.OPEN)
    house.settled()
