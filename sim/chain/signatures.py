"""Messages that a wallet signed by personal_sign (EIP-191, version 0x45)."""

from sim.chain.addresses import ADDRESS_BYTES
from sim.chain.hexadecimal import bytes_of_hex
from sim.chain.keys import Signature, signer
from sim.keccak import keccak256

SIGNATURE_BYTES = 65
PARITY_OF_V = {0: 0, 1: 1, 27: 0, 28: 1}


def verify_signature(address_text: str, message: str, signature_text: str) -> bool:
    """Whether the address signed the message: r, s and v, where s is low and v is 0, 1, 27 or 28.

    Never raises: what is malformed is not a signature. An address is read without its case, and
    both may come without 0x.
    """
    address = bytes_of_hex(address_text, ADDRESS_BYTES, needs_prefix=False)
    signature = _signature(bytes_of_hex(signature_text, SIGNATURE_BYTES, needs_prefix=False))
    if address is None or signature is None:
        return False
    try:
        return signer(personal_digest(message.encode()), signature) == address
    except ValueError:
        return False


def personal_digest(message: bytes) -> bytes:
    """What a wallet signs for a message."""
    return keccak256(b"\x19Ethereum Signed Message:\n%d%s" % (len(message), message))


def _signature(some: bytes | None) -> Signature | None:
    if some is None or some[-1] not in PARITY_OF_V:
        return None
    return Signature(PARITY_OF_V[some[-1]], int.from_bytes(some[:32]), int.from_bytes(some[32:64]))
