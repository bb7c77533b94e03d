"""One request to place orders: what it asks, what is decided of it, what is remembered. No I/O.

A request's orders are accepted in one transaction with the memory of its answer: after a crash
either all of it is there or nothing, and whoever repeats it meanwhile is decided after it.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sim.orders import AcceptedOrder, OrderStatus, PlaceOrder
from sim.refusals import Refusal, Refused
from storage.accept_check import AcceptedRow, Accounts, authorized, decide
from storage.idempotency import Asked

Answer = AcceptedOrder | Refused


@dataclass(frozen=True)
class OrderRequest:
    """Orders of one account, and in the place of what is none why it is refused.

    is_single   one order by itself: its refusal is the request's, and leaves the key free
    """

    asked: Asked
    entries: tuple[PlaceOrder | Refused, ...]
    is_single: bool

    @cached_property
    def orders(self) -> list[PlaceOrder]:
        """Those entries that are orders."""
        return [entry for entry in self.entries if isinstance(entry, PlaceOrder)]

    @property
    def names(self) -> set[tuple[int, str]]:
        """What makes a repeated request recognisable, each kind of name marked as such."""
        account_id, key = self.asked.account_id, self.asked.key
        names = {
            (account_id, f"id {order.client_order_id}")
            for order in self.orders
            if order.client_order_id is not None
        }
        return names if key is None else names | {(account_id, f"key {key}")}


@dataclass(frozen=True)
class Decided:
    """Answers in the entries' order; an AcceptedRow among them is still to be written.

    Two orders of one request with the same name and meaning are the same row twice.
    """

    asked: Asked
    version: int
    answers: Sequence[AcceptedRow | Answer]

    @cached_property
    def rows(self) -> list[AcceptedRow]:
        """What is to be written, each row once."""
        rows = {id(row): row for row in self.answers if isinstance(row, AcceptedRow)}
        return list(rows.values())

    def answered(self, order_ids: Sequence[int]) -> list[Answer]:
        """The answers when the rows have become these orders."""
        ids = {id(row): number for row, number in zip(self.rows, order_ids, strict=True)}
        return [
            AcceptedOrder(ids[id(answer)], OrderStatus.PENDING, repeated=False)
            if isinstance(answer, AcceptedRow)
            else answer
            for answer in self.answers
        ]

    @property
    def memory(self) -> str:
        """The answers as JSON; of an order that is still to be written its place among `rows`."""
        places = {id(row): place for place, row in enumerate(self.rows)}
        return json.dumps([remembered(answer, places) for answer in self.answers])


def remembered(answer: AcceptedRow | Answer, places: dict[int, int]) -> Any:
    """One answer as the memory of its request holds it."""
    if isinstance(answer, AcceptedRow):
        return places[id(answer)]
    if isinstance(answer, AcceptedOrder):
        return {"order": answer.order_id, "status": int(answer.status)}
    return {"refusal": answer.refusal, "message": answer.message, "details": answer.details}


def recalled(entry: Any, order_ids: Sequence[int]) -> Answer:
    """And back: what the first request was answered."""
    if isinstance(entry, int):
        return AcceptedOrder(order_ids[entry], OrderStatus.PENDING, repeated=True)
    if "order" in entry:
        return AcceptedOrder(entry["order"], OrderStatus(entry["status"]), repeated=True)
    return Refused(Refusal(entry["refusal"]), entry["message"], entry["details"])


def decide_request(
    request: OrderRequest, accounts: Accounts, open_orders_max: int, at_us: int
) -> Decided | list[Answer] | None:
    """What to write, what an earlier request was answered, or None: ask again after this batch.

    Accepting changes the account in `accounts`. Raises Refused where the whole request is.
    """
    account = authorized(request.asked.account_id, accounts)
    earlier = earlier_answers(request.asked, accounts)
    if earlier is not None:
        return earlier
    names = request.names
    if names & accounts.taken:
        return None
    answers: list[AcceptedRow | Answer] = []
    rows: dict[str, AcceptedRow] = {}
    for entry in request.entries:
        try:
            answer = decide_entry(entry, rows, accounts, open_orders_max, at_us)
        except Refused as refused:
            if request.is_single:
                raise
            answer = refused
        answers.append(answer)
    accounts.taken |= names
    decided = Decided(request.asked, account.version, answers)
    return decided if decided.rows or request.asked.key is not None else decided.answered([])


def decide_entry(
    entry: PlaceOrder | Refused,
    rows: dict[str, AcceptedRow],
    accounts: Accounts,
    open_orders_max: int,
    at_us: int,
) -> AcceptedRow | Answer:
    """One order. `rows`: what its own request has named before. Raises Refused."""
    if isinstance(entry, Refused):
        return entry
    name = entry.client_order_id
    row = rows.get(name) if name is not None else None
    if row is not None:
        if row.order.body_hash != entry.body_hash:
            raise Refused(
                Refusal.DUPLICATE_CLIENT_ORDER_ID,
                "This clientOrderId belongs to another order of the same request",
            )
        return row
    answer = decide(entry, accounts, open_orders_max, at_us)
    if name is not None and isinstance(answer, AcceptedRow):
        rows[name] = answer
    return answer


def earlier_answers(asked: Asked, accounts: Accounts) -> list[Answer] | None:
    """What the same request was answered before, if it came before. Raises Refused."""
    known = accounts.by_key.get((asked.account_id, asked.key)) if asked.key is not None else None
    if known is None:
        return None
    asked.refuse_unless(known.route, known.body_hash)
    return [recalled(entry, known.order_ids) for entry in json.loads(known.response)]
