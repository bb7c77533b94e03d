"""Transactions of type 2 (EIP-1559): signed, and read again."""

from dataclasses import dataclass
from typing import Any

from rlp.sedes import Binary, CountableList, List, big_endian_int, binary

from sim.chain.addresses import ADDRESS_BYTES
from sim.chain.keys import Signature, address_of_key, sign, signer
from sim.chain.sedes import ADDRESS, HASH, typed, untyped
from sim.keccak import keccak256

CHAIN_ID = 31337
"""That of test chains, so that nothing signed here is worth anything elsewhere."""

ACCESS_LIST = CountableList(List((ADDRESS, CountableList(HASH))))
FIELDS = (
    *(big_endian_int,) * 5,
    Binary.fixed_length(ADDRESS_BYTES, allow_empty=True),
    big_endian_int,
    binary,
    ACCESS_LIST,
)
UNSIGNED = List(FIELDS)
SIGNED = List((*FIELDS, *(big_endian_int,) * 3))

BASE_GAS = 21_000
CREATION_GAS = 32_000
CREATION_WORD_GAS = 2
ZERO_BYTE_GAS = 4
BYTE_GAS = 16
ACCESS_ADDRESS_GAS = 2_400
ACCESS_KEY_GAS = 1_900

AccessList = tuple[tuple[bytes, tuple[bytes, ...]], ...]


@dataclass(frozen=True, slots=True)
class Transaction:
    """Fees are wei for a unit of gas; to is an address, or None to create a contract of the data.

    The access list names addresses, and 32-byte keys of their storage.
    """

    nonce: int
    max_priority_fee_per_gas: int
    max_fee_per_gas: int
    gas_limit: int
    to: bytes | None
    value_wei: int
    data: bytes = b""
    access_list: AccessList = ()
    chain_id: int = CHAIN_ID

    def fields(self) -> tuple[Any, ...]:
        """In the order in which they are signed."""
        return (
            self.chain_id,
            self.nonce,
            self.max_priority_fee_per_gas,
            self.max_fee_per_gas,
            self.gas_limit,
            self.to or b"",
            self.value_wei,
            self.data,
            self.access_list,
        )

    def signing_hash(self) -> bytes:
        return keccak256(typed(self.fields(), UNSIGNED))

    def intrinsic_gas(self) -> int:
        """What it takes before anything is executed, without the floor of EIP-7623."""
        zeros = self.data.count(0)
        gas = BASE_GAS + ZERO_BYTE_GAS * zeros + BYTE_GAS * (len(self.data) - zeros)
        if self.to is None:
            gas += CREATION_GAS + CREATION_WORD_GAS * -(-len(self.data) // 32)
        keys = sum(len(keys) for _, keys in self.access_list)
        return gas + ACCESS_ADDRESS_GAS * len(self.access_list) + ACCESS_KEY_GAS * keys


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """Raw is what is hashed, stands in blocks and travels."""

    transaction: Transaction
    sender: bytes
    y_parity: int
    r: int
    s: int
    raw: bytes
    hash: bytes


def signed(transaction: Transaction, private_key: bytes) -> SignedTransaction:
    signature = sign(transaction.signing_hash(), private_key)
    raw = typed((*transaction.fields(), *signature), SIGNED)
    sender = address_of_key(private_key)
    return SignedTransaction(transaction, sender, *signature, raw, keccak256(raw))


def decoded(raw: bytes) -> SignedTransaction:
    """Raises ValueError where it is no transaction of type 2 that somebody signed."""
    chain_id, *fields, access_list, y_parity, r, s = untyped(raw, SIGNED)
    nonce, priority, fee, gas_limit, to, value_wei, data = fields
    transaction = Transaction(
        nonce, priority, fee, gas_limit, to or None, value_wei, data, access_list, chain_id
    )
    signature = Signature(y_parity, r, s)
    sender = signer(transaction.signing_hash(), signature)
    return SignedTransaction(transaction, sender, *signature, raw, keccak256(raw))
