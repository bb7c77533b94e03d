"""Bytes under a seal: what was altered on a disk, cut off or is of something else is noticed
before anything of it is read."""

from hashlib import blake2b

SEAL = b"SANDSEAL4"
"""Its number is the version of what is sealed: another where a class in it has moved."""

DIGEST_BYTES = 32


class SealBroken(ValueError):
    """Not what was sealed."""


def sealed(content: bytes) -> bytes:
    """What `opened` gives the content of."""
    return b"".join([SEAL, blake2b(content, digest_size=DIGEST_BYTES).digest(), content])


def opened(data: bytes) -> bytes:
    """The content as it was sealed. Raises SealBroken."""
    begin = len(SEAL) + DIGEST_BYTES
    content = data[begin:]
    digest = blake2b(content, digest_size=DIGEST_BYTES).digest()
    if not data.startswith(SEAL) or data[len(SEAL) : begin] != digest:
        raise SealBroken("it is not what was written, or another version wrote it")
    return content
