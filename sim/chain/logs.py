"""What contracts tell of a transaction, and the bloom filter in which one looks for it."""

from collections.abc import Iterable
from functools import reduce
from operator import or_
from typing import NamedTuple

from eth_bloom.bloom import BloomFilter

BLOOM_BYTES = 256


class Log(NamedTuple):
    """Of the contract at an address: at most four topics of 32 bytes, and words of data."""

    address: bytes
    topics: tuple[bytes, ...]
    data: bytes


def bloom_of(logs: Iterable[Log]) -> bytes:
    looked_for = (part for log in logs for part in (log.address, *log.topics))
    return int(BloomFilter.from_iterable(looked_for)).to_bytes(BLOOM_BYTES)


def union_of_blooms(blooms: Iterable[bytes]) -> bytes:
    """A block's, of its receipts'."""
    return reduce(or_, map(int.from_bytes, blooms), 0).to_bytes(BLOOM_BYTES)
