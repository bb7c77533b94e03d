"""Receipts and headers of London are, byte for byte, those of py-evm."""

import random
from typing import Any

import pytest

from sim.chain.headers import NO_UNCLES, Header, root_of
from sim.chain.logs import Log, union_of_blooms
from sim.chain.receipts import Receipt, decoded_receipt
from sim.chain.transactions import decoded
from tests.sim.chain_vectors import blocks, unhexed

LONDON = blocks("london")
RECEIPTS = [unhexed(raw) for block in LONDON for raw in block["receipts"]]


def header_of(fields: dict[str, Any]) -> Header:
    values: dict[str, Any] = {
        name: unhexed(value) if isinstance(value, str) and value.startswith("0x") else int(value)
        for name, value in fields.items()
    }
    return Header(**values)


def test_headers_are_hashed_as_london_does() -> None:
    assert len(LONDON) == 25
    for block in LONDON:
        header = header_of(block["fields"])
        assert header.raw == unhexed(block["rlp"])
        assert header.hash == unhexed(block["hash"])


def test_roots_are_those_of_the_transactions_and_receipts() -> None:
    for block in LONDON:
        header = header_of(block["fields"])
        assert root_of(map(unhexed, block["transactions"])) == header.transaction_root
        assert root_of(map(unhexed, block["receipts"])) == header.receipt_root


def test_a_block_has_the_blooms_of_its_receipts() -> None:
    for block in LONDON:
        receipts = [decoded_receipt(unhexed(raw)) for raw in block["receipts"]]
        assert union_of_blooms(one.bloom for one in receipts) == unhexed(block["fields"]["bloom"])


def test_receipts_are_read_and_written_as_py_evm_does() -> None:
    for raw in RECEIPTS:
        again = decoded_receipt(raw)
        assert Receipt(again.status, again.cumulative_gas_used, again.logs).raw == raw


def test_receipts_hold_the_logs() -> None:
    for block in LONDON:
        told = [log for raw in block["receipts"] for log in decoded_receipt(unhexed(raw)).logs]
        assert told == [
            Log(unhexed(one["address"]), tuple(map(unhexed, one["topics"])), unhexed(one["data"]))
            for one in block["logs"]
        ]


def test_transactions_of_blocks_are_read() -> None:
    for raw in (unhexed(raw) for block in LONDON for raw in block["transactions"]):
        assert decoded(raw).raw == raw


def test_more_transactions_than_one_byte_counts_have_a_root() -> None:
    """Places above 127 have two bytes of RLP; order counts."""
    raws = [bytes([place % 251]) * 40 for place in range(300)]
    assert len({root_of(raws[:count]) for count in (0, 1, 127, 128, 129, 256, 257, 300)}) == 8
    assert root_of(raws) != root_of(raws[::-1])


def test_a_header_has_no_uncles_unless_said_otherwise() -> None:
    assert {block["fields"]["uncles_hash"] for block in LONDON} == {f"0x{NO_UNCLES.hex()}"}


@pytest.mark.parametrize("raw", [b"", b"\x02", b"\x01" + RECEIPTS[0][1:], RECEIPTS[0] + b"\x00"])
def test_what_is_no_receipt_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError):
        decoded_receipt(raw)


def test_receipts_changed_by_chance_are_refused_or_read() -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    dice = random.Random(seed)
    for _ in range(300):
        raw = bytearray(dice.choice(RECEIPTS))
        raw[dice.randrange(len(raw))] = dice.randrange(256)
        try:
            again = decoded_receipt(bytes(raw))
        except ValueError:
            continue
        assert decoded_receipt(again.raw) == again
