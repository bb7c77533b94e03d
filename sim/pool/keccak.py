"""Keccak-256 as the chain hashes: the sponge of FIPS 202 with the padding of before it, which is
why hashlib has none (Bertoni, Daemen, Peeters, Van Assche: The Keccak reference, 2011).
"""

from collections.abc import Iterator
from itertools import chain, islice

RATE_BYTES = 136
KECCAK_PADDING = 1
ROUNDS = 24
LANE_MAX = 2**64 - 1
SIDE = range(5)


def _round_constants() -> Iterator[int]:
    """Bits of a shift register of x⁸ + x⁶ + x⁵ + x⁴ + 1 at places 2**j − 1 of each lane."""
    register = 1
    while True:
        constant = 0
        for j in range(7):
            constant |= (register & 1) << (2**j - 1)
            register = register << 1 ^ (0x171 if register & 0x80 else 0)
        yield constant


def _rotations() -> dict[tuple[int, int], int]:
    """Of each lane: triangular numbers along the walk (x, y) → (y, 2x + 3y)."""
    rotations, x, y = {(0, 0): 0}, 1, 0
    for step in range(ROUNDS):
        rotations[x, y] = (step + 1) * (step + 2) // 2 % 64
        x, y = y, (2 * x + 3 * y) % 5
    return rotations


ROUND_CONSTANTS = tuple(islice(_round_constants(), ROUNDS))
ROTATIONS = _rotations()


def _rotated(lane: int, by: int) -> int:
    return (lane << by | lane >> (64 - by)) & LANE_MAX


def _permuted(lanes: dict[tuple[int, int], int]) -> dict[tuple[int, int], int]:
    for constant in ROUND_CONSTANTS:
        column = [lanes[x, 0] ^ lanes[x, 1] ^ lanes[x, 2] ^ lanes[x, 3] ^ lanes[x, 4] for x in SIDE]
        parity = [column[x - 1] ^ _rotated(column[(x + 1) % 5], 1) for x in SIDE]
        moved = {
            (y, (2 * x + 3 * y) % 5): _rotated(lanes[x, y] ^ parity[x], ROTATIONS[x, y])
            for x, y in lanes
        }
        lanes = {
            (x, y): moved[x, y] ^ ~moved[(x + 1) % 5, y] & moved[(x + 2) % 5, y] for x, y in moved
        }
        lanes[0, 0] ^= constant
    return lanes


def keccak256(message: bytes) -> bytes:
    """32 bytes."""
    return sponge(message, KECCAK_PADDING)


def sponge(message: bytes, padding: int) -> bytes:
    """32 bytes of a message that the padding's first byte follows: 6 makes it SHA3-256."""
    padded = bytearray(message + bytes(RATE_BYTES - len(message) % RATE_BYTES))
    padded[len(message)] ^= padding
    padded[-1] ^= 0x80
    lanes = {(x, y): 0 for y in SIDE for x in SIDE}
    places = list(lanes)[: RATE_BYTES // 8]
    for start in range(0, len(padded), RATE_BYTES):
        for number, place in enumerate(places):
            at = start + 8 * number
            lanes[place] ^= int.from_bytes(padded[at : at + 8], "little")
        lanes = _permuted(lanes)
    words = (lanes[place].to_bytes(8, "little") for place in places[:4])
    return bytes(chain.from_iterable(words))
