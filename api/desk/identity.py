"""Registering and logging in, without telling strangers which addresses are known."""

import hmac
import re
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256

from api.credentials.login_guard import LoginGuard, NewAccounts
from api.credentials.passwords import PASSWORD_CHARACTERS, Lane, Passwords
from sim.folding import lower
from sim.refusals import Refusal, Refused
from storage.people.accounts import (
    UNUSABLE_HASH,
    User,
    UserStatus,
    create_user,
    find_user_by_email,
    replace_password_hash,
)
from storage.people.login_addresses import is_known_address, remember_address
from storage.postgres.database import AsyncPool

EMAIL_TEXT = re.compile(
    r"[^@\s\x00-\x1f\x7f]{1,64}@[^@\s\x00-\x1f\x7f.]+(\.[^@\s\x00-\x1f\x7f.]+)+"
)
EMAIL_CHARACTERS_MAX = 254
WRONG = "E-mail or password is wrong"


@dataclass(frozen=True)
class Identity:
    """What registering and logging in work with; the secret hides addresses that are kept."""

    pool: AsyncPool
    passwords: Passwords
    guard: LoginGuard
    new_accounts: NewAccounts
    secret: bytes


@dataclass(frozen=True)
class Registered:
    """Whose id was answered, and whether they have just come."""

    user_id: int
    is_new: bool = False


Create = Callable[[AsyncPool, str, str], Awaitable[tuple[int, bool]]]
"""As storage.people.accounts.create_user."""


async def register(
    identity: Identity, address: str, email: str, password: str, create: Create = create_user
) -> Registered:
    """A new user's id; what they may do, `create` says.

    Where the e-mail is taken, the right password gets its user's id (the same
    request came twice), and any other an id that belongs to nobody: who asks
    cannot tell. A wrong guess counts as a failed login. What is refused as
    unavailable opens no account and counts as none.
    """
    email = checked_email(email)
    checked_password(password)
    async with attempt(identity, identity.passwords.registrations, address, email):
        known = await find_user_by_email(identity.pool, email)
        await identity.new_accounts.take(address)
        if known is None:
            new_hash = await identity.passwords.hash(password)
            user_id, created = await create(identity.pool, email, new_hash)
            if created:
                await remember_address(identity.pool, user_id, hidden(identity, address))
                return Registered(user_id, is_new=True)
            known = await find_user_by_email(identity.pool, email)
        lane = identity.passwords.registrations
        if known is not None and await matches(identity, lane, known, password):
            return Registered(known.user_id)
        await identity.guard.failed(address, account_key(email))
    decoy, _ = await create_user(identity.pool, email, UNUSABLE_HASH)
    return Registered(decoy)


async def log_in(identity: Identity, address: str, email: str, password: str) -> User:
    """The user, who may still wait for an ADMIN. Raises Refused INVALID_CREDENTIALS, or
    RATE_LIMITED after many of those, or UNAVAILABLE where too many wait."""
    email = lower(email)
    account, lane = account_key(email), identity.passwords.logins
    async with attempt(identity, lane, address, email):
        if len(password) > PASSWORD_CHARACTERS[1]:
            raise Refused(Refusal.INVALID_CREDENTIALS, WRONG)
        is_address = EMAIL_TEXT.fullmatch(email) is not None
        user = await find_user_by_email(identity.pool, email) if is_address else None
        right = await matches(identity, lane, user, password)
        if user is None or not right or user.status == UserStatus.DISABLED:
            await identity.guard.failed(address, account)
            raise Refused(Refusal.INVALID_CREDENTIALS, WRONG)
        await identity.guard.succeeded(address, account)
    await remember_address(identity.pool, user.user_id, hidden(identity, address))
    return user


@asynccontextmanager
async def attempt(identity: Identity, lane: Lane, address: str, email: str) -> AsyncIterator[None]:
    """The address's turn to try a password. It is looked at twice whether it must wait: before
    the line, where it would stand for nothing, and in its turn, when all that it tried before is
    counted. So a burst does not pass as one."""
    await check(identity, address, email)
    async with lane.turn(address):
        await check(identity, address, email)
        yield


async def check(identity: Identity, address: str, email: str) -> None:
    """Raises Refused RATE_LIMITED while this address has to wait with this account."""

    async def is_known() -> bool:
        return await is_known_address(identity.pool, email, hidden(identity, address))

    await identity.guard.check(address, account_key(email), is_known)


async def matches(identity: Identity, lane: Lane, user: User | None, password: str) -> bool:
    """Whether this is the user's password; takes as long for nobody's."""
    known_hash = user.password_hash if user is not None else None
    if known_hash == UNUSABLE_HASH:
        known_hash = None
    right, updated = await identity.passwords.verify(lane, password, known_hash)
    if right and updated is not None and user is not None:
        await replace_password_hash(identity.pool, user, updated)
    return right


async def become_guest(identity: Identity, address: str) -> int:
    """A throw-away TRADER who cannot log in. Raises Refused RATE_LIMITED."""
    await identity.new_accounts.take(address)
    email = f"guest-{secrets.token_hex(12)}@guest.invalid"
    user_id, _ = await create_user(identity.pool, email, UNUSABLE_HASH, is_guest=True)
    return user_id


def checked_email(text: str) -> str:
    """The address in lower case. Raises Refused INVALID_EMAIL."""
    email = lower(text)
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


def hidden(identity: Identity, address: str) -> bytes:
    """An address as it is kept: the same each time, and not readable without the secret."""
    return hmac.digest(identity.secret, b"login address " + address.encode(), "sha256")[:16]
