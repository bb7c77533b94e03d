"""Streams hold what somebody may still ask for, and little more."""

from storage.market.streams import Streams, events_stream

ENTRIES = 1_000
NODE_ENTRIES = 100
"""Valkey forgets whole nodes of a stream, of so many entries at the most."""


def test_a_stream_is_trimmed_up_to_the_cursor_and_not_beyond(redis_url: str) -> None:
    streams, name = Streams(redis_url, b"test"), events_stream("ETH-PERP")
    streams.append(name, [(number, b"events") for number in range(1, ENTRIES + 1)])
    streams.trim(name, ENTRIES - 10)
    kept = [number for number, _ in streams.read({name: 0}, 1)[name]]
    assert set(range(ENTRIES - 9, ENTRIES + 1)) <= set(kept)
    assert len(kept) <= 10 + NODE_ENTRIES
    streams.close()
