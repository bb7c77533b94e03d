"""Durable accept: many requests, one statement, one commit.

While one batch is under way the orders that arrive wait for the next; a single
order waits for nobody who has not arrived. A batch reads what its accounts have, decides, and
writes reservation, order and command for every account that nobody has changed
meanwhile (durability.md, step 1). The orders of the others are decided again,
in the end under lock. So no lock is held while this process computes.
"""

import asyncio
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import errors as pg

from sim.orders import AcceptedOrder, PlaceOrder
from sim.refusals import Refused
from storage.errors import (
    DatabaseUnavailable,
    OutcomeUnknown,
    StorageError,
    first_line,
    wrapped,
)
from storage.intake.accept_request import Answer, Decided, OrderRequest, decide_request
from storage.intake.accept_sql import load_accounts, write_accepted
from storage.intake.accept_state import Accounts, OpenOrdersMax
from storage.intake.idempotency import Asked
from storage.postgres.database import AsyncPool, now_us
from storage.vital_tasks import ended, started_vital

ROUTE = "orders"
BATCH_ORDERS_MAX = 256
QUEUE_ORDERS_MAX = 20_000
GATHERING_ROUNDS = 3
"""Rounds of the event loop in which requests that have arrived reach the queue: one reads them from
their sockets, one begins to answer them, one more for their bodies. A batch that waits for them has
two thirds more orders; an order that is alone waits some microseconds."""

RETRIES_MAX = 3
OPTIMISTIC_TRIES_MAX = 3
"""Times an order is decided without a lock before its account is locked for it."""

RETRYABLE = (
    pg.DeadlockDetected,
    pg.SerializationFailure,
    pg.LockNotAvailable,
    pg.UniqueViolation,  # a request by another route took the key meanwhile
)


Answers = list[Answer] | Refused
"""Of a request: its orders' answers, or the refusal of all of it."""


@dataclass
class Waiting:
    """A request, who waits for it, and how often its account changed under it."""

    request: OrderRequest
    answer: "asyncio.Future[list[Answer]]"
    tries: int = 0


class Acceptor:
    """The one place where an API process takes orders."""

    def __init__(self, pool: AsyncPool, open_orders_max: OpenOrdersMax) -> None:
        self._pool = pool
        self._open_orders_max = open_orders_max
        self._queue: asyncio.Queue[Waiting] = asyncio.Queue(QUEUE_ORDERS_MAX)
        self._orders_waiting = 0
        self._again: list[Waiting] = []
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to take orders."""
        self._task = started_vital(self._run(), "acceptor")

    async def stop(self) -> None:
        """Finish what is under way and end; whoever still waits is told UNAVAILABLE."""
        if self._task is not None:
            await ended(self._task)
        while not self._queue.empty():
            self._again.append(self._queue.get_nowait())
        settle(self._again, DatabaseUnavailable("the server is stopping"))

    async def place(
        self, order: PlaceOrder, key: str | None = None, asker: int | None = None
    ) -> AcceptedOrder:
        """Accept one order durably; `asker` is as Asked has it.

        Raises Refused, DatabaseUnavailable (nothing happened) or OutcomeUnknown.
        """
        asked = Asked(order.account_id, ROUTE, order.body_hash, key, asker)
        (answer,) = await self._enqueued(OrderRequest(asked, (order,), is_single=True))
        if isinstance(answer, Refused):
            raise answer
        return answer

    async def request(self, request: OrderRequest) -> list[Answer]:
        """What becomes of each order of a request, in their order; all in one transaction.

        Raises Refused where the whole request is, and what `place` raises.
        """
        return await self._enqueued(request)

    def _enqueued(self, request: OrderRequest) -> "asyncio.Future[list[Answer]]":
        waiting = self._orders_waiting + len(request.entries)
        if waiting > QUEUE_ORDERS_MAX:
            raise DatabaseUnavailable("too many orders are waiting; try again")
        self._orders_waiting = waiting
        future: asyncio.Future[list[Answer]] = asyncio.get_running_loop().create_future()
        self._queue.put_nowait(Waiting(request, future))
        return future

    async def _run(self) -> None:
        while True:
            if not self._again:
                self._again.append(self._taken(await self._queue.get()))
            for _ in range(GATHERING_ROUNDS):
                await asyncio.sleep(0)
            batch, self._again = self._again, []
            orders = sum(len(waiting.request.entries) for waiting in batch)
            while orders < BATCH_ORDERS_MAX and not self._queue.empty():
                batch.append(self._taken(self._queue.get_nowait()))
                orders += len(batch[-1].request.entries)
            await self._accept(batch)

    def _taken(self, waiting: Waiting) -> Waiting:
        """Out of the queue."""
        self._orders_waiting -= len(waiting.request.entries)
        return waiting

    async def _accept(self, batch: list[Waiting]) -> None:
        try:
            answers = await self._transact(batch)
        except asyncio.CancelledError:
            settle(batch, OutcomeUnknown("the server stopped while the order was being stored"))
            raise
        except StorageError as error:
            settle(batch, error)
            return
        except Exception as error:  # one of them cannot be stored: the others shall not pay for it
            if len(batch) == 1:
                settle(batch, error)
            for waiting in batch if len(batch) > 1 else ():
                await self._accept([waiting])
            return
        for waiting, answer in zip(batch, answers, strict=True):
            if answer is None:
                waiting.tries += 1
                self._again.append(waiting)
            elif waiting.answer.done():
                continue
            elif isinstance(answer, Refused):
                waiting.answer.set_exception(answer)
            else:
                waiting.answer.set_result(answer)

    async def _transact(self, batch: list[Waiting]) -> list[Answers | None]:
        requests = [waiting.request for waiting in batch]
        lock = any(waiting.tries >= OPTIMISTIC_TRIES_MAX for waiting in batch)
        for _ in range(RETRIES_MAX):
            with wrapped():
                async with self._pool.connection() as connection:
                    try:
                        return await accept(connection, requests, self._open_orders_max, lock)
                    except RETRYABLE:
                        continue
        raise DatabaseUnavailable("the accounts are busy; try again")


def settle(batch: list[Waiting], error: Exception) -> None:
    """Tell everyone in the batch the same error."""
    for waiting in batch:
        if not waiting.answer.done():
            waiting.answer.set_exception(error)


async def accept(
    connection: psycopg.AsyncConnection[Any],
    requests: list[OrderRequest],
    open_orders_max: OpenOrdersMax,
    lock: bool,
) -> list[Answers | None]:
    """Read, decide, write. None for a request that has to be decided again.

    From the sending of the write on, a lost connection means OutcomeUnknown.
    """
    at_us, writing = now_us(), False
    try:
        async with connection.transaction() if lock else nullcontext():
            async with connection.pipeline():
                accounts = await load_accounts(connection, requests, lock)
            decisions = decide_all(requests, accounts, open_orders_max, at_us)
            decided = [one for one in decisions if isinstance(one, Decided)]
            writing = bool(decided)
            written = await write_accepted(connection, decided, at_us) if decided else []
    except psycopg.Error as error:
        if error.sqlstate is None and writing:
            raise OutcomeUnknown(first_line(error)) from error
        raise
    ids = iter(written)
    return [answers_of(one, next(ids)) if isinstance(one, Decided) else one for one in decisions]


def answers_of(decided: Decided, order_ids: list[int] | None) -> list[Answer] | None:
    """The answers of a request that is written; None for one whose account had changed."""
    return None if order_ids is None else decided.answered(order_ids)


def decide_all(
    requests: list[OrderRequest], accounts: Accounts, open_orders_max: OpenOrdersMax, at_us: int
) -> list[Decided | Answers | None]:
    """What becomes of each request; see storage.intake.accept_request.decide_request."""
    decisions: list[Decided | Answers | None] = []
    for request in requests:
        try:
            decisions.append(decide_request(request, accounts, open_orders_max, at_us))
        except Refused as refused:
            decisions.append(refused)
    return decisions
