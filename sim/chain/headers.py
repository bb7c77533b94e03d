"""Headers of blocks as London has them, after the merge: nobody mines, there are no uncles."""

from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from functools import cached_property

import rlp
from rlp.sedes import Binary, List, big_endian_int, binary
from trie.hexary import HexaryTrie

from sim.chain.logs import BLOOM_BYTES
from sim.chain.sedes import ADDRESS, HASH, fields_of
from sim.keccak import keccak256

NO_UNCLES = keccak256(rlp.encode([]))
NONCE_BYTES = 8
HEADER = List(
    (
        *(HASH, HASH, ADDRESS, HASH, HASH, HASH, Binary.fixed_length(BLOOM_BYTES)),
        *(big_endian_int,) * 5,
        *(binary, HASH, Binary.fixed_length(NONCE_BYTES), big_endian_int),
    )
)


@dataclass(frozen=True, kw_only=True)
class Header:
    """Fields in the order of their RLP. Time is in seconds, the base fee in wei."""

    parent_hash: bytes
    uncles_hash: bytes = NO_UNCLES
    coinbase: bytes
    state_root: bytes
    transaction_root: bytes
    receipt_root: bytes
    bloom: bytes
    difficulty: int = 0
    block_number: int
    gas_limit: int
    gas_used: int
    timestamp: int
    extra_data: bytes = b""
    mix_hash: bytes = bytes(32)
    nonce: bytes = bytes(NONCE_BYTES)
    base_fee_per_gas: int

    @cached_property
    def raw(self) -> bytes:
        encoded: bytes = rlp.encode(astuple(self), HEADER)
        return encoded

    @cached_property
    def hash(self) -> bytes:
        return keccak256(self.raw)


def decoded_header(raw: bytes) -> Header:
    """Raises ValueError where it is none of London."""
    names = (field.name for field in fields(Header))
    return Header(**dict(zip(names, fields_of(raw, HEADER), strict=True)))


def root_of(raws: Iterable[bytes]) -> bytes:
    """Of the trie that holds a block's transactions or receipts under their places."""
    trie = HexaryTrie({})
    for place, raw in enumerate(raws):
        trie[rlp.encode(place)] = raw
    return trie.root_hash
