"""A token that changes hands."""

from typing import NamedTuple


class Transfer(NamedTuple):
    """So much of an ERC-20, in its smallest unit; of an NFT one, and which."""

    token: bytes
    sender: bytes
    recipient: bytes
    amount: int
    token_id: int | None
