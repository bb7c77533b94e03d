"""Keccak-256, as the chain hashes: not hashlib's SHA-3, which pads otherwise."""

from eth_hash.backends import pycryptodome
from eth_hash.main import Keccak256

HASHER = Keccak256(pycryptodome.backend)
"""With the backend named, for the library would else ask the environment which to take."""


def keccak256(message: bytes) -> bytes:
    """32 bytes."""
    return HASHER(message)
