"""Transactions of type 2 are, byte for byte, those that eth-account signs."""

import random
from typing import Any

import pytest
import rlp

from sim.chain.addresses import address_of_text
from sim.chain.keys import LOW_S_MAX
from sim.chain.transactions import CHAIN_ID, SignedTransaction, Transaction, decoded, signed
from tests.sim.chain_vectors import unhexed, vectors

VECTORS = vectors("transactions")["transactions"]
CURVE_ORDER = 2 * LOW_S_MAX + 1


def written(one: dict[str, Any]) -> Transaction:
    return Transaction(
        nonce=one["nonce"],
        max_priority_fee_per_gas=int(one["maxPriorityFeePerGas"]),
        max_fee_per_gas=int(one["maxFeePerGas"]),
        gas_limit=one["gas"],
        to=address_of_text(one["to"]) if one["to"] else None,
        value_wei=int(one["value"]),
        data=unhexed(one["data"]),
        access_list=tuple(
            (address_of_text(entry["address"]), tuple(map(unhexed, entry["storageKeys"])))
            for entry in one["accessList"]
        ),
        chain_id=one["chainId"],
    )


def test_what_is_signed_is_what_eth_account_signs() -> None:
    assert len(VECTORS) == 50
    for one in VECTORS:
        transaction = written(one)
        assert transaction.signing_hash() == unhexed(one["signingHash"])
        assert signed(transaction, unhexed(one["privateKey"])) == SignedTransaction(
            transaction=transaction,
            sender=address_of_text(one["from"]),
            y_parity=one["yParity"],
            r=int(one["r"], 16),
            s=int(one["s"], 16),
            raw=unhexed(one["raw"]),
            hash=unhexed(one["hash"]),
        )


def test_what_was_signed_is_read_with_its_sender() -> None:
    for one in VECTORS:
        again = decoded(unhexed(one["raw"]))
        assert again.transaction == written(one)
        assert again == signed(written(one), unhexed(one["privateKey"]))


def test_the_gas_before_execution_is_known() -> None:
    for one in VECTORS:
        assert written(one).intrinsic_gas() == one["intrinsicGas"]


def test_a_transaction_is_for_a_test_chain_unless_said_otherwise() -> None:
    assert Transaction(0, 0, 0, 21_000, None, 0).chain_id == CHAIN_ID == 31337


def fields() -> list[Any]:
    found: list[Any] = rlp.decode(unhexed(VECTORS[0]["raw"])[1:])
    return found


def encoded(some: Any) -> bytes:
    raw: bytes = rlp.encode(some)
    return b"\x02" + raw


def replaced(place: int, value: Any) -> bytes:
    return encoded([*fields()[:place], value, *fields()[place + 1 :]])


def lists_in_lists(depth: int) -> bytes:
    raw = b"\xc0"
    for _ in range(depth):
        size = len(raw)
        length = size.to_bytes((size.bit_length() + 7) // 8)
        raw = (bytes([0xC0 + size]) if size < 56 else bytes([0xF7 + len(length)]) + length) + raw
    return b"\x02" + raw


def high_s() -> bytes:
    """The twin that recovers the same sender."""
    parity, s = 1 - int.from_bytes(fields()[9]), CURVE_ORDER - int.from_bytes(fields()[11])
    return encoded([*fields()[:9], parity, fields()[10], s.to_bytes(32)])


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x02",
        b"\x01" + rlp.encode(fields()),
        rlp.encode(fields()),
        encoded(fields()) + b"\x00",
        encoded(fields())[:-1],
        encoded(fields()[:-1]),
        encoded([*fields(), b""]),
        encoded(b"text"),
        replaced(1, b"\x00\x01"),
        replaced(5, b"\x01" * 19),
        replaced(7, [b"data"]),
        replaced(8, [[b"\x01" * 20]]),
        replaced(8, [[b"\x01" * 20, [b"\x01" * 31]]]),
        replaced(9, b"\x02"),
        replaced(10, b""),
        replaced(10, b"\xff" * 32),
        replaced(11, b""),
        replaced(11, CURVE_ORDER.to_bytes(32)),
        high_s(),
        lists_in_lists(20),
        lists_in_lists(5_000),
    ],
)
def test_what_is_no_transaction_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError):
        decoded(raw)


def test_bytes_changed_by_chance_are_refused_or_read_as_they_stand() -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    dice = random.Random(seed)
    for _ in range(500):
        one = dice.choice(VECTORS)
        raw = bytearray(unhexed(one["raw"]))
        for _ in range(dice.randint(1, 3)):
            raw[dice.randrange(len(raw))] = dice.randrange(256)
        try:
            again = decoded(bytes(raw))
        except ValueError:
            continue
        assert again.raw == raw
        same = again.transaction.signing_hash() == unhexed(one["signingHash"])
        assert same == (again.transaction == written(one))
