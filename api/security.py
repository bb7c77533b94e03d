"""Tokens and passwords. Who may do what is decided from the database, not from here."""

import asyncio
import os
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import jwt
import uuid_utils
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from sim.refusals import Refusal, Refused

T = TypeVar("T")

ALGORITHM = "HS256"
ISSUER = "sandpit"
AUDIENCE = "sandpit"
ACCESS = "access"
SECRET_BYTES_MIN = 32
TOKEN_CHARACTERS_MAX = 2_048
TOKENS_REMEMBERED_MAX = 10_000
REQUIRED_CLAIMS = ["iss", "aud", "sub", "iat", "nbf", "exp", "jti", "typ"]
USER_ID_TEXT = re.compile(r"user_([1-9]\d{0,18})", re.ASCII)

HASH_MEMORY_KIB = 19_456
HASH_PASSES = 2
HASHES_AT_ONCE_MAX = max(1, (os.cpu_count() or 1) // 2)
HASHES_WAITING_MAX = 200
"""Each hash takes 19 MiB and a core for some 20 ms: half of the cores are left to everything
else, and whoever comes when so many wait is sent away."""

PASSWORD_CHARACTERS = (8, 128)


def user_id_text(user_id: int) -> str:
    """How an account's id is written outside."""
    return f"user_{user_id}"


@dataclass(frozen=True)
class Claims:
    """A verified token: whose it is and until when. It says nothing about roles."""

    user_id: int
    expires_at_s: int


class Tokens:
    """Issues and verifies access tokens, with one algorithm and one secret."""

    def __init__(self, secret: bytes, ttl_s: int) -> None:
        if len(secret) < SECRET_BYTES_MIN:
            raise ValueError(f"the token secret must have {SECRET_BYTES_MIN} bytes")
        self._secret = secret
        self.ttl_s = ttl_s
        self._verified: dict[str, Claims] = {}

    def issue(self, user_id: int) -> str:
        """A new token for this user."""
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": user_id_text(user_id),
            "iat": now,
            "nbf": now,
            "exp": now + self.ttl_s,
            "jti": str(uuid_utils.uuid7()),
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
        return claims if claims.expires_at_s > time.time() else None

    def _decode(self, token: str) -> Claims | None:
        if len(token) > TOKEN_CHARACTERS_MAX:
            return None
        try:
            claims = jwt.decode(
                token,
                self._secret,
                algorithms=[ALGORITHM],
                issuer=ISSUER,
                audience=AUDIENCE,
                options={"require": REQUIRED_CLAIMS},
            )
        except (jwt.InvalidTokenError, ValueError, RecursionError):
            return None
        subject = USER_ID_TEXT.fullmatch(str(claims["sub"]))
        if subject is None or claims["typ"] != ACCESS:
            return None
        return Claims(int(subject.group(1)), int(claims["exp"]))


class Passwords:
    """Argon2id on its own threads, so that hashing never holds up the event loop."""

    def __init__(self) -> None:
        hasher = Argon2Hasher(memory_cost=HASH_MEMORY_KIB, time_cost=HASH_PASSES, parallelism=1)
        self._hasher = PasswordHash((hasher,))
        self._threads = ThreadPoolExecutor(HASHES_AT_ONCE_MAX, thread_name_prefix="argon2")
        self._waiting = 0
        self._nobodys_hash = self._hasher.hash("nobody has this password")

    async def hash(self, password: str) -> str:
        """A new hash. Raises Refused UNAVAILABLE where too many are waiting."""
        return await self._run(self._hasher.hash, password)

    async def verify(self, password: str, known_hash: str | None) -> tuple[bool, str | None]:
        """Whether the password is right, and a new hash where the old one is out of date.

        Takes as long where there is no hash to compare with.
        """
        verified, updated = await self._run(
            self._hasher.verify_and_update, password, known_hash or self._nobodys_hash
        )
        return verified and known_hash is not None, updated

    async def _run(self, work: Callable[..., T], *arguments: str) -> T:
        if self._waiting >= HASHES_WAITING_MAX:
            raise Refused(Refusal.UNAVAILABLE, "Too many logins at once; try again in 1 s")
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, work, *arguments)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)
