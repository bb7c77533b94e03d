"""Receipts of transactions of type 2."""

from dataclasses import dataclass
from functools import cached_property

from rlp.sedes import Binary, List, big_endian_int

from sim.chain.logs import BLOOM_BYTES, Log, bloom_of
from sim.chain.sedes import LOGS, typed, untyped

RECEIPT = List((big_endian_int, big_endian_int, Binary.fixed_length(BLOOM_BYTES), LOGS))
SUCCEEDED, FAILED = 1, 0
"""Statuses. What failed has no logs, and has used its gas."""


@dataclass(frozen=True)
class Receipt:
    """Cumulative gas is what the block has used when the transaction is through."""

    status: int
    cumulative_gas_used: int
    logs: tuple[Log, ...]

    @cached_property
    def bloom(self) -> bytes:
        return bloom_of(self.logs)

    @cached_property
    def raw(self) -> bytes:
        return typed((self.status, self.cumulative_gas_used, self.bloom, self.logs), RECEIPT)


def decoded_receipt(raw: bytes) -> Receipt:
    """Raises ValueError where it is none of type 2. Its bloom is not looked at."""
    status, cumulative_gas_used, _, logs = untyped(raw, RECEIPT)
    return Receipt(status, cumulative_gas_used, tuple(Log(*one) for one in logs))
