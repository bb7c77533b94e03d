"""What nobody needs any more of those who come and go: idle guests, expired logins and keys."""

from typing import Any

import psycopg

from sim.market import COLLATERAL
from storage.errors import wrapped

ROWS_MAX = 200
"""Rows of each kind that one call removes; the rest is for the next call."""

ENDED_KEPT_US = 2 * 86_400_000_000
"""Longer than any access token lives: before that its ended login must be known."""

TAKE_ACCOUNTS = f"""
SELECT a.id, a.owner_id, b.version = 0 AND b.total_atoms = 0 AND b.locked_atoms = 0
FROM accounts a JOIN balances b ON b.account_id = a.id AND b.asset = '{COLLATERAL}'
WHERE a.owner_id IN (SELECT id FROM users WHERE guest_since_us <= %s
    ORDER BY guest_since_us LIMIT %s)
ORDER BY a.id FOR UPDATE OF b SKIP LOCKED"""
NOT_TAKEN = "SELECT owner_id FROM accounts WHERE owner_id = ANY(%s) AND NOT id = ANY(%s)"
"""Who has an account that somebody is changing. Accounts are made under the lock of the MAIN one,
so of a guest whose MAIN one is taken there are no others to come."""

TRACES = {
    "orders": "true",
    "ledger_entries": "true",
    # What was asked for with a key is remembered; simulations use nothing of the account, nor
    # does another account that was opened and is empty.
    "idempotency": "NOT starts_with(route, 'simulations') AND route <> 'accounts'",
    "cancel_after": "true",
}
"""Where an account that was used has rows, and which. Each is read by an index that begins with
the account."""

USED = " UNION ".join(
    [
        *(
            f"SELECT account_id FROM {table} WHERE account_id = ANY(%(ids)s) AND {which}"
            for table, which in TRACES.items()
        ),
        "SELECT owner_id FROM droids WHERE owner_id = ANY(%(ids)s)",
        "SELECT user_id FROM trading_sessions WHERE user_id = ANY(%(ids)s)",
        "SELECT user_id FROM decision_feedback WHERE user_id = ANY(%(ids)s)",
    ]
)
"""Droids, sessions and what was said of decisions are their user's, whose MAIN account has the same
id."""
SIMULATING = "SELECT DISTINCT account_id FROM simulations WHERE account_id = ANY(%(ids)s)"
RENEW = "UPDATE users SET guest_since_us = %s WHERE id = ANY(%s)"
KEEP = "UPDATE users SET guest_since_us = NULL WHERE id = ANY(%s)"
REMOVE = (
    "DELETE FROM idempotency WHERE account_id = ANY(%(accounts)s)",
    "DELETE FROM users WHERE id = ANY(%(users)s)",
    "DELETE FROM leverages WHERE account_id = ANY(%(accounts)s)",
    "DELETE FROM balances WHERE account_id = ANY(%(accounts)s)",
    "DELETE FROM accounts WHERE id = ANY(%(accounts)s)",
)
EXPIRED = {
    "login_sessions": "expires_at_us <= %(now)s",
    "ended_sessions": "ended_at_us <= %(now)s - %(kept)s",
}


def remove_idle_guests(connection: psycopg.Connection[Any], now_us: int, idle_us: int) -> int:
    """Remove guests that for so long never did anything, with all their accounts; how many were
    looked at.

    A guest that has used an account is one no longer and stays. Of one that
    has only asked for simulations the time begins anew, until they are gone:
    they last no longer than a guest. Balances are locked first, as by
    everybody who changes an account, so nobody begins to use what is being
    removed. Ids are never given twice. Raises StorageError.
    """
    with wrapped(), connection.transaction():
        owners, changed = _taken(connection, now_us - idle_us)
        guests = set(owners.values())
        used = {owners[one] for one in changed | _accounts_in(connection, USED, set(owners))}
        simulating = _accounts_in(connection, SIMULATING, guests - used)
        if used:
            connection.execute(KEEP, (sorted(used),))
        if simulating:
            connection.execute(RENEW, (now_us, sorted(simulating)))
        if idle := sorted(guests - used - simulating):
            accounts = sorted(one for one, owner in owners.items() if owner in set(idle))
            for statement in REMOVE:
                connection.execute(statement, {"users": idle, "accounts": accounts})
    return len(guests)


def _taken(connection: psycopg.Connection[Any], since_us: int) -> tuple[dict[int, int], set[int]]:
    """The accounts of guests since then, locked, each with its owner; those that have changed.

    Of a guest either all are taken or none.
    """
    rows = connection.execute(TAKE_ACCOUNTS, (since_us, ROWS_MAX)).fetchall()
    owners = {int(row[0]): int(row[1]) for row in rows}
    whose = (sorted(set(owners.values())), sorted(owners))
    busy = {int(row[0]) for row in connection.execute(NOT_TAKEN, whose)}
    owners = {one: owner for one, owner in owners.items() if owner not in busy}
    return owners, {int(row[0]) for row in rows if not row[2]} & set(owners)


def _accounts_in(
    connection: psycopg.Connection[Any], statement: str, accounts: set[int]
) -> set[int]:
    if not accounts:
        return set()
    found = connection.execute(statement, {"ids": sorted(accounts)})
    return {int(row[0]) for row in found}


def remove_expired_logins(connection: psycopg.Connection[Any], now_us: int) -> int:
    """Remove logins whose refresh token is too old, and the memory of ended ones; how many."""
    count, values = 0, {"now": now_us, "kept": ENDED_KEPT_US, "most": ROWS_MAX}
    with wrapped():
        for table, condition in EXPIRED.items():
            count += connection.execute(
                f"DELETE FROM {table} WHERE id IN"
                f" (SELECT id FROM {table} WHERE {condition} LIMIT %(most)s)",
                values,
            ).rowcount
    return count
