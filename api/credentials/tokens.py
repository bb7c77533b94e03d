"""Access tokens. Who may do what is decided from the database, not from here."""

import re
import secrets
import time
from dataclasses import dataclass

import jwt
import uuid_utils

from storage.people.api_keys import Scope

ALGORITHM = "HS256"
ISSUER = "sandpit"
AUDIENCE = "sandpit"
ACCESS = "access"
SECRET_BYTES_MIN = 32
TOKEN_CHARACTERS_MAX = 2_048
TOKENS_REMEMBERED_MAX = 10_000
REQUIRED_CLAIMS = ["iss", "aud", "sub", "iat", "nbf", "exp", "jti", "typ"]
USER_ID_TEXT = re.compile(r"user_([1-9]\d{0,18})", re.ASCII)
LEEWAY_S = 5
"""By how much the clocks of those who issue, check and send tokens may differ."""

SESSIONS_ENDED_MAX = 100_000
"""Ended logins whose tokens are refused; when there are more, the oldest goes: its tokens are
the first to expire."""

TOKEN_ID_BYTES = 8


def user_id_text(user_id: int) -> str:
    """How an account's id is written outside."""
    return f"user_{user_id}"


@dataclass(frozen=True)
class Claims:
    """Verified credentials: whose they are and until when. They say nothing about roles.

    session_id   the login that a token belongs to, or an id of the token alone
    scopes       what an API key opens; None for a token, which opens everything of its user
    """

    user_id: int
    expires_at_s: int
    session_id: str = ""
    scopes: frozenset[Scope] | None = None


class Tokens:
    """Issues and verifies access tokens, with one algorithm and one secret."""

    def __init__(self, secret: bytes, ttl_s: int) -> None:
        if len(secret) < SECRET_BYTES_MIN:
            raise ValueError(f"the token secret must have {SECRET_BYTES_MIN} bytes")
        self._secret = secret
        self.ttl_s = ttl_s
        self._verified: dict[str, Claims] = {}
        self._ended: dict[str, None] = {}

    def issue(self, user_id: int, session_id: str | None = None) -> str:
        """A new token for this user, of a login or on its own."""
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": user_id_text(user_id),
            "iat": now,
            "nbf": now,
            "exp": now + self.ttl_s,
            "jti": f"{session_id or uuid_utils.uuid7().hex}.{secrets.token_hex(TOKEN_ID_BYTES)}",
            "typ": ACCESS,
        }
        return jwt.encode(claims, self._secret, algorithm=ALGORITHM)

    def verify(self, token: str) -> Claims | None:
        """The claims of a token that is ours and in force, else None."""
        claims = self._verified.get(token)
        if claims is None:
            claims = self._decode(token)
            if claims is None:
                return None
            if len(self._verified) >= TOKENS_REMEMBERED_MAX:
                self._verified.clear()
            self._verified[token] = claims
        return claims if not is_late(claims) and claims.session_id not in self._ended else None

    def is_expired(self, token: str) -> bool:
        """True for a token of ours that has only become too old."""
        claims = self._decode(token, even_late=True)
        return claims is not None and is_late(claims)

    def end_session(self, session_id: str) -> None:
        """From now on the login's tokens open nothing in this process."""
        while len(self._ended) >= SESSIONS_ENDED_MAX:
            self._ended.pop(next(iter(self._ended)))
        self._ended[session_id] = None

    def _decode(self, token: str, even_late: bool = False) -> Claims | None:
        if len(token) > TOKEN_CHARACTERS_MAX:
            return None
        try:
            claims = jwt.decode(
                token,
                self._secret,
                algorithms=[ALGORITHM],
                issuer=ISSUER,
                audience=AUDIENCE,
                leeway=LEEWAY_S,
                options={"require": REQUIRED_CLAIMS, "verify_exp": not even_late},
            )
        except (jwt.InvalidTokenError, ValueError, RecursionError):
            return None
        subject = USER_ID_TEXT.fullmatch(str(claims["sub"]))
        if subject is None or claims["typ"] != ACCESS:
            return None
        session_id = str(claims["jti"]).partition(".")[0]
        return Claims(int(subject.group(1)), int(claims["exp"]), session_id)


def is_late(claims: Claims) -> bool:
    """True when the credentials' time is over, clocks that differ a little allowed for."""
    return claims.expires_at_s + LEEWAY_S <= time.time()
