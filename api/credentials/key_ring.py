"""API keys: how they are made, and which ones a process has seen to be right a moment ago."""

import hashlib
import hmac
import re
import secrets
import time
from typing import NamedTuple

from api.credentials.tokens import Claims
from storage.people.api_keys import find_api_key, note_use
from storage.postgres.database import AsyncPool

TEXT = re.compile(r"sandpit_([0-9a-f]{12})_[A-Za-z0-9_-]{43}", re.ASCII)
PREFIX_BYTES = 6
SECRET_BYTES = 32
REMEMBERED_S = 1.0
"""How long a key that another process revoked may still open something here."""

REMEMBERED_MAX = 10_000
NEVER_S = 2**62
"""When a key without an end expires."""


class MadeKey(NamedTuple):
    """A new key, which is shown once, and what is kept of it."""

    text: str
    prefix: str
    key_hash: bytes


class _Remembered(NamedTuple):
    key_hash: bytes
    claims: Claims
    until: float


def make_key() -> MadeKey:
    """A key that nobody has."""
    prefix = secrets.token_hex(PREFIX_BYTES)
    text = f"sandpit_{prefix}_{secrets.token_urlsafe(SECRET_BYTES)}"
    return MadeKey(text, prefix, hash_of(text))


def prefix_of(text: str) -> str | None:
    """By which a key is found; None for a text that cannot be one."""
    found = TEXT.fullmatch(text)
    return found[1] if found else None


def hash_of(text: str) -> bytes:
    """What is kept of a key. It is long and random: a fast hash is enough."""
    return hashlib.sha256(text.encode()).digest()


class KeyRing:
    """Verifies keys. The database is asked once a second and key, not once a request."""

    def __init__(self) -> None:
        self._remembered: dict[str, _Remembered] = {}

    def recall(self, text: str) -> Claims | None:
        """The claims of a key that was right a moment ago."""
        known = self._remembered.get(prefix_of(text) or "")
        if known is None or known.until <= time.monotonic():
            return None
        return known.claims if hmac.compare_digest(known.key_hash, hash_of(text)) else None

    async def look_up(self, pool: AsyncPool, text: str) -> Claims | None:
        """The claims of a key that is right, even where it has expired. Raises StorageError."""
        key = await find_api_key(pool, prefix_of(text) or "")
        if key is None or not hmac.compare_digest(key.key_hash, hash_of(text)):
            return None
        expires_at_us = key.expires_at_us
        expires_at_s = expires_at_us // 1_000_000 if expires_at_us is not None else NEVER_S
        claims = Claims(key.user_id, expires_at_s, scopes=key.scopes)
        if len(self._remembered) >= REMEMBERED_MAX:
            self._remembered.clear()
        until = time.monotonic() + REMEMBERED_S
        self._remembered[key.prefix] = _Remembered(key.key_hash, claims, until)
        await note_use(pool, key)
        return claims

    def forget(self, prefix: str) -> None:
        """The key was revoked."""
        self._remembered.pop(prefix, None)
