"""Cancelling by name or by list: each order is answered by itself."""

from collections.abc import Sequence

from api.desk.digests import digest
from sim.refusals import Refused
from storage.intake.cancels import request_cancels
from storage.intake.idempotency import (
    Asked,
    Outcome,
    once,
    recalled_refusal,
    remembered_refusal,
)
from storage.postgres.database import AsyncPool
from storage.postgres.unit_of_work import Connection, unit_of_work

ROUTE = "orders/cancel-batch"


async def cancel_named(pool: AsyncPool, account_id: int, client_order_id: str) -> int:
    """Ask for the order that the client calls so; its id. Raises Refused."""
    async with unit_of_work(pool) as connection:
        (answer,) = await request_cancels(connection, account_id, [client_order_id])
    if isinstance(answer, Refused):
        raise answer
    return answer


async def cancel_batch(
    pool: AsyncPool, account_id: int, orders: Sequence[int | str], key: str | None
) -> list[int | Refused]:
    """Ask for each order, by its id or the client's, once; ids, or why not, in their order."""

    async def work(connection: Connection) -> Outcome:
        answers = await request_cancels(connection, account_id, orders)
        return {"results": [remembered(answer) for answer in answers]}

    asked = Asked(account_id, ROUTE, digest(*map(repr, orders)), key)
    return [recalled(entry) for entry in (await once(pool, asked, work))["results"]]


def remembered(answer: int | Refused) -> int | Outcome:
    """An answer as the memory of a request holds it."""
    return remembered_refusal(answer) if isinstance(answer, Refused) else answer


def recalled(entry: int | Outcome) -> int | Refused:
    """And back."""
    return entry if isinstance(entry, int) else recalled_refusal(entry)
