"""Registering and logging in, without telling strangers which addresses are known."""

import re
import secrets
from dataclasses import dataclass
from hashlib import sha256

from api.limits import LoginGuard
from api.security import PASSWORD_CHARACTERS, Passwords
from sim.refusals import Refusal, Refused
from storage.accounts import (
    Role,
    User,
    UserStatus,
    create_user,
    find_user_by_email,
    replace_password_hash,
)
from storage.database import AsyncPool

EMAIL_TEXT = re.compile(
    r"[^@\s\x00-\x1f\x7f]{1,64}@[^@\s\x00-\x1f\x7f.]+(\.[^@\s\x00-\x1f\x7f.]+)+"
)
EMAIL_CHARACTERS_MAX = 254
UNUSABLE_HASH = "!"
"""No password has this hash: guests come back by their token only."""

WRONG = "E-mail or password is wrong"


@dataclass(frozen=True)
class Identity:
    """What registering and logging in work with."""

    pool: AsyncPool
    passwords: Passwords
    guard: LoginGuard


async def register(identity: Identity, address: str, email: str, password: str) -> int:
    """A new TRADER's id.

    Where the e-mail is taken, the right password gets its user's id (the same
    request came twice), and any other an id that belongs to nobody: who asks
    cannot tell. A wrong guess counts as a failed login.
    """
    email = checked_email(email)
    checked_password(password)
    account = account_key(email)
    async with identity.guard.turn(account):
        await identity.guard.check(address, account)
        known = await find_user_by_email(identity.pool, email)
        if known is None:
            new_hash = await identity.passwords.hash(password)
            user_id, created = await create_user(identity.pool, email, new_hash, Role.TRADER)
            if created:
                return user_id
            known = await find_user_by_email(identity.pool, email)
        if known is not None and await matches(identity, known, password):
            return known.user_id
        await identity.guard.failed(address, account)
    decoy, _ = await create_user(identity.pool, email, UNUSABLE_HASH, Role.TRADER)
    return decoy


async def log_in(identity: Identity, address: str, email: str, password: str) -> int:
    """The user's id. Raises Refused INVALID_CREDENTIALS, or RATE_LIMITED after many of those."""
    email = email.lower()
    account = account_key(email)
    async with identity.guard.turn(account):
        await identity.guard.check(address, account)
        if len(password) > PASSWORD_CHARACTERS[1]:
            raise Refused(Refusal.INVALID_CREDENTIALS, WRONG)
        is_address = EMAIL_TEXT.fullmatch(email) is not None
        user = await find_user_by_email(identity.pool, email) if is_address else None
        right = await matches(identity, user, password)
        if user is None or not right or user.status != UserStatus.ACTIVE:
            await identity.guard.failed(address, account)
            raise Refused(Refusal.INVALID_CREDENTIALS, WRONG)
        await identity.guard.succeeded(account)
    return user.user_id


async def matches(identity: Identity, user: User | None, password: str) -> bool:
    """Whether this is the user's password; takes as long for nobody's."""
    known_hash = user.password_hash if user is not None else None
    if known_hash == UNUSABLE_HASH:
        known_hash = None
    right, updated = await identity.passwords.verify(password, known_hash)
    if right and updated is not None and user is not None:
        await replace_password_hash(identity.pool, user, updated)
    return right


async def become_guest(pool: AsyncPool) -> int:
    """A throw-away TRADER who cannot log in."""
    email = f"guest-{secrets.token_hex(12)}@guest.invalid"
    user_id, _ = await create_user(pool, email, UNUSABLE_HASH, Role.TRADER)
    return user_id


def checked_email(text: str) -> str:
    """The address in lower case. Raises Refused INVALID_EMAIL."""
    email = text.lower()
    if len(email) > EMAIL_CHARACTERS_MAX or EMAIL_TEXT.fullmatch(email) is None:
        raise Refused(Refusal.INVALID_EMAIL, "email must look like something@something.something")
    return email


def checked_password(password: str) -> None:
    """Raises Refused INVALID_PASSWORD; nothing is ever cut off."""
    least, most = PASSWORD_CHARACTERS
    if not least <= len(password) <= most:
        raise Refused(Refusal.INVALID_PASSWORD, f"password must have {least} to {most} characters")


def account_key(email: str) -> str:
    """The account as the counters of failed logins know it, without its address."""
    return sha256(email.encode()).hexdigest()[:32]
