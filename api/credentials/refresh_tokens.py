"""Refresh tokens: a login's id and a number, signed by this deployment."""

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode
from typing import NamedTuple

PURPOSE = b"sandpit refresh token"
"""Keeps these signatures apart from whatever else the same secret signs."""

TEXT = re.compile(r"sr_([0-9a-f]{32})_(0|[1-9]\d{0,8})_([A-Za-z0-9_-]{43})", re.ASCII)


class Shown(NamedTuple):
    """What a token of ours says: whose login, and the how manieth token of it."""

    session_id: str
    generation: int


class RefreshTokens:
    """Writes and reads them. A token follows from its predecessor, so nothing but hashes is kept,
    and who asks twice at once can be answered alike."""

    def __init__(self, secret: bytes, ttl_s: int) -> None:
        self._key = hmac.digest(secret, PURPOSE, "sha256")
        self.ttl_s = ttl_s

    def write(self, shown: Shown) -> str:
        """The token's text."""
        return f"sr_{shown.session_id}_{shown.generation}_{self._signature(shown)}"

    def read(self, text: str) -> Shown | None:
        """What the token says; None for one that is not ours."""
        found = TEXT.fullmatch(text)
        if found is None:
            return None
        shown = Shown(found[1], int(found[2]))
        return shown if hmac.compare_digest(found[3], self._signature(shown)) else None

    def _signature(self, shown: Shown) -> str:
        said = f"{shown.session_id}.{shown.generation}".encode()
        digest = hmac.digest(self._key, said, "sha256")
        return urlsafe_b64encode(digest).rstrip(b"=").decode()


def kept(text: str) -> bytes:
    """What is stored of a token."""
    return hashlib.sha256(text.encode()).digest()
