"""Making, listing and revoking API keys."""

from dataclasses import dataclass

from api.credentials.key_ring import KeyRing, make_key
from api.desk.digests import digest
from api.desk.identifiers import api_key_id_text
from sim.refusals import Refusal, Refused
from storage.intake.idempotency import Asked, Outcome, once
from storage.people import api_keys as storage
from storage.people.api_keys import ApiKey, NewApiKey, Scope
from storage.postgres.database import AsyncPool, now_us
from storage.postgres.unit_of_work import Connection


@dataclass(frozen=True)
class KeyWish:
    """A key as its user wants it; without `expires_in_s` it lives until it is revoked."""

    name: str
    scopes: frozenset[Scope]
    expires_in_s: int | None


async def make(
    pool: AsyncPool, user_id: int, wish: KeyWish, idempotency_key: str | None
) -> tuple[ApiKey, str]:
    """A new key and its text, which nobody can show again.

    Raises Refused TOO_MANY_API_KEYS, and IDEMPOTENCY_KEY_REUSED for the same request again.
    """
    made, life_s = make_key(), wish.expires_in_s
    expires_at_us = now_us() + life_s * 1_000_000 if life_s is not None else None
    new = NewApiKey(user_id, wish.name, made.prefix, made.key_hash, wish.scopes, expires_at_us)
    kept: list[ApiKey] = []

    async def work(connection: Connection) -> Outcome:
        kept.append(await storage.create_api_key(connection, new))
        return {"api_key_id": kept[0].key_id}

    meaning = digest(repr(wish.name), *sorted(wish.scopes), str(life_s))
    outcome = await once(pool, Asked(user_id, "auth/api-keys", meaning, idempotency_key), work)
    if not kept:
        raise shown_before(outcome["api_key_id"])
    return kept[0], made.text


def shown_before(key_id: int) -> Refused:
    """The refusal of a repetition: only a hash is kept, so the first answer cannot be repeated."""
    name = api_key_id_text(key_id)
    return Refused(
        Refusal.IDEMPOTENCY_KEY_REUSED,
        f"This request was done before: it made {name}, whose text is shown once. Where that is"
        " lost, revoke it and make another key with another Idempotency-Key",
        {"api_key_id": name},
    )


async def revoke(pool: AsyncPool, ring: KeyRing, user_id: int, key_id: int | None) -> None:
    """From now on the key opens nothing. Raises Refused API_KEY_NOT_FOUND."""
    prefix = None
    if key_id is not None:
        prefix = await storage.revoke_api_key(pool, user_id, key_id)
    if prefix is None:
        raise Refused(Refusal.API_KEY_NOT_FOUND, "No such API key")
    ring.forget(prefix)
