"""What an actor is made from, as it travels to its process: within the order to make it.

Ray puts a large argument into its object store and makes an actor that is to be restarted depend
on it: once lost there, the actor does not come back. Small ones are part of the order, which
lives as long as the actor. Recorded prices are large, so they go compressed and in pieces.
"""

import zlib
from collections.abc import Mapping, Sequence
from typing import Any

PIECE_BYTES = 90_000
"""Less than the 100 KiB up to which Ray keeps an argument with its call (in all up to 10 MiB)."""

FAST = 1
"""zlib's level."""


def packed(arguments: Mapping[str, Any]) -> list[bytes]:
    """Pieces of which none is large."""
    from ray import cloudpickle

    content = zlib.compress(cloudpickle.dumps(dict(arguments)), FAST)
    return [content[at : at + PIECE_BYTES] for at in range(0, len(content), PIECE_BYTES)]


def unpacked(pieces: Sequence[bytes]) -> dict[str, Any]:
    """The arguments anew, their arrays writable."""
    from ray import cloudpickle

    found: dict[str, Any] = cloudpickle.loads(zlib.decompress(b"".join(pieces)))
    return found
