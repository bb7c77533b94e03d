"""Making, listing and revoking API keys."""

from dataclasses import dataclass

from api.key_ring import KeyRing, make_key
from sim.refusals import Refusal, Refused
from storage import api_keys as storage
from storage.api_keys import ApiKey, NewApiKey, Scope
from storage.database import AsyncPool, now_us


@dataclass(frozen=True)
class KeyWish:
    """A key as its user wants it; without `expires_in_s` it lives until it is revoked."""

    name: str
    scopes: frozenset[Scope]
    expires_in_s: int | None


async def make(pool: AsyncPool, user_id: int, wish: KeyWish) -> tuple[ApiKey, str]:
    """A new key and its text, which nobody can show again. Raises Refused TOO_MANY_API_KEYS."""
    made, life_s = make_key(), wish.expires_in_s
    expires_at_us = now_us() + life_s * 1_000_000 if life_s is not None else None
    new = NewApiKey(user_id, wish.name, made.prefix, made.key_hash, wish.scopes, expires_at_us)
    return await storage.create_api_key(pool, new), made.text


async def revoke(pool: AsyncPool, ring: KeyRing, user_id: int, key_id: int | None) -> None:
    """From now on the key opens nothing. Raises Refused API_KEY_NOT_FOUND."""
    prefix = None
    if key_id is not None:
        prefix = await storage.revoke_api_key(pool, user_id, key_id)
    if prefix is None:
        raise Refused(Refusal.API_KEY_NOT_FOUND, "No such API key")
    ring.forget(prefix)
