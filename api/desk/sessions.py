"""Staying logged in: a login's tokens, their successors, and its end."""

from dataclasses import dataclass

import uuid_utils

from api.credentials.refresh_tokens import RefreshTokens, Shown, kept
from api.credentials.tokens import Tokens
from sim.refusals import Refusal, Refused
from storage.people.login_sessions import (
    NOT_VALID,
    NewSession,
    Turn,
    begin_session,
    end_session,
    turn,
)
from storage.postgres.database import AsyncPool


@dataclass(frozen=True)
class Sessions:
    """What staying logged in works with."""

    pool: AsyncPool
    tokens: Tokens
    refreshing: RefreshTokens


@dataclass(frozen=True)
class LoggedIn:
    """The two tokens that somebody has now."""

    user_id: int
    token: str
    refresh_token: str


async def begin(sessions: Sessions, user_id: int) -> LoggedIn:
    """A new login of this user."""
    session_id = uuid_utils.uuid7().hex
    refresh_token = sessions.refreshing.write(Shown(session_id, 0))
    new = NewSession(session_id, user_id, kept(refresh_token))
    await begin_session(sessions.pool, new, sessions.refreshing.ttl_s)
    return LoggedIn(user_id, sessions.tokens.issue(user_id, session_id), refresh_token)


async def refresh(sessions: Sessions, text: str) -> LoggedIn:
    """Tokens for the next while. Raises Refused UNAUTHENTICATED."""
    shown = sessions.refreshing.read(text)
    if shown is None:
        raise Refused(Refusal.UNAUTHENTICATED, NOT_VALID)
    successor = sessions.refreshing.write(Shown(shown.session_id, shown.generation + 1))
    asked = Turn(shown.session_id, shown.generation, kept(text), kept(successor))
    try:
        user_id = await turn(sessions.pool, asked, sessions.refreshing.ttl_s)
    except Refused:  # the token is one of ours, so it is its login that is over
        sessions.tokens.end_session(shown.session_id)
        raise
    return LoggedIn(user_id, sessions.tokens.issue(user_id, shown.session_id), successor)


async def log_out(sessions: Sessions, text: str) -> None:
    """End the login that the token belongs to; without one there is nothing to end."""
    shown = sessions.refreshing.read(text)
    if shown is not None:
        await end(sessions, shown.session_id)


async def end(sessions: Sessions, session_id: str) -> None:
    """End a login with all its tokens."""
    await end_session(sessions.pool, session_id)
    sessions.tokens.end_session(session_id)
