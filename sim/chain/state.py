"""Who has what on the chain, and what a block that is not yet kept would change of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")

Holding = tuple[bytes, bytes]
"""A token's address and a holder's."""

Place = tuple[int, bytes, int, int]
"""A pool, a holder and two ticks."""


@dataclass(frozen=True, slots=True)
class Position:
    """Liquidity of a pool, and the NFT that stands for it."""

    token_id: int
    place: Place
    liquidity: int


@dataclass
class ChainState:
    """As after the last block that is kept. What is not there is nothing.

    positions       by place
    last_token_id   of NFTs so far
    burnt_wei       base fees of all blocks
    """

    wei: dict[bytes, int] = field(default_factory=dict)
    nonces: dict[bytes, int] = field(default_factory=dict)
    holdings: dict[Holding, int] = field(default_factory=dict)
    positions: dict[Place, Position] = field(default_factory=dict)
    last_token_id: int = 0
    burnt_wei: int = 0


class Overlay(Generic[Key, Value]):
    """A mapping with changes above it that can be kept or forgotten."""

    def __init__(self, below: Mapping[Key, Value], nothing: Value) -> None:
        self._below, self._nothing = below, nothing
        self.changes: dict[Key, Value] = {}

    def __getitem__(self, key: Key) -> Value:
        if key in self.changes:
            return self.changes[key]
        return self._below.get(key, self._nothing)

    def __setitem__(self, key: Key, value: Value) -> None:
        self.changes[key] = value

    def changed(self) -> Iterator[tuple[Key, Value, Value]]:
        """Key, what it was, what it is."""
        for key, value in self.changes.items():
            before = self._below.get(key, self._nothing)
            if before != value:
                yield key, before, value


class Draft:
    """The state with a block's changes, none of which is in `below` yet."""

    def __init__(self, below: ChainState) -> None:
        self._below = below
        self.wei: Overlay[bytes, int] = Overlay(below.wei, 0)
        self.nonces: Overlay[bytes, int] = Overlay(below.nonces, 0)
        self.holdings: Overlay[Holding, int] = Overlay(below.holdings, 0)
        self.positions: Overlay[Place, Position | None] = Overlay(below.positions, None)
        self.last_token_id = below.last_token_id
        self.burnt_wei = below.burnt_wei

    def give_wei(self, address: bytes, wei: int) -> None:
        """Or take, where negative."""
        self.wei[address] += wei
        assert self.wei[address] >= 0, "nobody spends ether that is not there"

    def give(self, token: bytes, holder: bytes, amount: int) -> None:
        """Or take, where negative."""
        self.holdings[token, holder] += amount
        assert self.holdings[token, holder] >= 0, "nobody spends a token that is not there"

    def closed(self) -> list[int]:
        """NFTs that are burnt."""
        changed = self.positions.changed()
        return [before.token_id for _, before, after in changed if before and not after]

    def checked(self) -> None:
        """Raises AssertionError where something came from nowhere or went there."""
        wei = sum(after - before for _, before, after in self.wei.changed())
        assert wei + self.burnt_wei - self._below.burnt_wei == 0, "ether is conserved"
        moved: dict[bytes, int] = {}
        for (token, _), before, after in self.holdings.changed():
            moved[token] = moved.get(token, 0) + after - before
        assert not any(moved.values()), "tokens are conserved"

    def keep(self) -> None:
        """All of it becomes the state."""
        below = self._below
        below.wei.update(self.wei.changes)
        below.nonces.update(self.nonces.changes)
        below.holdings.update(self.holdings.changes)
        for place, position in self.positions.changes.items():
            if position is None:
                below.positions.pop(place, None)
            else:
                below.positions[place] = position
        below.last_token_id, below.burnt_wei = self.last_token_id, self.burnt_wei
