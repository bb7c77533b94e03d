"""Events of tokens, pools and the position manager, as their contracts declare them.

`log` makes the log of one, `told` reads it. Sources: EIP-20, EIP-721, v3-core 1.0.1,
v3-periphery 1.4.4.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError

from sim.chain.addresses import address_of_text
from sim.chain.logs import Log
from sim.keccak import keccak256

DECLARED = re.compile(r"(\w+)\((.*)\)")
WORD_BYTES = 32

Value = int | bytes
"""Addresses are 20 bytes; all else is an integer."""


class Parameter(NamedTuple):
    kind: str
    name: str
    is_indexed: bool


@dataclass(frozen=True, slots=True)
class Event:
    topic0: bytes
    parameters: tuple[Parameter, ...]

    @classmethod
    def declared(cls, declaration: str) -> "Event":
        """From `Name(type indexed name, type name)`."""
        found = DECLARED.fullmatch(declaration)
        assert found is not None, declaration
        words = [one.split() for one in found[2].split(", ")]
        parameters = tuple(Parameter(one[0], one[-1], len(one) == 3) for one in words)
        kinds = ",".join(one.kind for one in parameters)
        return cls(keccak256(f"{found[1]}({kinds})".encode()), parameters)

    def log(self, contract: bytes, *values: Value) -> Log:
        """With the values in the order of the declaration."""
        both = list(zip(self.parameters, values, strict=True))
        topics = [encode((one.kind,), (value,)) for one, value in both if one.is_indexed]
        kinds = [one.kind for one in self.parameters if not one.is_indexed]
        data = encode(kinds, [value for one, value in both if not one.is_indexed])
        return Log(contract, (self.topic0, *topics), data)

    def told(self, log: Log) -> dict[str, Value] | None:
        """The values by name; None where the log is not of this event.

        ERC-20 and ERC-721 have the same topic 0 for Transfer and Approval, and other topics; and
        whoever writes a contract may log words that are no addresses under it.
        """
        indexed = [one for one in self.parameters if one.is_indexed]
        plain = [one for one in self.parameters if not one.is_indexed]
        same = log.topics[:1] == (self.topic0,) and len(log.topics) == 1 + len(indexed)
        if not same or len(log.data) != WORD_BYTES * len(plain):
            return None
        try:
            values = _read([*indexed, *plain], b"".join(log.topics[1:]) + log.data)
        except DecodingError:
            return None
        return {one.name: values[one.name] for one in self.parameters}


def _read(parameters: Sequence[Parameter], words: bytes) -> dict[str, Value]:
    values = decode([one.kind for one in parameters], words)
    return {
        one.name: address_of_text(value) if one.kind == "address" else value
        for one, value in zip(parameters, values, strict=True)
    }


ERC20_TRANSFER = Event.declared("Transfer(address indexed from, address indexed to, uint256 value)")
NFT_TRANSFER = Event.declared(
    "Transfer(address indexed from, address indexed to, uint256 indexed tokenId)"
)
NFT_APPROVAL = Event.declared(
    "Approval(address indexed owner, address indexed approved, uint256 indexed tokenId)"
)
POOL_MINT = Event.declared(
    "Mint(address sender, address indexed owner, int24 indexed tickLower,"
    " int24 indexed tickUpper, uint128 amount, uint256 amount0, uint256 amount1)"
)
POOL_BURN = Event.declared(
    "Burn(address indexed owner, int24 indexed tickLower, int24 indexed tickUpper,"
    " uint128 amount, uint256 amount0, uint256 amount1)"
)
POOL_COLLECT = Event.declared(
    "Collect(address indexed owner, address recipient, int24 indexed tickLower,"
    " int24 indexed tickUpper, uint128 amount0, uint128 amount1)"
)
POOL_SWAP = Event.declared(
    "Swap(address indexed sender, address indexed recipient, int256 amount0, int256 amount1,"
    " uint160 sqrtPriceX96, uint128 liquidity, int24 tick)"
)
LIQUIDITY_INCREASED = Event.declared(
    "IncreaseLiquidity(uint256 indexed tokenId, uint128 liquidity, uint256 amount0,"
    " uint256 amount1)"
)
LIQUIDITY_DECREASED = Event.declared(
    "DecreaseLiquidity(uint256 indexed tokenId, uint128 liquidity, uint256 amount0,"
    " uint256 amount1)"
)
POSITION_COLLECTED = Event.declared(
    "Collect(uint256 indexed tokenId, address recipient, uint256 amount0, uint256 amount1)"
)
