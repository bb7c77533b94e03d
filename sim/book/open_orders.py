"""Open orders with their terms, as rows: what a snapshot tells of them, and how they come back."""

import numpy as np
import numpy.typing as npt

from sim.book.arrays import RESTING, WAITING, Book
from sim.book.heaps import DUE

Rows = npt.NDArray[np.void]


def orders_with_terms(book: Book) -> Rows:
    """WAITING rows of the orders that have terms, oldest first."""
    terms = book.terms[np.flatnonzero(book.terms["slot"])]
    orders = book.orders[terms["slot"]]
    rows = np.zeros(len(terms), WAITING)
    for name in ("order_id", "remaining_lots", "accepted_seq", "price_ticks", "side", "flags"):
        rows[name] = orders[name]
    for name in ("order_type", "time_in_force", "expires_us", "trigger_ticks", "best_ticks"):
        rows[name] = terms[name]
    rows["account_id"] = book.accounts["account_id"][orders["account"]]
    partners = book.orders["order_id"][terms["partner"]]
    rows["link_id"] = np.where(terms["partner"] > 0, partners, rows["order_id"])
    rows["link_id"][terms["is_linked"] == 0] = 0
    due = np.flatnonzero((terms["heap"] == DUE) & (terms["trigger_at"] > 0))
    rows["due_no"][due[np.argsort(terms["due_no"][due])]] = np.arange(1, len(due) + 1)
    return rows[np.argsort(rows["accepted_seq"])]


def without_facts(rows: Rows) -> Rows:
    """The same rows for a snapshot: what its RESTING rows tell of the orders that rest is left
    out."""
    kept = rows.copy()
    rests = rows["order_type"] == 0
    for name in ("account_id", "remaining_lots", "price_ticks", "side", "flags"):
        kept[name][rests] = 0
    return kept


def by_acceptance(resting: Rows, terms: Rows) -> Rows:
    """WAITING rows of RESTING rows and of the orders that wait, oldest first."""
    rests, waits = np.zeros(len(resting), WAITING), terms[terms["order_type"] > 0]
    for name in RESTING.names or ():
        if name in (WAITING.names or ()):
            rests[name] = resting[name]
    rows = np.concatenate([rests, waits]) if len(waits) else rests
    return rows[np.argsort(rows["accepted_seq"])]
