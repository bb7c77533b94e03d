"""Addresses as EIP-55 writes them, as the factory makes them, and as keys have them."""

import pytest

from sim.chain.addresses import (
    POOL_FACTORY,
    POOL_INIT_CODE_HASH,
    POSITION_MANAGER,
    SWAP_ROUTER,
    USDC,
    USDT,
    WETH,
    address_of_text,
    checksummed,
    pool_address,
)
from sim.chain.keys import address_of_key, private_key, sign, signer
from sim.keccak import keccak256
from sim.pool.positions import PositionKey
from tests.sim.chain_vectors import unhexed, vectors


def test_an_address_is_written_with_its_checksum() -> None:
    for one in vectors("checksum")["addresses"]:
        assert checksummed(address_of_text(one["input"])) == one["checksum"]


def test_an_address_is_read_in_any_case() -> None:
    for one in vectors("checksum")["addresses"]:
        digits = one["checksum"][2:]
        read = {address_of_text(f"0x{text}") for text in (digits, digits.lower(), digits.upper())}
        assert read == {unhexed(one["input"])}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0x",
        "0x" + "a" * 39,
        "0x" + "a" * 41,
        "a" * 40,
        "a" * 42,
        "0x" + "g" * 40,
        "0x" + "\uff11" * 40,
        "0x" + "a " * 20,
        " 0x" + "a" * 40,
        "0x" + "a" * 40 + "\n",
        "0x0x" + "a" * 38,
        "vitalik.eth",
        "\ud800" * 42,
        "0x" + "a" * 100_000,
    ],
)
def test_what_is_no_address_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match="is not an address: write 0x and 40 hex") as refused:
        address_of_text(text)
    assert str(refused.value).isprintable()
    assert len(str(refused.value)) < 500


def test_a_pool_stands_where_the_factory_puts_it() -> None:
    found = vectors("create2")
    assert found["initCodeHash"] == f"0x{POOL_INIT_CODE_HASH.hex()}"
    for one in found["pools"]:
        tokens = [address_of_text(one[name]) for name in ("tokenA", "tokenB")]
        for token, other in (tokens, tokens[::-1]):
            made = pool_address(token, other, one["fee"], address_of_text(one["factory"]))
            assert checksummed(made) == one["pool"]


def test_tokens_and_contracts_are_those_of_mainnet() -> None:
    pools = {(one["factory"], *one["symbols"]): one for one in vectors("create2")["pools"][:2]}
    factory = checksummed(POOL_FACTORY)
    for token0, token1 in ((USDC, WETH), (WETH, USDT)):
        known = pools[factory, token0.symbol, token1.symbol]
        addresses = [checksummed(token.address) for token in (token0, token1)]
        assert addresses == [known["token0"], known["token1"]]
        pool = pool_address(token1.address, token0.address, known["fee"])
        assert checksummed(pool) == known["pool"]
    assert checksummed(POSITION_MANAGER) == "0xC36442b4a4522E871399CD717aBDD847Ab11FE88"
    assert checksummed(SWAP_ROUTER) == "0xE592427A0AEce92De3Edee1F18E0157C05861564"


def test_a_position_is_kept_under_its_hash() -> None:
    for one in vectors("create2")["position_keys"]:
        key = PositionKey(address_of_text(one["owner"]), one["tickLower"], one["tickUpper"])
        assert key.hashed() == unhexed(one["key"])
        assert keccak256(unhexed(one["packed"])) == unhexed(one["key"])


def test_keys_come_from_seed_and_label_and_sign() -> None:
    keys = [private_key(seed, label) for seed in (b"", b"a", b"ab") for label in ("", "b", "ba")]
    assert len({address_of_key(key) for key in keys}) == len(keys)
    assert keys == [
        private_key(seed, label) for seed in (b"", b"a", b"ab") for label in ("", "b", "ba")
    ]
    for key in keys:
        digest = keccak256(key)
        assert signer(digest, sign(digest, key)) == address_of_key(key)


def test_addresses_are_those_of_the_keys() -> None:
    for one in vectors("transactions")["transactions"]:
        assert checksummed(address_of_key(unhexed(one["privateKey"]))) == one["from"]
