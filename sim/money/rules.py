"""The rules of money, each once: plain functions of integers, for Python and for kernels alike.

Python calls them; a kernel compiles the very same function into itself. So nothing in them leaves
64 bits where its arguments do not, and nothing is rounded anywhere else. Source: perps.md.
"""

from sim.rows.kernels import rule
from sim.units import ATOMS_PER_UNIT, PPM

MARKET_BAND_PPM = 50_000
"""The band of MARKET orders: the depth that completes one is within 5 % of mark."""

MARKET_SLACK_PPM = 5_000
"""How much further than that depth one may trade, within the band: the book that it meets is not
the one that it was accepted on."""

ORDER_ATOMS_MAX = 1_000_000_000 * ATOMS_PER_UNIT
"""The most that one order may be worth, whoever sends it; see `is_worth_too_much`."""

ACCOUNT_ATOMS_MAX = 1_000_000_000_000 * ATOMS_PER_UNIT
"""The most that an account may carry: with ORDER_ATOMS_MAX it keeps its sums far from the end of 64
bits.

It is kept in two ways, for not the same is known. A client's account with more money than this, or
positions that cost more, takes no more orders: both are read with the order. The part of a strategy
that admits orders knows neither of its traders: markets tell it equity and the worth of positions
at mark, and those at margin checks alone; money and cost would be two more numbers of each trader,
where an order reads half a cache line of them. So there equity beyond what carries positions of
this worth does not count, and such a trader goes on ordering with what does; a position that costs
2**62 atoms ends the run.
"""

EXACT_PRODUCT_MAX = 2**31


@rule
def share_up(amount: int, rate_ppm: int) -> int:
    """So many parts per million, rounded up (of a negative rate: toward zero).

    A fee, a maintenance margin, the lots of a partial closing. Takes arrays too.
    """
    whole = amount // PPM
    return whole * rate_ppm - (-((amount - whole * PPM) * rate_ppm) // PPM)


@rule
def initial_margin_atoms(worth_atoms: int, leverage: int) -> int:
    """What a position or an order of this worth binds, rounded up."""
    return -(-worth_atoms // leverage)


@rule
def reservation_atoms(
    worth_atoms: int, opening_atoms: int, leverage: int, taker_fee_ppm: int
) -> int:
    """What orders of this worth lock besides their open loss: the initial margin of what they
    open, and the taker's fee of all; each rounded up."""
    return initial_margin_atoms(opening_atoms, leverage) + share_up(worth_atoms, taker_fee_ppm)


@rule
def reserve_ticks(is_sale: bool, limit_ticks: int, best_bid_ticks: int, is_post_only: bool) -> int:
    """The price a LIMIT order reserves at: a sale below the best bid trades at the bid. What only
    rests never does."""
    if is_sale and not is_post_only:
        return max(limit_ticks, best_bid_ticks)
    return limit_ticks


@rule
def banded_ticks(is_sale: bool, price_ticks: int, highest_ticks: int, lowest_ticks: int) -> int:
    """The limit of an order that takes no further than these; with 0 it asks for any price."""
    if is_sale:
        return max(price_ticks, lowest_ticks)
    return min(price_ticks, highest_ticks) if price_ticks > 0 else highest_ticks


@rule
def is_worth_too_much(worth_atoms: int) -> bool:
    """Whether no order may be worth so much, at the price that it reserves at: reduce-only ones and
    sales on a spot market, which reserve nothing for it, neither."""
    return worth_atoms > ORDER_ATOMS_MAX


@rule
def open_loss_ticks(is_sale: bool, limit_ticks: int, mark_ticks: int) -> int:
    """What a lot that trades at its order's limit loses at once, against mark, in ticks.

    Of many lots as well, by the sums of their limits and of mark, where all are beyond mark.
    """
    return max(0, mark_ticks - limit_ticks if is_sale else limit_ticks - mark_ticks)


@rule
def scaled_product(rest: int, closed: int, size: int) -> int:
    """floor(rest × closed ÷ size) for rest < size < 2**62, without leaving 64 bits.

    Where the product may be too large it is built bit by bit, as one multiplies by hand.
    """
    if size < EXACT_PRODUCT_MAX:
        return rest * closed // size
    quotient, remainder = 0, 0
    for bit in range(62, -1, -1):
        quotient, remainder = 2 * quotient, 2 * remainder
        if remainder >= size:
            quotient, remainder = quotient + 1, remainder - size
        if (closed >> bit) & 1:
            remainder += rest
            if remainder >= size:
                quotient, remainder = quotient + 1, remainder - size
    return quotient


@rule
def part_of(amount: int, part: int, whole: int) -> int:
    """floor(amount × part ÷ whole) exactly: amount ≥ 0, 0 < part ≤ whole."""
    times = amount // whole
    return times * part + scaled_product(amount - times * whole, part, whole)


@rule
def after_closing(
    position_lots: int, cost_atoms: int, lots: int, worth_atoms: int
) -> tuple[int, int, int]:
    """Position, cost and realised profit when so many of its lots are closed for a worth in all.

    They take floor(cost × lots ÷ size) of the basis with them, the last ones the rest.
    """
    direction = 1 if position_lots > 0 else -1
    basis = part_of(abs(cost_atoms), lots, abs(position_lots))
    left_atoms = cost_atoms - direction * basis
    return position_lots - direction * lots, left_atoms, direction * (worth_atoms - basis)


@rule
def closed_lots(position_lots: int, signed_lots: int) -> int:
    """How many lots of a fill close; the others open. A SELL has lots below 0."""
    if position_lots == 0 or (position_lots > 0) == (signed_lots > 0):
        return 0
    return min(abs(position_lots), abs(signed_lots))


@rule
def closes_wholly(is_sale: bool, lots: int, position_lots: int, taken_lots: int) -> bool:
    """Whether all lots of an order close what is left of a position, of which orders before it
    take so many."""
    reducible = position_lots if is_sale else -position_lots
    return lots <= reducible - taken_lots


@rule
def after_fill(
    position_lots: int, cost_atoms: int, signed_lots: int, lot_price_atoms: int
) -> tuple[int, int, int]:
    """Position, cost and realised profit after a fill (before fees). A SELL has lots below 0.

    The same side averages in. The other side closes, and what crosses zero opens at the fill's
    price.
    """
    lots = closed_lots(position_lots, signed_lots)
    if lots == 0:
        return position_lots + signed_lots, cost_atoms + signed_lots * lot_price_atoms, 0
    worth = lots * lot_price_atoms
    left_lots, left_atoms, realized = after_closing(position_lots, cost_atoms, lots, worth)
    opened = abs(signed_lots) - lots
    if opened == 0:
        return left_lots, left_atoms, realized
    opened = opened if signed_lots > 0 else -opened
    return opened, opened * lot_price_atoms, realized
