"""Numbers: gap-free, in the order of identity, however many relays and however late a commit."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from sim.rows.layouts import SHORT_BYTES
from sim.rows.messages import CommandKind
from storage.intake.accept_sql import command_payload
from storage.intake.commands import commands_after, sequence
from storage.postgres.database import connect
from tests.builders import listed_markets

MARKET = "ETH-PERP"
INSERT = """
INSERT INTO commands (market_id, account_id, order_id, payload, created_at_us)
VALUES (%s, 1000, %s, %s, 0)"""


@pytest.fixture
def database(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    with connect(database_url, "test") as connection:
        listed_markets(connection)
        yield connection


def insert(connection: psycopg.Connection[Any], order_id: int) -> None:
    payload = command_payload(CommandKind.CANCEL, 1000, order_id)
    connection.execute(INSERT, (MARKET, order_id, payload))


def test_a_command_that_an_earlier_version_has_stored_is_the_same_row(
    database: psycopg.Connection[Any],
) -> None:
    payload = command_payload(CommandKind.CANCEL, 1000, 5)
    database.execute(INSERT, (MARKET, 5, payload[:SHORT_BYTES]))
    insert(database, 5)
    first, second = sequence(database, 7)[MARKET]
    first["command_seq"] = second["command_seq"]
    assert first == second


def test_relays_at_the_same_time_give_each_command_one_number(
    database: psycopg.Connection[Any], database_url: str
) -> None:
    for order_id in range(1, 201):
        insert(database, order_id)

    def relay(number: int) -> list[int]:
        numbers: list[int] = []
        with connect(database_url, f"relay{number}") as connection:
            for _ in range(10):
                found = sequence(connection, now_us=number)
                numbers += [seq for rows in found.values() for seq in rows["command_seq"].tolist()]
                insert(connection, 1_000 * number)
        return numbers

    with ThreadPoolExecutor(4) as pool:
        told = [number for numbers in pool.map(relay, range(1, 5)) for number in numbers]
    told += [n for rows in sequence(database, 9).values() for n in rows["command_seq"].tolist()]
    assert sorted(told) == list(range(1, 241))
    rows = commands_after(database, MARKET, 0, 1_000)
    assert rows["command_seq"].tolist() == list(range(1, 241))
    assert sorted(rows["time_us"].tolist()) == rows["time_us"].tolist()


def test_a_command_that_commits_late_is_numbered_late(
    database: psycopg.Connection[Any], database_url: str
) -> None:
    with connect(database_url, "late") as late, late.transaction():
        insert(late, 1)
        insert(database, 2)
        assert sequence(database, 5)[MARKET]["order_id"].tolist() == [2]
    (rows,) = sequence(database, 4).values()
    assert rows["order_id"].tolist() == [1]
    assert rows["command_seq"].tolist() == [2]
    assert rows["time_us"].tolist() == [5]
    assert sequence(database, 6) == {}
