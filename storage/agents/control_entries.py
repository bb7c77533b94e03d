"""Who did what through the control routes of this family: entries that nobody changes."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from storage.postgres.database import AsyncPool, now_us
from storage.postgres.unit_of_work import Connection, fetch_all

INSERT = """
INSERT INTO control_entries (user_id, action, subject, outcome, details, at_us)
VALUES (%s, %s, %s, %s, %s, %s)"""
SELECT_PAGE = """
SELECT id, user_id, action, subject, outcome, details, at_us FROM control_entries
WHERE id < %(before)s{only} ORDER BY id DESC LIMIT %(limit)s"""
OF_USER, OF_ACTION = " AND user_id = %(user)s", " AND action = %(action)s"


class ControlAction(StrEnum):
    """What was done."""

    SESSION_STARTED = "session_started"
    SESSION_PAUSED = "session_paused"
    SESSION_RESUMED = "session_resumed"
    SESSION_STOPPED = "session_stopped"
    ORDER_PLACED = "order_placed"
    ORDER_CANCELLED = "order_cancelled"
    CONFIG_CHANGED = "config_changed"
    STRATEGY_CHANGED = "strategy_changed"
    BACKTEST_RUN = "backtest_run"
    BACKTEST_CANCELLED = "backtest_cancelled"
    BACKTEST_DELETED = "backtest_deleted"


class ControlOutcome(StrEnum):
    """Whether it is done, or was accepted to be."""

    DONE = "done"
    ACCEPTED = "accepted"


@dataclass(frozen=True)
class ControlEntry:
    """One of them; see storage/tables/agents.py. `details` is JSON."""

    entry_id: int
    user_id: int
    action: str
    subject: str
    outcome: str
    details: str
    at_us: int


async def note_control(
    connection: Connection,
    user_id: int,
    action: ControlAction,
    subject: str,
    details: Mapping[str, Any] | str,
    outcome: ControlOutcome = ControlOutcome.DONE,
) -> None:
    """Written with what it tells: the caller's transaction commits both.

    subject   what was acted on, as its clients call it
    details   what there is to say beside, or its JSON
    """
    text = details if isinstance(details, str) else json.dumps(details)
    await connection.execute(INSERT, (user_id, action, subject, outcome, text, now_us()))


async def control_entries(
    pool: AsyncPool, user_id: int | None, action: str | None, before_id: int, limit: int
) -> list[ControlEntry]:
    """A page of one user's, or of everybody's, newest first."""
    only = (OF_USER if user_id is not None else "") + (OF_ACTION if action is not None else "")
    values = {"user": user_id, "action": action, "before": before_id, "limit": limit}
    rows = await fetch_all(pool, SELECT_PAGE.format(only=only), values)
    return [ControlEntry(*row) for row in rows]
