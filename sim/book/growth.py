"""Larger books: each part doubles by itself when a kernel says that it is full."""

from typing import Any

import numpy as np

from sim.book.arrays import (
    REDUCE_ONLY_COLUMNS,
    REDUCE_ONLY_COUNT,
    TERMS_LIVE,
    Book,
    Records,
    Slots,
    aligned_zeros,
    as_words,
    index_length,
)
from sim.book.queues import ACCOUNTS_FULL, LEAVES_FULL, NODES_FULL, ORDERS_FULL, TERMS_FULL
from sim.book.walks import index_rows


def grown(book: Book, full: int) -> Book:
    """The same book with twice the room for what is full: one of the *_FULL answers."""
    return {
        ORDERS_FULL: with_more_orders,
        ACCOUNTS_FULL: with_more_accounts,
        LEAVES_FULL: with_more_leaves,
        NODES_FULL: with_more_nodes,
        TERMS_FULL: with_more_terms,
    }[full](book)


def with_more_orders(book: Book) -> Book:
    orders = doubled_rows(book.orders)
    index = new_index(orders, len(book.orders))
    return book._replace(orders=orders, order_words=as_words(orders), order_index=index)


def with_more_accounts(book: Book) -> Book:
    accounts = doubled_rows(book.accounts)
    index = new_index(accounts, len(book.accounts))
    reduce_only = np.zeros((len(accounts), REDUCE_ONLY_COLUMNS), np.int64)
    if book.state[REDUCE_ONLY_COUNT] or book.state[TERMS_LIVE]:
        reduce_only[: len(book.reduce_only)] = book.reduce_only
    return book._replace(
        accounts=accounts,
        account_words=as_words(accounts),
        account_index=index,
        reduce_only=reduce_only,
    )


def with_more_leaves(book: Book) -> Book:
    levels, leaf_masks = doubled_rows(book.levels), doubled(book.leaf_masks)
    return book._replace(levels=levels, leaf_masks=leaf_masks)


def with_more_nodes(book: Book) -> Book:
    return book._replace(nodes=doubled(book.nodes), node_masks=doubled(book.node_masks))


def with_more_terms(book: Book) -> Book:
    terms, heaps = doubled(book.terms), np.hstack((book.heaps, np.zeros_like(book.heaps)))
    return book._replace(terms=terms, heaps=heaps)


def new_index(rows: Records, count: int) -> Slots:
    """An index with room for all of `rows` that holds rows 1 … count - 1."""
    index = np.zeros(index_length(len(rows)), np.uint32)
    index_rows(index, rows, as_words(rows), count)
    return index


def doubled_rows(rows: Records) -> Records:
    """The same rows with as many empty ones behind them, aligned to cache lines."""
    larger = aligned_zeros(2 * len(rows), rows.dtype)
    larger[: len(rows)] = rows
    return larger


def doubled(array: Any) -> Any:
    """The same array with as many zeros behind it along its first axis."""
    return np.concatenate((array, np.zeros_like(array)))
