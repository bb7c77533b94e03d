"""Blocks of py-evm are read as they were made, and what is damaged is no block."""

import random
from typing import Any

import pytest

from sim.chain.headers import decoded_header
from sim.chain.logs import Log
from sim.chain.transactions import decoded
from storage.chain.explored_blocks import explored, transfer_in
from tests.sim.chain_vectors import blocks, unhexed, vectors

LONDON = blocks("london")


def pays(block: dict[str, Any]) -> bool:
    """Whether all transactions pay the block's base fee: py-evm was not asked to check that."""
    fee = int(block["fields"]["base_fee_per_gas"])
    sent = [decoded(unhexed(raw)).transaction for raw in block["transactions"]]
    return all(one.max_fee_per_gas >= fee for one in sent)


def test_blocks_of_london_are_read_from_their_bytes() -> None:
    refused = 0
    for block in LONDON:
        raws = [list(map(unhexed, block[name])) for name in ("transactions", "receipts")]
        if not pays(block):
            refused += 1
            with pytest.raises(ValueError, match="pays less"):
                explored(unhexed(block["rlp"]), *raws)
            continue
        read, fields = explored(unhexed(block["rlp"]), *raws), block["fields"]
        assert read.hash == unhexed(block["hash"])
        assert read.parent_hash == unhexed(fields["parent_hash"])
        assert read.number == int(fields["block_number"])
        assert read.time_s == int(fields["timestamp"])
        assert sum(one.gas_used for one in read.transactions) == int(fields["gas_used"])
    assert 0 < refused < len(LONDON) // 2


def test_a_header_of_london_reads_back_and_one_of_another_fork_is_none() -> None:
    for block in LONDON:
        raw = unhexed(block["rlp"])
        assert decoded_header(raw).raw == raw
    for fork in ("shanghai", "cancun", "prague"):
        with pytest.raises(ValueError):
            decoded_header(unhexed(blocks(fork)[0]["rlp"]))


@pytest.mark.parametrize("raw", [b"", b"\xc0", b"\x80", b"\xc1" * 5_000])
def test_what_is_no_header_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError):
        decoded_header(raw)


def test_a_header_that_was_damaged_is_refused_or_another() -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    dice = random.Random(seed)
    for _ in range(300):
        whole = unhexed(dice.choice(LONDON)["rlp"])
        raw = bytearray(whole)
        raw[dice.randrange(len(raw))] = dice.randrange(256)
        try:
            again = decoded_header(bytes(raw))
        except ValueError:
            continue
        assert again.raw == raw


def test_transfers_of_real_contracts_are_told_from_their_other_logs() -> None:
    found = 0
    for transaction in vectors("events")["transactions"]:
        for told in transaction["logs"]:
            topics = tuple(map(unhexed, told["topics"]))
            log = Log(unhexed(told["address"]), topics, unhexed(told["data"]))
            transfer = transfer_in(log)
            assert (transfer is not None) == told["event"].startswith("Transfer(")
            if transfer is None:
                continue
            found += 1
            values = told["args"]
            assert transfer.token == unhexed(told["address"])
            assert (transfer.token_id is not None) == (len(log.topics) == 4)
            number = transfer.amount if transfer.token_id is None else transfer.token_id
            assert str(number) in map(str, values.values())
            assert transfer.token_id is None or transfer.amount == 1
    assert found > 50
