"""The dead-man switch: unless a client renews it, all of its orders are cancelled."""

from typing import Any

import psycopg

from sim.rows.messages import CommandKind, Reason
from storage.errors import wrapped
from storage.intake.accept_sql import NOTIFY, command_payload
from storage.order_states import OPEN
from storage.people.accounts import archived, not_active
from storage.postgres.unit_of_work import Connection

ACCOUNTS_MAX = 1_000
"""Accounts that one call of fire_expired takes; the rest is for the next call."""

SET = """
INSERT INTO cancel_after (account_id, deadline_us) VALUES (%s, %s)
ON CONFLICT (account_id) DO UPDATE SET deadline_us = excluded.deadline_us"""
STAY = "SELECT archived_at_us IS NOT NULL FROM accounts WHERE id = %s FOR SHARE"
CLEAR = "DELETE FROM cancel_after WHERE account_id = %s"
TAKE_EXPIRED = """
DELETE FROM cancel_after WHERE account_id IN (
    SELECT account_id FROM cancel_after WHERE deadline_us <= %s
    ORDER BY deadline_us LIMIT %s FOR UPDATE SKIP LOCKED)
RETURNING account_id"""
INSERT_CANCELS = f"""
INSERT INTO commands (market_id, account_id, order_id, payload, created_at_us)
SELECT DISTINCT o.market_id, o.account_id, 0, x.payload, %s::bigint
FROM unnest(%s::bigint[], %b::bytea[]) AS x(account_id, payload) JOIN orders o USING (account_id)
WHERE o.{OPEN}"""


async def check_in_use(connection: Connection, account_id: int) -> None:
    """Raises Refused where the account is archived; one that is not stays so until the caller's
    transaction ends, which waits for no order."""
    row = await (await connection.execute(STAY, (account_id,))).fetchone()
    if row is None:
        raise not_active()
    if row[0]:
        raise archived()


async def set_cancel_after(connection: Connection, account_id: int, deadline_us: int) -> None:
    """Start or renew the switch. The caller's transaction commits."""
    await connection.execute(SET, (account_id, deadline_us))


async def clear_cancel_after(connection: Connection, account_id: int) -> None:
    """Take the switch away. The caller's transaction commits."""
    await connection.execute(CLEAR, (account_id,))


def fire_expired(connection: psycopg.Connection[Any], now_us: int) -> int:
    """Cancel all orders of the accounts whose time is over; how many accounts.

    Switch and commands change in one transaction, so a crash fires twice or not
    at all, never half. Raises DatabaseUnavailable.
    """
    with wrapped(), connection.transaction():
        rows = connection.execute(TAKE_EXPIRED, (now_us, ACCOUNTS_MAX)).fetchall()
        accounts = [row[0] for row in rows]
        if accounts:
            payloads = [
                command_payload(CommandKind.CANCEL_ALL, account, reason=Reason.DEAD_MANS_SWITCH)
                for account in accounts
            ]
            connection.execute(INSERT_CANCELS, (now_us, accounts, payloads))
            connection.execute(NOTIFY)
    return len(accounts)
