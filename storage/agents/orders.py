"""A user's orders in their MAIN account and in sessions, newest first."""

from uuid import UUID

from storage.people.accounts import AccountKind
from storage.postgres.database import AsyncPool
from storage.postgres.unit_of_work import fetch_all, fetch_one
from storage.reading.order_lists import (
    COLUMNS,
    OrderFilter,
    OrderView,
    order_from_row,
    page_values,
    statement_for,
)

KINDS = [AccountKind.MAIN, AccountKind.SESSION]
SELECT_PAGE = """
SELECT listed.* FROM accounts a LEFT JOIN trading_sessions s ON s.account_id = a.id
CROSS JOIN LATERAL ({{of_account}}) AS listed
WHERE a.owner_id = %(user)s AND a.kind = ANY(%(kinds)s){only}
ORDER BY listed.id DESC LIMIT %(limit)s"""
OF_ALL = SELECT_PAGE.format(only="")
OF_SESSION = SELECT_PAGE.format(only=" AND s.id = %(session)s")
SELECT_ONE = f"""
SELECT {COLUMNS} FROM orders o JOIN accounts a ON a.id = o.account_id
WHERE o.id = %s AND a.owner_id = %s AND a.kind = ANY(%s)"""


async def own_orders(
    pool: AsyncPool, user_id: int, session_id: UUID | None, wanted: OrderFilter, limit: int
) -> list[OrderView]:
    """A page of them, of one session or of all; each account's by the index that one alone has."""
    of_account = statement_for(wanted).replace("%(account)s", "a.id")
    statement = (OF_ALL if session_id is None else OF_SESSION).format(of_account=of_account)
    values = page_values(wanted, limit) | {"user": user_id, "kinds": KINDS, "session": session_id}
    return [order_from_row(row) for row in await fetch_all(pool, statement, values)]


async def own_order(pool: AsyncPool, user_id: int, order_id: int) -> OrderView | None:
    """One of them."""
    row = await fetch_one(pool, SELECT_ONE, (order_id, user_id, KINDS))
    return None if row is None else order_from_row(row)
