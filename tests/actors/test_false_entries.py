"""Whatever stands in a market's event stream, the tables say what the journal says."""

import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

import actors.live.recorder
from actors.live.market import Market
from actors.live.recorder import Recorder
from actors.live.relay import Relay
from sim.rows.messages import EVENT, Side
from storage.market.origin import origin_of
from storage.market.streams import Streams, events_stream, packed_events, unpacked_events
from storage.reading.projections import batch_from_entry
from storage.servers.embedded import EmbeddedValkey
from tests.actors.house import MARKET, House
from tests.builders import order, trader
from tests.waiting import eventually

STREAM = events_stream(MARKET)
FAR = 10**15
GIGANTIC = 8 << 20
NEVER_S, SOON_S = 1e9, 0.1
TRADES = "SELECT count(*) FROM trades"

Fields = dict[bytes, bytes]
Place = Callable[[redis.Redis, int, Any], object]


@pytest.fixture
def client(valkey: EmbeddedValkey) -> Iterator[Any]:
    with redis.Redis.from_url(valkey.admin_url) as connected:
        yield connected


def newest(client: Any) -> tuple[int, Fields]:
    """The number and the fields of the newest entry."""
    entry_id, fields = client.xrevrange(STREAM, count=1)[0]
    return int(entry_id.split(b"-")[0]), fields


def trade(house: House, accounts: tuple[int, int], times: int = 2) -> None:
    """Two orders that meet, so many times."""
    buyer, seller = accounts
    for _ in range(times):
        house.place(order(buyer, Side.BUY, 1), order(seller, Side.SELL, 1))


def shuffled(data: bytes) -> bytes:
    dice = random.Random(4711)
    return bytes(dice.sample(data, len(data)))


FALSE: dict[str, Place] = {
    "old content under the next number": lambda client, last, fields: client.xadd(
        STREAM, fields, id=f"{last + 1}-0"
    ),
    "old content twice more": lambda client, last, fields: [
        client.xadd(STREAM, fields, id=f"{last + more}-0") for more in (1, 2)
    ],
    "an old entry again": lambda client, last, fields: client.xadd(STREAM, fields, id=f"{last}-1"),
    "a torn entry": lambda client, last, fields: client.xadd(
        STREAM, {**fields, b"d": fields[b"d"][:-7]}, id=f"{last + 1}-0"
    ),
    "less than a header": lambda client, last, fields: client.xadd(
        STREAM, {**fields, b"d": b"x"}, id=f"{last + 1}-0"
    ),
    "random bytes": lambda client, last, fields: client.xadd(
        STREAM, {**fields, b"d": random.Random(1).randbytes(999)}, id=f"{last + 1}-0"
    ),
    "shuffled bytes": lambda client, last, fields: client.xadd(
        STREAM, {**fields, b"d": shuffled(fields[b"d"])}, id=f"{last + 1}-0"
    ),
    "no content": lambda client, last, fields: client.xadd(
        STREAM, {"hello": "world"}, id=f"{last + 1}-0"
    ),
    "a gigantic entry": lambda client, last, fields: client.xadd(
        STREAM, {**fields, b"d": bytes(GIGANTIC)}, id=f"{last + 1}-0"
    ),
    "a far number": lambda client, last, fields: client.xadd(STREAM, fields, id=f"{FAR}-0"),
    "the last number there is": lambda client, last, fields: client.xadd(
        STREAM, fields, id=f"{2**64 - 1}-{2**64 - 1}"
    ),
    "no stream at all": lambda client, last, fields: [
        client.delete(STREAM),
        client.set(STREAM, "a string"),
    ],
}


def test_a_false_entry_changes_nothing_and_the_stream_is_used_again(
    house: House, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    house.open()
    accounts = (trader(house.database), trader(house.database))
    for number, what in enumerate(random.Random(seed).sample(list(FALSE), len(FALSE))):
        print(what)
        monkeypatch.setattr(actors.live.recorder, "TRIM_EVERY_S", NEVER_S)
        trade(house, accounts)
        house.settled()
        eventually(lambda: client.exists(STREAM))
        FALSE[what](client, *newest(client))
        monkeypatch.setattr(actors.live.recorder, "TRIM_EVERY_S", SOON_S)
        trade(house, accounts)
        house.settled()
        assert house.count(TRADES) == 4 * (number + 1)
        eventually(lambda: is_well(house, client))


def is_well(house: House, client: Any) -> bool:
    """The stream holds as much as the market has done, and no more."""
    house.place(order(trader(house.database), Side.BUY, 1, price_ticks=5_000))
    house.settled()
    try:
        last = int(client.xinfo_stream(STREAM)["last-generated-id"].split(b"-")[0])
    except redis.ResponseError:  # it is not there at the moment
        return False
    return last == house.count(f"SELECT batch_no FROM market_heads WHERE market_id = '{MARKET}'")


def test_an_entry_that_is_ours_and_says_of_itself_that_it_is_another_is_not_believed(
    house: House, client: Any
) -> None:
    """As a bug of ours would write it: sealed under the next number, with other content."""
    market, relay = Market(MARKET, *house.urls, run=True), Relay(*house.urls, run=True)
    house.actors += [market, relay]
    accounts = (trader(house.database), trader(house.database))
    recorder = Recorder([MARKET], *house.urls)
    house.actors.append(recorder)
    trade(house, accounts)
    eventually(lambda: recorder.step() or house.count(TRADES) == 2)
    last, fields = newest(client)
    found = unpacked_events(fields[b"d"])
    assert found is not None
    _, command_seq, event_seq, events = found
    ours = Streams(house.urls[1], origin_of(house.database))
    for number, data in (
        (last + 1, fields[b"d"]),
        (last + 2, packed_events(last + 2, command_seq, event_seq, events)),
        (last + 3, packed_events(last + 3, command_seq + 1, event_seq + 9, events)),
        (FAR, packed_events(FAR, command_seq, event_seq, b"")),
    ):
        assert ours.append(STREAM, [(number, data)])
    trade(house, accounts)
    eventually(lambda: recorder.step() or house.count(TRADES) == 4)
    ours.close()


def test_a_stream_that_answers_with_nothing_of_use_is_asked_with_pauses(
    house: House, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    recorder = Recorder([MARKET], *house.urls)
    house.actors.append(recorder)
    recorder.step()
    client.xadd(STREAM, {"hello": "world"}, id=f"{FAR}-0")
    monkeypatch.setattr("time.sleep", pauses.append)
    for _ in range(5):
        recorder.step()
    assert pauses == [actors.live.recorder.RETRY_S] * 5


def test_events_that_do_not_go_on_where_the_last_ended_are_no_batch(
    house: House, client: Any
) -> None:
    house.open()
    trade(house, (trader(house.database), trader(house.database)), 1)
    house.settled()
    data = newest(client)[1][b"d"]
    found = unpacked_events(data)
    assert found is not None
    batch_no, command_seq, event_seq, events = found
    before = event_seq - len(events) // EVENT.itemsize
    assert batch_from_entry(data, before) is not None
    assert batch_from_entry(data, before - 1) is None
    assert batch_from_entry(data, before + 1) is None
    torn = packed_events(batch_no, command_seq, event_seq, events[:-1])
    assert batch_from_entry(torn, before) is None
