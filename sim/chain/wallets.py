"""Wallets by name: whoever trades here on paper leaves the keys with the chain's node."""

from sim.chain.addresses import ADDRESS_BYTES
from sim.chain.keys import address_of_key, private_key
from sim.keccak import keccak256

BRIDGE = "bridge"
"""Whose wallet has all that accounts have not brought onto the chain: it gives and takes."""

WORKLOAD = keccak256(b"sandpit workload")[-ADDRESS_BYTES:]
"""The contract that other people's transactions go to."""


class Wallets:
    """Keys and addresses of names, all from one seed."""

    def __init__(self, seed: int) -> None:
        self._seed = str(seed).encode()
        self._found: dict[str, tuple[bytes, bytes]] = {}

    def key(self, name: str) -> bytes:
        return self._both(name)[0]

    def address(self, name: str) -> bytes:
        return self._both(name)[1]

    def _both(self, name: str) -> tuple[bytes, bytes]:
        if name not in self._found:
            key = private_key(self._seed, name)
            self._found[name] = key, address_of_key(key)
        return self._found[name]


def droid_wallet(droid_id: int) -> str:
    """The name of a droid's wallet."""
    return f"droid-{droid_id}"
