"""Messages signed by wallets: what eth-account made, and what others may send."""

import random

import pytest

from sim.chain.signatures import personal_digest, verify_signature
from tests.sim.chain_vectors import unhexed, vectors

CASES = vectors("personal_sign")["cases"]
TOO_LONG = "0x" + "ab" * 51_200
GOOD = CASES[0]


@pytest.mark.parametrize("expected", ["valid", "invalid", "invalid or refused", "valid or refused"])
def test_signatures_are_judged_by_the_rule(expected: str) -> None:
    cases = [one for one in CASES if one["expect"] == expected]
    assert cases
    for one in cases:
        signature = TOO_LONG if one["signature"] is None else one["signature"]
        verdict = verify_signature(one["address"], one["message"], signature)
        assert verdict == expected.startswith("valid"), one["case"]


def test_messages_are_hashed_as_wallets_do() -> None:
    hashed = [one for one in CASES if one["hash"] is not None]
    assert len(hashed) > 100
    for one in hashed:
        assert one["message"].encode() == unhexed(one["messageHex"])
        assert personal_digest(one["message"].encode()) == unhexed(one["hash"])


@pytest.mark.parametrize(
    "some", ["\ud800", "\x00", "0x" + "\u0661" * 130, "0X" + "1" * 130, "é" * 65]
)
def test_no_text_is_too_odd_to_be_judged(some: str) -> None:
    good = {name: GOOD[name] for name in ("address", "message", "signature")}
    for name in good:
        odd = good | {name: some}
        assert not verify_signature(odd["address"], odd["message"], odd["signature"])


def test_signatures_changed_by_chance_are_invalid() -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    dice = random.Random(seed)
    for _ in range(500):
        signature = bytearray(unhexed(GOOD["signature"]))
        signature[dice.randrange(65)] ^= 1 << dice.randrange(8)
        text = f"0x{signature.hex()}"
        assert not verify_signature(GOOD["address"], GOOD["message"], text), text
