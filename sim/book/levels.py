"""Price levels in a tree of 64-way nodes with bit masks: any price of 31 bits.

A price is cut into 13 + 6 + 6 + 6 bits: root, upper node, lower node, leaf. A leaf
is 64 neighbouring levels. Memory follows the prices in use, about 2.6 kB for a
price far from all others, and empty leaves and nodes are used again. A book at
rest is never crossed, so one tree serves both sides. Row 0 of every kind is
empty and stands for "none", which lets a lookup run without asking on its way.
"""

import numpy as np

from sim.book.arrays import LEAF_FREE, LEAF_LIVE, NODE_FREE, NODE_LIVE, ROOT_SHIFT, Book, Words
from sim.rows.kernels import Number, highest_bit, inlined, lowest_bit


@inlined
def level_at(book: Book, price_ticks: int) -> Number:
    """Row of the level in `book.levels`; below 64 where its leaf does not exist."""
    upper = book.root[price_ticks >> ROOT_SHIFT]
    lower = book.nodes[upper, (price_ticks >> 12) & 63]
    return (book.nodes[lower, (price_ticks >> 6) & 63] << 6) | (price_ticks & 63)


@inlined
def set_bit(masks: Words, row: int, bit: int) -> None:
    masks[row] |= np.uint64(1) << np.uint64(bit)


@inlined
def clear_bit(masks: Words, row: int, bit: int) -> None:
    masks[row] &= ~(np.uint64(1) << np.uint64(bit))


@inlined
def take_node(book: Book) -> Number:
    """An empty node; in a free node, child 0 is the next free one."""
    node = book.state[NODE_FREE]
    book.state[NODE_LIVE] += 1
    if node == 0:
        return book.state[NODE_LIVE]
    book.state[NODE_FREE] = book.nodes[node, 0]
    book.nodes[node, 0] = 0
    return node


@inlined
def give_node(book: Book, node: int) -> None:
    book.nodes[node, 0] = book.state[NODE_FREE]
    book.state[NODE_FREE] = node
    book.state[NODE_LIVE] -= 1


@inlined
def take_leaf(book: Book) -> Number:
    """An empty leaf; in a free leaf, the head of its first level is the next free one."""
    leaf = book.state[LEAF_FREE]
    book.state[LEAF_LIVE] += 1
    if leaf == 0:
        return book.state[LEAF_LIVE]
    first = book.levels[leaf << 6]
    book.state[LEAF_FREE] = first.head
    first.head = 0
    return leaf


@inlined
def give_leaf(book: Book, leaf: int) -> None:
    book.levels[leaf << 6].head = book.state[LEAF_FREE]
    book.state[LEAF_FREE] = leaf
    book.state[LEAF_LIVE] -= 1


@inlined
def open_level(book: Book, price_ticks: int) -> Number:
    """Row of a level that is about to get its first order; makes the way to it."""
    top, middle, low = price_ticks >> ROOT_SHIFT, (price_ticks >> 12) & 63, (price_ticks >> 6) & 63
    upper = book.root[top]
    if upper == 0:
        upper = take_node(book)
        book.root[top] = upper
        set_bit(book.root_masks, top >> 6, top & 63)
    lower = book.nodes[upper, middle]
    if lower == 0:
        lower = take_node(book)
        book.nodes[upper, middle] = lower
        set_bit(book.node_masks, upper, middle)
    leaf = book.nodes[lower, low]
    if leaf == 0:
        leaf = take_leaf(book)
        book.nodes[lower, low] = leaf
        set_bit(book.node_masks, lower, low)
    set_bit(book.leaf_masks, leaf, price_ticks & 63)
    return (leaf << 6) | (price_ticks & 63)


@inlined
def close_level(book: Book, price_ticks: int, level: int) -> None:
    """A level has lost its last order: clear its bit, free what became empty above it."""
    clear_bit(book.leaf_masks, level >> 6, price_ticks & 63)
    if book.leaf_masks[level >> 6] != 0:
        return
    give_leaf(book, level >> 6)
    top, middle, low = price_ticks >> ROOT_SHIFT, (price_ticks >> 12) & 63, (price_ticks >> 6) & 63
    upper = book.root[top]
    lower = book.nodes[upper, middle]
    book.nodes[lower, low] = 0
    clear_bit(book.node_masks, lower, low)
    if book.node_masks[lower] == 0:
        give_node(book, lower)
        book.nodes[upper, middle] = 0
        clear_bit(book.node_masks, upper, middle)
    if book.node_masks[upper] == 0:
        give_node(book, upper)
        book.root[top] = 0
        clear_bit(book.root_masks, top >> 6, top & 63)


@inlined
def beyond(mask: int, bit: int, upward: bool) -> Number:
    """The bits of a mask above `bit`, or below it."""
    if upward:
        return mask & (~np.uint64(1) << np.uint64(bit))
    return mask & ((np.uint64(1) << np.uint64(bit)) - np.uint64(1))


@inlined
def first_bit(mask: int, upward: bool) -> Number:
    """Where a walk in that direction meets the first set bit."""
    return lowest_bit(mask) if upward else highest_bit(mask)


@inlined
def next_root(book: Book, top: int, upward: bool) -> Number:
    """The next used child of the root past `top`, -1 if there is none."""
    word = top >> 6
    step = 1 if upward else -1
    found = beyond(book.root_masks[word], top & 63, upward)
    while found == 0:
        word += step
        if word < 0 or word == len(book.root_masks):
            return -1
        found = book.root_masks[word]
    return (word << 6) | first_bit(found, upward)


@inlined
def next_price(book: Book, price_ticks: int, upward: bool) -> Number:
    """The nearest price above (or below) `price_ticks` that holds orders, 0 if there is none."""
    top, middle, low = price_ticks >> ROOT_SHIFT, (price_ticks >> 12) & 63, (price_ticks >> 6) & 63
    upper = book.root[top]
    lower = book.nodes[upper, middle]
    found = beyond(book.leaf_masks[book.nodes[lower, low]], price_ticks & 63, upward)
    if found == 0:
        found = beyond(book.node_masks[lower], low, upward)
        if found == 0:
            found = beyond(book.node_masks[upper], middle, upward)
            if found == 0:
                top = next_root(book, top, upward)
                if top < 0:
                    return 0
                upper = book.root[top]
                found = book.node_masks[upper]
            middle = first_bit(found, upward)
            lower = book.nodes[upper, middle]
            found = book.node_masks[lower]
        low = first_bit(found, upward)
        found = book.leaf_masks[book.nodes[lower, low]]
    return (((((top << 6) | middle) << 6) | low) << 6) | first_bit(found, upward)
