"""Redis streams: the fast way from hop to hop, never the truth.

Every entry has an explicit id made of a sequence number (of commands, the last
in it), so a repeated XADD is an error and not a second message. A seal ties its
bytes to the stream, the number and the deployment: what is torn, moved, old or
somebody else's is told from what we wrote. Readers keep their own cursor and
fetch from PostgreSQL what a stream lost.
"""

import struct
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any

import redis

from storage.errors import StreamUnavailable, wrapped

SOCKET_TIMEOUT_S = 2.0
READ_ENTRIES_MAX = 2_000
ALREADY_THERE = "equal or smaller"
NO_SUCH_KEY = "no such key"
SEAL_BYTES = 16
BESIDE_MAX = 2**64 - 1
"""The second half of the last id that an entry of a number could have; ours is always 0."""

HEADER = struct.Struct("<qqq")
"""What precedes the events of a batch: its batch_no, command_seq and event_seq after it."""

Entry = tuple[int, bytes]


def commands_stream(market_id: str) -> str:
    """Where the relay writes and the market reads."""
    return f"engine.commands.{market_id}"


def events_stream(market_id: str) -> str:
    """Where the market writes and recorders read."""
    return f"engine.events.{market_id}"


class Streams:
    """A connection to Valkey. Every method raises StreamUnavailable when it is away.

    origin   see storage.market.origin: what is written is sealed with it, and what others wrote is
             never read. Set it before the first use.
    """

    def __init__(self, redis_url: str, origin: bytes = b"") -> None:
        self.origin = origin
        self._redis: Any = redis.Redis.from_url(
            redis_url, socket_timeout=SOCKET_TIMEOUT_S, socket_connect_timeout=SOCKET_TIMEOUT_S
        )

    def append(self, stream: str, entries: Sequence[Entry]) -> bool:
        """Add (number, bytes) entries; those whose number is not above all that are there are
        passed over. Whether there was none of these."""
        all_new = True
        with wrapped():
            pipe = self._redis.pipeline(transaction=False)
            for number, data in entries:
                seal = self._seal(stream, number, data)
                pipe.xadd(stream, {"d": data, "o": seal}, id=f"{number}-0")
            for answer in pipe.execute(raise_on_error=False):
                if isinstance(answer, redis.ResponseError) and ALREADY_THERE in str(answer):
                    all_new = False
                elif isinstance(answer, Exception):
                    raise answer
        return all_new

    def _seal(self, stream: str, number: int, data: bytes) -> bytes:
        digest = blake2b(data, key=self.origin, digest_size=SEAL_BYTES)
        digest.update(f"{stream} {number}".encode())
        return digest.digest()

    def read(self, cursors: Mapping[str, int], block_ms: int) -> dict[str, list[Entry]]:
        """New entries of each stream above its cursor; empty when none came in time.

        A stream with an entry that this deployment has not written there counts as away.
        """
        found: dict[str, list[Entry]] = {}
        for stream, entries in self.read_each(cursors, block_ms).items():
            if entries is None:
                raise StreamUnavailable(f"{stream} holds what was not written there by us")
            found[stream] = entries
        return found

    def read_each(self, cursors: Mapping[str, int], block_ms: int) -> dict[str, list[Entry] | None]:
        """As `read`, but a stream with an entry that is not ours is None and spoils no other."""
        with wrapped():
            answer = self._redis.xread(
                {stream: f"{number}-{BESIDE_MAX}" for stream, number in cursors.items()},
                count=READ_ENTRIES_MAX,
                block=block_ms,
            )
        found = answer.items() if isinstance(answer, dict) else answer or ()
        return {name.decode(): self._own(name.decode(), flat(entries)) for name, entries in found}

    def _own(self, stream: str, entries: list[Any]) -> list[Entry] | None:
        """XREAD's entries as (number, bytes); None where one is not ours."""
        if not all(self._is_ours(stream, entry) for entry in entries):
            return None
        return [(number_of(entry_id), fields[b"d"]) for entry_id, fields in entries]

    def _is_ours(self, stream: str, entry: Any) -> bool:
        entry_id, fields = entry
        data, seal = fields.get(b"d"), fields.get(b"o")
        return data is not None and seal == self._seal(stream, number_of(entry_id), data)

    def last_number(self, stream: str) -> int:
        """The highest number ever added; 0 for a stream that is not there (or was wiped)."""
        with wrapped():
            try:
                info = self._redis.xinfo_stream(stream)
            except redis.ResponseError:
                return 0
        return number_of(info["last-generated-id"])

    def reclaim(self, stream: str, number_max: int | None = None) -> bool:
        """Forget a stream that others wrote to last, or that is ahead of `number_max`.

        PostgreSQL is the truth: a number it does not know belongs to another history.
        """
        with wrapped():
            try:
                info = self._redis.xinfo_stream(stream)
            except redis.ResponseError as error:
                if NO_SUCH_KEY in str(error):
                    return False
                info = None  # not even a stream
            if info is not None and self._is_well(stream, info, number_max):
                return False
            self._redis.delete(stream)
        return True

    def _is_well(self, stream: str, info: Any, number_max: int | None) -> bool:
        last, number = info["last-entry"], number_of(info["last-generated-id"])
        is_ours = last is None or self._is_ours(stream, last)
        return is_ours and (number_max is None or number <= number_max)

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


def number_of(entry_id: bytes) -> int:
    """The number in an entry's id."""
    return int(entry_id.split(b"-")[0])


def packed_events(batch_no: int, command_seq: int, event_seq: int, events: bytes) -> bytes:
    """The data of an entry in a market's event stream."""
    return HEADER.pack(batch_no, command_seq, event_seq) + events


def unpacked_events(data: bytes) -> tuple[int, int, int, bytes] | None:
    """batch_no, command_seq, event_seq and the events of such an entry; None for less than one."""
    if len(data) < HEADER.size:
        return None
    return *HEADER.unpack_from(data), data[HEADER.size :]
