"""Keys of secp256k1: whose they are, what they sign, and who signed."""

from typing import NamedTuple

from eth_keys.backends.coincurve import CoinCurveECCBackend
from eth_keys.constants import SECPK1_N
from eth_keys.datatypes import PrivateKey
from eth_keys.datatypes import Signature as LibrarySignature
from eth_keys.exceptions import BadSignature

from sim.keccak import keccak256

BACKEND = CoinCurveECCBackend()
"""Named, for the library would else ask the environment which to take."""
LOW_S_MAX = SECPK1_N // 2


class Signature(NamedTuple):
    y_parity: int
    r: int
    s: int

    @property
    def is_canonical(self) -> bool:
        """Numbers of the curve, and s the lower of the two that would do (EIP-2)."""
        return self.y_parity in (0, 1) and 0 < self.r < SECPK1_N and 0 < self.s <= LOW_S_MAX


def private_key(seed: bytes, label: str) -> bytes:
    """32 bytes, the same for the same seed and label: a number of the curve that is not 0."""
    digest = keccak256(keccak256(seed) + label.encode())
    return (1 + int.from_bytes(digest) % (SECPK1_N - 1)).to_bytes(32)


def address_of_key(private_key: bytes) -> bytes:
    return PrivateKey(private_key, BACKEND).public_key.to_canonical_address()


def sign(digest: bytes, private_key: bytes) -> Signature:
    """The one signature that RFC 6979 makes of 32 bytes, with a low s."""
    return Signature(*PrivateKey(private_key, BACKEND).sign_msg_hash(digest).vrs)


def signer(digest: bytes, signature: Signature) -> bytes:
    """The address that signed 32 bytes. Raises ValueError where nobody can have signed so."""
    if not signature.is_canonical:
        raise ValueError("The signature's parity, r or s is out of bounds, or its s is high.")
    try:
        made = LibrarySignature(vrs=signature, backend=BACKEND)
        return made.recover_public_key_from_msg_hash(digest).to_canonical_address()
    except BadSignature as failed:
        raise ValueError("No key can have made the signature.") from failed
