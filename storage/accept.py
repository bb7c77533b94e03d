"""Durable accept: many orders, one transaction, one commit.

While one transaction is under way the orders that arrive wait for the next;
a single order waits for nobody. A batch locks the accounts it touches in
ascending order, checks each order against what its account then has, and writes
reservation, order and command together (durability.md, step 1).
"""

import asyncio
from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg import errors as pg

from sim.orders import AcceptedOrder, PlaceOrder
from sim.refusals import Refused
from storage.accept_check import AcceptedRow, Accounts, decide
from storage.accept_sql import load_accounts, write_accepted
from storage.database import AsyncPool, now_us
from storage.errors import DatabaseUnavailable, OutcomeUnknown, first_line, wrapped

BATCH_ORDERS_MAX = 256
QUEUE_ORDERS_MAX = 20_000
RETRIES_MAX = 3
RETRYABLE = (pg.DeadlockDetected, pg.SerializationFailure, pg.LockNotAvailable)

Answer = AcceptedOrder | Refused
Waiting = tuple[PlaceOrder, "asyncio.Future[AcceptedOrder]"]


class Acceptor:
    """The one place where an API process takes orders."""

    def __init__(self, pool: AsyncPool, open_orders_max: int) -> None:
        self._pool = pool
        self._open_orders_max = open_orders_max
        self._queue: asyncio.Queue[Waiting] = asyncio.Queue(QUEUE_ORDERS_MAX)
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to take orders."""
        self._task = asyncio.create_task(self._run(), name="acceptor")

    async def stop(self) -> None:
        """Finish what is under way and end; whoever still waits is told UNAVAILABLE."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        while not self._queue.empty():
            settle([self._queue.get_nowait()], DatabaseUnavailable("the server is stopping"))

    async def place(self, order: PlaceOrder) -> AcceptedOrder:
        """Accept one order durably.

        Raises Refused, DatabaseUnavailable (nothing happened) or OutcomeUnknown.
        """
        future: asyncio.Future[AcceptedOrder] = asyncio.get_running_loop().create_future()
        try:
            self._queue.put_nowait((order, future))
        except asyncio.QueueFull:
            raise DatabaseUnavailable("too many orders are waiting; try again") from None
        return await future

    async def place_many(self, orders: Sequence[PlaceOrder]) -> list[Answer]:
        """Accept several; each is answered by itself, in their order."""
        answers = await asyncio.gather(*map(self.place, orders), return_exceptions=True)
        for answer in answers:
            if isinstance(answer, BaseException) and not isinstance(answer, Refused):
                raise answer
        return [answer for answer in answers if isinstance(answer, (AcceptedOrder, Refused))]

    async def _run(self) -> None:
        while True:
            batch = [await self._queue.get()]
            while len(batch) < BATCH_ORDERS_MAX and not self._queue.empty():
                batch.append(self._queue.get_nowait())
            await self._accept(batch)

    async def _accept(self, batch: list[Waiting]) -> None:
        try:
            answers = await self._transact([order for order, _ in batch])
        except asyncio.CancelledError:
            settle(batch, OutcomeUnknown("the server stopped while the order was being stored"))
            raise
        except Exception as error:
            settle(batch, error)
            return
        for (_, future), answer in zip(batch, answers, strict=True):
            if future.done():
                continue
            if isinstance(answer, Refused):
                future.set_exception(answer)
            else:
                future.set_result(answer)

    async def _transact(self, orders: list[PlaceOrder]) -> list[Answer]:
        for _ in range(RETRIES_MAX):
            with wrapped():
                async with self._pool.connection() as connection:
                    try:
                        return await accept_in_one_commit(connection, orders, self._open_orders_max)
                    except RETRYABLE:
                        continue
        raise DatabaseUnavailable("the accounts are busy; try again")


def settle(batch: list[Waiting], error: Exception) -> None:
    """Tell everyone in the batch the same error."""
    for _, future in batch:
        if not future.done():
            future.set_exception(error)


async def accept_in_one_commit(
    connection: psycopg.AsyncConnection[Any], orders: list[PlaceOrder], open_orders_max: int
) -> list[Answer]:
    """One transaction for all: lock, check, reserve, write, commit.

    Two round trips: the second carries the writes and COMMIT together, so from
    its sending on a lost connection means OutcomeUnknown.
    """
    at_us = now_us()
    committing = False
    try:
        async with connection.pipeline():
            await connection.execute("BEGIN")
            accounts: Accounts = await load_accounts(connection, orders)
            answers, rows = decide_all(orders, accounts, open_orders_max, at_us)
            committing = bool(rows)
            if rows:
                await write_accepted(connection, rows, at_us)
            await connection.execute("COMMIT" if rows else "ROLLBACK")
        return answers
    except psycopg.Error as error:
        if error.sqlstate is None and committing:
            raise OutcomeUnknown(first_line(error)) from error
        if not connection.closed:
            await connection.rollback()
        raise


def decide_all(
    orders: list[PlaceOrder], accounts: Accounts, open_orders_max: int, at_us: int
) -> tuple[list[Answer], list[AcceptedRow]]:
    """Answers in the orders' order, and the rows of those that are new and accepted."""
    answers: list[Answer] = []
    rows: list[AcceptedRow] = []
    for order in orders:
        try:
            answer, row = decide(order, accounts, open_orders_max, at_us)
        except Refused as refused:
            answers.append(refused)
            continue
        answers.append(answer)
        if row is not None:
            rows.append(row)
    return answers, rows
