"""One request to place orders: what it asks, what is decided of it, what is remembered. No I/O.

A request's orders are accepted in one transaction with the memory of its answer: after a crash
either all of it is there or nothing, and whoever repeats it meanwhile is decided after it.
"""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from sim.orders import AcceptedOrder, OrderStatus, PlaceOrder
from sim.refusals import Name, Refusal, Refused
from storage.intake.accept_check import authorized, decide
from storage.intake.accept_state import AcceptedRow, Accounts, OpenOrdersMax
from storage.intake.idempotency import Asked, made_by, recalled_refusal, remembered_refusal

Answer = AcceptedOrder | Refused


class OrderRequest(NamedTuple):
    """Orders of one account, and in the place of what is none why it is refused.

    is_single   one order by itself: its refusal is the request's, and leaves the key free
    of_session  the account's session places it itself, as its own lock lets it
    """

    asked: Asked
    entries: Sequence[PlaceOrder | Refused]
    is_single: bool
    of_session: bool = False

    @property
    def orders(self) -> list[PlaceOrder]:
        """Those entries that are orders."""
        return [entry for entry in self.entries if isinstance(entry, PlaceOrder)]

    @property
    def names(self) -> set[tuple[int, str]]:
        """What makes a repeated request recognisable, each kind of name marked as such."""
        account_id, key = self.asked.account_id, self.asked.key
        names = set() if key is None else {(account_id, f"key {key}")}
        for entry in self.entries:
            if isinstance(entry, PlaceOrder) and entry.client_order_id is not None:
                names.add((account_id, f"id {entry.client_order_id}"))
        return names


class Decided(NamedTuple):
    """What is to be written of a request, and its answers in the entries' order.

    A number among the answers is a place in `rows`; two orders of one request with the same name
    and meaning have the same.
    """

    asked: Asked
    version: int
    rows: list[AcceptedRow]
    answers: list[int | Answer]

    def answered(self, order_ids: Sequence[int]) -> list[Answer]:
        """The answers when the rows have become these orders."""
        return [
            AcceptedOrder(order_ids[answer], OrderStatus.PENDING, repeated=False)
            if isinstance(answer, int)
            else answer
            for answer in self.answers
        ]

    @property
    def memory(self) -> str:
        """The answers as JSON."""
        return json.dumps([remembered(answer) for answer in self.answers])


def remembered(answer: int | Answer) -> Any:
    """One answer as the memory of its request holds it."""
    if isinstance(answer, int):
        return answer
    if isinstance(answer, AcceptedOrder):
        return {"order": answer.order_id, "status": int(answer.status)}
    return remembered_refusal(answer)


def recalled(entry: Any, order_ids: Sequence[int]) -> Answer:
    """And back: what the first request was answered."""
    if isinstance(entry, int):
        return AcceptedOrder(order_ids[entry], OrderStatus.PENDING, repeated=True)
    if "order" in entry:
        return AcceptedOrder(entry["order"], OrderStatus(entry["status"]), repeated=True)
    return recalled_refusal(entry)


def decide_request(
    request: OrderRequest, accounts: Accounts, open_orders_max: OpenOrdersMax, at_us: int
) -> Decided | list[Answer] | None:
    """What to write, what an earlier request was answered, or None: ask again after this batch.

    Accepting changes the account in `accounts`. Raises Refused where the whole request is.
    """
    account = authorized(request.asked, accounts)
    if request.asked.key is not None:
        earlier = earlier_answers(request.asked, accounts)
        if earlier is not None:
            return earlier
    names = request.names
    if names:
        if names & accounts.taken:
            return None
        accounts.taken |= names
    decided = Decided(request.asked, account.version, [], [])
    for entry in request.entries:
        try:
            decided.answers.append(
                decide_entry(entry, decided.rows, accounts, open_orders_max, at_us)
            )
        except Refused as refused:
            if request.is_single:
                raise
            decided.answers.append(refused)
    return decided if decided.rows or request.asked.key is not None else decided.answered([])


def decide_entry(
    entry: PlaceOrder | Refused,
    rows: list[AcceptedRow],
    accounts: Accounts,
    open_orders_max: OpenOrdersMax,
    at_us: int,
) -> int | Answer:
    """One order; `rows` are those of its request, and it is added to them. Raises Refused."""
    if isinstance(entry, Refused):
        return entry
    place = place_of_same_name(entry, rows) if entry.client_order_id is not None else None
    if place is not None:
        return place
    answer = decide(entry, accounts, open_orders_max, at_us)
    if isinstance(answer, AcceptedOrder):
        return answer
    rows.append(answer)
    return len(rows) - 1


def place_of_same_name(order: PlaceOrder, rows: list[AcceptedRow]) -> int | None:
    """Where its request has the same order already. Raises Refused where it means another."""
    for place, row in enumerate(rows):
        if row.order.client_order_id == order.client_order_id:
            if row.order.body_hash == order.body_hash:
                return place
            raise Refused(
                Refusal.DUPLICATE_CLIENT_ORDER_ID,
                f"This {Name.CLIENT_ORDER_ID} belongs to another order of the same request",
            )
    return None


def earlier_answers(asked: Asked, accounts: Accounts) -> list[Answer] | None:
    """What the same request was answered before, if it came before. Raises Refused."""
    known = accounts.by_key.get((asked.account_id, str(asked.key)))
    if known is None:
        return None
    made = made_by(known.response, known.order_ids)
    asked.refuse_unless(known.route, known.body_hash, made)
    return [recalled(entry, known.order_ids) for entry in json.loads(known.response)]
