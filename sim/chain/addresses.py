"""Addresses: 20 bytes inside; 0x and 40 digits outside, in any case on the way in, in EIP-55's out.

Those of tokens and contracts are Ethereum mainnet's.
"""

from functools import lru_cache
from typing import NamedTuple

from eth_abi.abi import encode
from eth_utils.address import to_checksum_address

from sim.chain.hexadecimal import bytes_of_hex
from sim.keccak import keccak256

ADDRESS_BYTES = 20
SHOWN_CHARACTERS_MAX = 50
ADDRESSES_REMEMBERED = 4_096
"""With their checksums: a hash each, and a page of the explorer shows hundreds."""


def address_of_text(text: str) -> bytes:
    """Raises ValueError with a sentence that may be shown. A wrong checksum is not looked at."""
    address = bytes_of_hex(text, ADDRESS_BYTES)
    if address is None:
        shown = ascii(text[:SHOWN_CHARACTERS_MAX])
        raise ValueError(f"{shown} is not an address: write 0x and 40 hexadecimal digits.")
    return address


@lru_cache(ADDRESSES_REMEMBERED)
def checksummed(address: bytes) -> str:
    """With the case of EIP-55."""
    return to_checksum_address(address)


class Token(NamedTuple):
    """One has 10 ** decimals units."""

    symbol: str
    address: bytes
    decimals: int


NOBODY = bytes(ADDRESS_BYTES)
"""Tokens are minted from it and burnt to it."""
USDC = Token("USDC", address_of_text("0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48"), 6)
WETH = Token("WETH", address_of_text("0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2"), 18)
USDT = Token("USDT", address_of_text("0xdAC17F958D2ee523a2206206994597C13D831ec7"), 6)
POOL_FACTORY = address_of_text("0x1F98431c8aD98523631AE4a59f267346ea31F984")
POSITION_MANAGER = address_of_text("0xC36442b4a4522E871399CD717aBDD847Ab11FE88")
SWAP_ROUTER = address_of_text("0xE592427A0AEce92De3Edee1F18E0157C05861564")

POOL_INIT_CODE_HASH = bytes.fromhex(
    "e34f199b19b2b4f47f68442619d555527d244f78a3297ea89325f843f87b8b54"
)
"""keccak256 of the creation code of UniswapV3Pool, v3-core 1.0.1."""


def pool_address(token: bytes, other: bytes, fee_ppm: int, factory: bytes = POOL_FACTORY) -> bytes:
    """Where the factory's CREATE2 (EIP-1014) puts the pool of two tokens, in any order."""
    token0, token1 = sorted((token, other))
    salt = keccak256(encode(("address", "address", "uint24"), (token0, token1, fee_ppm)))
    return keccak256(b"\xff" + factory + salt + POOL_INIT_CODE_HASH)[-ADDRESS_BYTES:]
