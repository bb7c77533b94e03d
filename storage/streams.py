"""Redis streams: the fast way from hop to hop, never the truth.

Every entry has an explicit id made of a sequence number (of commands, the last
in it), so a repeated XADD is an error and not a second message. Readers keep
their own cursor and fetch from PostgreSQL what a stream lost.
"""

import struct
from collections.abc import Mapping, Sequence
from typing import Any

import redis

from storage.errors import StreamUnavailable, wrapped

SOCKET_TIMEOUT_S = 2.0
READ_ENTRIES_MAX = 2_000
ALREADY_THERE = "equal or smaller"

HEADER = struct.Struct("<qq")
"""What precedes the events of a batch: command_seq and event_seq after it."""

Entry = tuple[int, bytes]


def commands_stream(market_id: str) -> str:
    """Where the relay writes and the market reads."""
    return f"engine.commands.{market_id}"


def events_stream(market_id: str) -> str:
    """Where the market writes and recorders read."""
    return f"engine.events.{market_id}"


class Streams:
    """A connection to Valkey. Every method raises StreamUnavailable when it is away.

    origin   see storage.origin: what is written is marked with it, and what others wrote is
             never read. Set it before the first use.
    """

    def __init__(self, redis_url: str, origin: bytes = b"") -> None:
        self.origin = origin
        self._redis: Any = redis.Redis.from_url(
            redis_url, socket_timeout=SOCKET_TIMEOUT_S, socket_connect_timeout=SOCKET_TIMEOUT_S
        )

    def append(self, stream: str, entries: Sequence[Entry]) -> None:
        """Add (number, bytes) entries; numbers that are there already are passed over."""
        with wrapped():
            pipe = self._redis.pipeline(transaction=False)
            for number, data in entries:
                pipe.xadd(stream, {"d": data, "o": self.origin}, id=f"{number}-0")
            for answer in pipe.execute(raise_on_error=False):
                if isinstance(answer, redis.ResponseError) and ALREADY_THERE in str(answer):
                    continue
                if isinstance(answer, Exception):
                    raise answer

    def read(self, cursors: Mapping[str, int], block_ms: int) -> dict[str, list[Entry]]:
        """New entries of each stream above its cursor; empty when none came in time.

        A stream with an entry that this deployment has not written counts as away.
        """
        with wrapped():
            answer = self._redis.xread(
                {stream: f"{number}-0" for stream, number in cursors.items()},
                count=READ_ENTRIES_MAX,
                block=block_ms,
            )
        found = answer.items() if isinstance(answer, dict) else answer or ()
        return {name.decode(): self._own(name.decode(), flat(entries)) for name, entries in found}

    def _own(self, stream: str, entries: list[Any]) -> list[Entry]:
        """XREAD's entries as (number, bytes)."""
        if any(fields.get(b"o") != self.origin or b"d" not in fields for _, fields in entries):
            raise StreamUnavailable(f"{stream} holds what another deployment wrote")
        return [(int(entry_id.split(b"-")[0]), fields[b"d"]) for entry_id, fields in entries]

    def last_number(self, stream: str) -> int:
        """The highest number ever added; 0 for a stream that is not there (or was wiped)."""
        with wrapped():
            try:
                info = self._redis.xinfo_stream(stream)
            except redis.ResponseError:
                return 0
        return int(info["last-generated-id"].split(b"-")[0])

    def reclaim(self, stream: str, number_max: int | None = None) -> bool:
        """Forget a stream that another deployment wrote, or that is ahead of `number_max`.

        PostgreSQL is the truth: a number it does not know belongs to another history.
        """
        with wrapped():
            try:
                info = self._redis.xinfo_stream(stream)
            except redis.ResponseError:
                return False
            last = info["last-entry"]
            is_ours = last is None or last[1].get(b"o") == self.origin
            number = int(info["last-generated-id"].split(b"-")[0])
            if is_ours and (number_max is None or number <= number_max):
                return False
            self._redis.delete(stream)
        return True

    def trim(self, stream: str, number: int) -> None:
        """Forget entries up to `number`, which PostgreSQL says are done with."""
        with wrapped():
            self._redis.xtrim(stream, minid=f"{number + 1}-0", approximate=True)

    def close(self) -> None:
        """Drop the connection."""
        self._redis.close()


def flat(entries: Any) -> list[Any]:
    """XREAD's (id, fields) pairs; RESP3 has them in a list of lists."""
    return list(entries[0] if entries and isinstance(entries[0], list) else entries)


def packed_events(command_seq: int, event_seq: int, events: bytes) -> bytes:
    """The data of an entry in a market's event stream."""
    return HEADER.pack(command_seq, event_seq) + events


def unpacked_events(data: bytes) -> tuple[int, int, bytes]:
    """command_seq, event_seq and the events of such an entry."""
    command_seq, event_seq = HEADER.unpack_from(data)
    return command_seq, event_seq, data[HEADER.size :]
