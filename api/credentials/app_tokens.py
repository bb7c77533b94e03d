"""Tokens that open the explorer: how they are made, and whose one is."""

import hashlib
import hmac
import re
import secrets
from typing import NamedTuple

from storage.people.app_tokens import TokenHolder, token_holders
from storage.postgres.database import AsyncPool

TEXT = re.compile(r"hc_live_([0-9a-f]{8})[0-9a-f]{32}", re.ASCII)
TOKEN_BYTES = 20
"""Of which the first four are how it is found, and the other sixteen the secret."""


class MadeToken(NamedTuple):
    """A new token, which is shown once, and what is kept of it."""

    text: str
    prefix: str
    token_hash: bytes


def make_app_token() -> MadeToken:
    """A token that nobody has."""
    text = f"hc_live_{secrets.token_hex(TOKEN_BYTES)}"
    return MadeToken(text, app_token_prefix(text) or "", kept_of(text))


def app_token_prefix(text: str) -> str | None:
    """By which a token is found; None for a text that cannot be one."""
    found = TEXT.fullmatch(text)
    return found[1] if found else None


def kept_of(text: str) -> bytes:
    """What is kept of a token. It is long and random: a fast hash is enough."""
    return hashlib.sha256(text.encode()).digest()


async def holder_of_token(pool: AsyncPool, text: str) -> TokenHolder | None:
    """Whose token this is, asked of the database each time: a revoked one opens nothing at once.

    Raises StorageError.
    """
    asked = kept_of(text)
    holders = await token_holders(pool, app_token_prefix(text) or "")
    right = [one for one in holders if hmac.compare_digest(one.token_hash, asked)]
    return right[0] if right else None
