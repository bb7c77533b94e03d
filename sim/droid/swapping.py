"""The one swap before the mints, which gives a wallet the token that it lacks."""

from dataclasses import dataclass
from fractions import Fraction

from sim.droid.ladder import Ladder, Wanted
from sim.pool.pool import Pool
from sim.pool.swapping import Order
from sim.pool.words import Pair

SLIPPAGE = Fraction(1, 100)
"""By this part of the price that a transaction was decided at, it may be another."""


@dataclass(frozen=True)
class Tried:
    """What a swap would leave."""

    amounts: Pair
    sqrt_price_x96: int
    wallet: Pair


class Trials:
    """Swaps tried on a copy of a pool, each from the same state. The pool itself is not touched."""

    def __init__(self, pool: Pool, time_s: int, wallet: Pair) -> None:
        store = pool.store
        self._pool = Pool(store.fee_pips, store.tick_spacing)
        copy = self._pool.store
        copy.ticks.update(store.ticks)
        copy.bitmap.update(store.bitmap)
        copy.observations.update(store.observations)
        self._state = copy.state = store.state
        self._time_s, self._wallet = time_s, wallet

    def after(self, order: Order) -> Tried:
        if order.amount_specified == 0:
            return Tried((0, 0), self._state.sqrt_price_x96, self._wallet)
        store = self._pool.store
        amounts = self._pool.swap(self._time_s, order)
        sqrt_price_x96 = store.state.sqrt_price_x96
        store.ticks.undo()
        store.observations.undo()
        store.state = self._state
        wallet = self._wallet[0] - amounts[0], self._wallet[1] - amounts[1]
        return Tried(amounts, sqrt_price_x96, wallet)


def lacking(ladder: Ladder, wallet: Pair) -> int | None:
    """The token that a ladder needs more of than there is; where it is both, which only units of
    rounding can bring about, a swap would not help."""
    lacks = [token for token in (0, 1) if ladder.needs[token] > wallet[token]]
    return lacks[0] if len(lacks) == 1 else None


def least_swap(wanted: Wanted, pool: Pool, time_s: int, wallet: Pair) -> Order | None:
    """The smallest exact-in swap after which the wallet has enough of the token that it lacked, or
    as much of it, by need, as of the other. None where nothing lacks or nothing can be had."""
    token = lacking(wanted.at(pool.state.sqrt_price_x96, wallet), wallet)
    if token is None:
        return None
    zero_for_one = token == 1
    limit_x96 = wanted.terms.limit_x96(pool.state.sqrt_price_x96, zero_for_one, SLIPPAGE)
    trials = Trials(pool, time_s, wallet)
    low, high = 0, wallet[1 - token]
    while low < high:
        middle = (low + high) // 2
        tried = trials.after(Order(zero_for_one, middle, limit_x96))
        if suffices(wanted, tried, token):
            high = middle
        else:
            low = middle + 1
    order = Order(zero_for_one, low, limit_x96)
    return order if trials.after(order).amounts != (0, 0) else None


def suffices(wanted: Wanted, tried: Tried, token: int) -> bool:
    """Whether there is then enough of a token, or no less of it, by need, than of the other."""
    needs = wanted.at(tried.sqrt_price_x96, tried.wallet).needs
    have, other = tried.wallet[token], 1 - token
    return have >= needs[token] or have * needs[other] >= tried.wallet[other] * needs[token]
