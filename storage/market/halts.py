"""Halted markets: why, whether cancels are still done, and what an operator wishes of them.

A halt stands in the market's row until an operator resumes it; no restart lifts it. Wishes stand
there too, numbered, until the market's actor has answered them.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import psycopg

from sim.rows.messages import CommandKind, MarketStatus, empty_commands
from storage.errors import CorruptState, wrapped
from storage.order_states import OPEN

REASON_CHARS_MAX = 300

AGAIN = "it halts again: "
"""How the answer to a wish begins that came to nothing."""

STANDING = "SELECT status, halt_reason, wish, wish_no FROM markets WHERE market_id = %s"
HALT = f"""
UPDATE markets SET status = {MarketStatus.HALTED:d}, halt_reason = %(reason)s::text,
    takes_cancels = false, wish = NULL,
    wish_answer = CASE WHEN wish IS NULL THEN wish_answer ELSE '{AGAIN}' || %(reason)s::text END
WHERE market_id = %(market)s"""
COMMAND_HALT = f"""
WITH was AS (
    SELECT market_id, status <> {MarketStatus.HALTED:d} OR wish IS NOT NULL AS opens FROM markets
    WHERE market_id = %(market)s FOR UPDATE),
closed AS (
    UPDATE markets m SET status = {MarketStatus.HALTED:d}, halt_reason = %(reason)s::text,
        takes_cancels = %(takes_cancels)s AND (m.takes_cancels OR was.opens), wish = NULL,
        wish_answer = CASE WHEN m.wish IS NULL THEN m.wish_answer
            ELSE '{AGAIN}' || %(reason)s::text END
    FROM was WHERE m.market_id = was.market_id RETURNING m.market_id, m.wish_no),
commanded AS (
    INSERT INTO commands (market_id, account_id, order_id, payload, created_at_us)
    SELECT market_id, 0, 0, %(payload)b, %(now)s FROM was WHERE opens)
SELECT wish_no, pg_notify('commands', '') FROM closed"""
"""The command is for a market that may take orders, or is about to; a halted one has had it."""

WISH = f"""
UPDATE markets SET wish = %s, wish_no = wish_no + 1, wish_answer = NULL
WHERE market_id = %s AND (halt_reason IS NOT NULL OR status <> {MarketStatus.ACTIVE:d})
RETURNING wish_no"""
ANSWER = f"""
UPDATE markets SET wish = NULL, wish_answer = %(answer)s,
    status = CASE WHEN %(opens)s THEN {MarketStatus.ACTIVE:d} ELSE status END,
    halt_reason = CASE WHEN %(opens)s THEN NULL ELSE halt_reason END,
    takes_cancels = takes_cancels OR %(opens)s
WHERE market_id = %(market)s AND wish IS NOT NULL AND wish_no = %(wish_no)s RETURNING 1"""
OUTCOME = "SELECT wish_no = %s AND wish IS NULL, wish_answer FROM markets WHERE market_id = %s"
IS_PROJECTED = """
SELECT p.batch_no >= h.batch_no FROM projections p JOIN market_heads h USING (market_id)
WHERE market_id = %s"""
WISH_NUMBERS = "SELECT market_id, wish_no FROM markets"
LIST = f"""
SELECT m.market_id, m.status, m.halt_reason, m.wish, count(o.id)
FROM markets m LEFT JOIN orders o ON o.market_id = m.market_id AND o.{OPEN}
GROUP BY m.market_id ORDER BY m.ordinal"""


class Wish(StrEnum):
    """What an operator may ask of a halted market."""

    DRAIN = "DRAIN"
    RESUME = "RESUME"


@dataclass(frozen=True)
class Standing:
    """How a market stands; halt_reason and wish are None where there is none."""

    status: MarketStatus
    halt_reason: str | None
    wish: Wish | None
    wish_no: int


@dataclass(frozen=True)
class ListedStanding:
    """A market as an operator sees it; open_orders are clients', as far as they are projected."""

    market_id: str
    status: MarketStatus
    halt_reason: str | None
    wish: Wish | None
    open_orders: int


def standing(connection: psycopg.Connection[Any], market_id: str) -> Standing:
    """How a market stands now. Raises CorruptState for one that is not listed."""
    with wrapped():
        row = connection.execute(STANDING, (market_id,)).fetchone()
    if row is None:
        raise CorruptState(f"{market_id} is not listed")
    return Standing(MarketStatus(row[0]), row[1], Wish(row[2]) if row[2] else None, row[3])


def halt(connection: psycopg.Connection[Any], market_id: str, reason: str) -> None:
    """Close a market whose actor cannot go on: no order, no cancel."""
    with wrapped():
        connection.execute(HALT, {"market": market_id, "reason": cut(reason)})


def command_halt(
    connection: psycopg.Connection[Any],
    market_id: str,
    reason: str,
    now_us: int,
    takes_cancels: bool,
) -> int:
    """Close a market whose actor still works: at the door at once, and by a command.

    The command leaves it CANCEL_ONLY, so that cancels accepted before are done. The number of
    the newest wish; CorruptState where there is no such market.
    """
    row = empty_commands(1)
    row["kind"], row["status"] = CommandKind.SET_STATUS, MarketStatus.CANCEL_ONLY
    values = {
        "market": market_id,
        "reason": cut(reason),
        "takes_cancels": takes_cancels,
        "payload": row.tobytes(),
        "now": now_us,
    }
    with wrapped():
        found = connection.execute(COMMAND_HALT, values).fetchone()
    if found is None:
        raise CorruptState(f"{market_id} is not listed")
    return int(found[0])


def make_wish(connection: psycopg.Connection[Any], market_id: str, wish: Wish) -> int | None:
    """Ask something of a halted market: the wish's number; None for one that is not halted."""
    with wrapped():
        row = connection.execute(WISH, (wish, market_id)).fetchone()
    return int(row[0]) if row is not None else None


def answer_wish(
    connection: psycopg.Connection[Any], market_id: str, found: Standing, answer: str
) -> bool:
    """A wish is done; RESUME lifts the halt. False where the market was halted again meanwhile."""
    values = {
        "market": market_id,
        "answer": answer,
        "opens": found.wish == Wish.RESUME,
        "wish_no": found.wish_no,
    }
    with wrapped():
        return connection.execute(ANSWER, values).fetchone() is not None


def outcome(connection: psycopg.Connection[Any], market_id: str, wish_no: int) -> str | None:
    """What became of a wish; None while nothing has."""
    with wrapped():
        row = connection.execute(OUTCOME, (wish_no, market_id)).fetchone()
    return str(row[1]) if row is not None and row[0] and row[1] else None


def is_projected(connection: psycopg.Connection[Any], market_id: str) -> bool:
    """Whether everything that the market has done is in the tables."""
    with wrapped():
        row = connection.execute(IS_PROJECTED, (market_id,)).fetchone()
    return bool(row and row[0])


def wish_numbers(connection: psycopg.Connection[Any]) -> dict[str, int]:
    """The newest wish's number by market."""
    with wrapped():
        return dict(connection.execute(WISH_NUMBERS).fetchall())


def listed(connection: psycopg.Connection[Any]) -> list[ListedStanding]:
    """Every market, in the order of listing."""
    with wrapped():
        rows = connection.execute(LIST).fetchall()
    return [
        ListedStanding(name, MarketStatus(status), reason, Wish(wish) if wish else None, count)
        for name, status, reason, wish, count in rows
    ]


def cut(reason: str) -> str:
    """A reason as it is kept: one line of bounded length."""
    line = " ".join(reason.split())
    return line if len(line) <= REASON_CHARS_MAX else f"{line[: REASON_CHARS_MAX - 1]}…"
