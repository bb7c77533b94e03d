"""Whatever stands in a market's command stream, the market does what PostgreSQL says."""

import random
from collections.abc import Callable
from typing import Any

import pytest
import redis

from actors.live.market import Market
from actors.live.recorder import Recorder
from sim.orders import OrderStatus
from sim.rows.layouts import kept_rows
from sim.rows.messages import CommandKind, Side, joined
from storage.intake.commands import commands_after, sequence
from storage.market.origin import origin_of
from storage.market.streams import Streams, commands_stream
from tests.actors.house import MARKET, House, bytes_of
from tests.builders import order, trader
from tests.waiting import eventually

Entries = list[tuple[int, dict[bytes, bytes]]]
"""Numbers and fields: d, the rows; o, the seal."""


def shuffled(entries: Entries, dice: random.Random) -> Entries:
    """Every payload and its seal under another entry's number."""
    payloads = [fields for _, fields in entries]
    turn = dice.randrange(1, len(payloads))
    return [
        (number, fields)
        for (number, _), fields in zip(entries, payloads[turn:] + payloads[:turn], strict=True)
    ]


def flipped(entries: Entries, dice: random.Random) -> Entries:
    """One bit of each payload is another."""
    found = []
    for number, fields in entries:
        data = bytearray(fields[b"d"])
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
        found.append((number, {**fields, b"d": bytes(data)}))
    return found


def cut_off(entries: Entries, dice: random.Random) -> Entries:
    """Each payload ends too early, some before they begin."""
    return [
        (number, {**fields, b"d": fields[b"d"][: dice.randrange(len(fields[b"d"]))]})
        for number, fields in entries
    ]


def without_seal(entries: Entries, dice: random.Random) -> Entries:
    """Rows as they are, but of nobody knows whom."""
    return [(number, {b"d": fields[b"d"]}) for number, fields in entries]


def doubled(entries: Entries, dice: random.Random) -> Entries:
    """Every payload once more under a later number."""
    return [(2 * number + again, fields) for number, fields in entries for again in (0, 1)]


def written(
    house: House, valkey: Any, rows: Any, damage: Callable[..., Entries], dice: Any
) -> None:
    """The rows in the market's stream as the relay writes them, then damaged."""
    streams, stream = Streams(house.urls[1], origin_of(house.database)), commands_stream(MARKET)
    streams.append(stream, [(n + 1, rows[n : n + 1].tobytes()) for n in range(len(rows))])
    streams.close()
    with redis.Redis.from_url(valkey.admin_url) as client:
        entries = [(int(name.split(b"-")[0]), fields) for name, fields in client.xrange(stream)]
        client.delete(stream)
        for number, fields in damage(entries, dice):
            if number <= len(rows):
                client.xadd(stream, fields, id=f"{number}-0")


@pytest.mark.parametrize("damage", [shuffled, flipped, cut_off, without_seal, doubled])
def test_a_damaged_command_stream_costs_time_only(
    house: House, valkey: Any, damage: Callable[..., Entries]
) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    dice = random.Random(seed)
    alice, bob = trader(house.database), trader(house.database)
    traded = [order(alice, Side.BUY, 1), order(bob, Side.SELL, 1)]  # whatever the dice say
    wishes = [order(dice.choice((alice, bob)), dice.choice(list(Side)), n) for n in range(1, 19)]
    house.place(*traded, *wishes)
    sequence(house.database, 1)
    rows = commands_after(house.database, MARKET, 0, 100)
    written(house, valkey, rows, damage, dice)
    market = Market(MARKET, *house.urls, run=True)
    house.actors += [market, Recorder([MARKET], *house.urls, run=True)]
    eventually(lambda: house.count("SELECT count(*) FROM orders WHERE status = 1") == 0)
    house.settled()
    assert market.health().halted is None
    journal = house.database.execute("SELECT inputs FROM journal ORDER BY batch_no").fetchall()
    inputs = joined([kept_rows(bytes_of(inputs)) for (inputs,) in journal])
    applied = inputs[inputs["kind"] != CommandKind.SET_MARK].copy()
    assert (applied["time_us"] >= rows["time_us"]).all()
    applied["time_us"] = rows["time_us"]  # a market's time never goes back: these were older
    assert applied.tobytes() == rows.tobytes()
    assert house.count("SELECT count(*) FROM fills") > 0


def test_numbers_that_postgresql_does_not_know_are_forgotten_when_a_market_begins(
    house: House, valkey: Any
) -> None:
    alice = trader(house.database)
    rows = commands_of_another_life(house, alice).tobytes()
    streams = Streams(house.urls[1], origin_of(house.database))
    streams.append(commands_stream(MARKET), [(3, rows)])
    streams.close()
    house.open()
    placed = house.place_one(order(alice))
    eventually(lambda: house.state(placed)[0] == OrderStatus.OPEN)
    house.settled()
    with redis.Redis.from_url(valkey.admin_url) as client:
        assert client.xlen(commands_stream(MARKET)) <= 1


def commands_of_another_life(house: House, account_id: int) -> Any:
    """Numbered commands that a database from an older backup has forgotten."""
    house.place(*[order(account_id) for _ in range(3)])
    with house.database.transaction(force_rollback=True):
        sequence(house.database, 1)
        rows = commands_after(house.database, MARKET, 0, 10)
    house.database.execute("DELETE FROM commands")
    house.database.execute("DELETE FROM orders")
    house.database.execute("UPDATE balances SET locked_atoms = 0, open_orders = 0")
    return rows
