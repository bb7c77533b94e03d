"""Quotes of a pool: they follow it, and nothing happens by being asked."""

from actors.live.quotes import PoolQuotes
from sim.fast_pool.engine import Asked, AskedBurn, AskedMint, AskedSwap, answers_of, batch_of
from sim.pool.pool import Pool
from sim.pool.positions import PositionKey
from sim.pool.saving import pool_bytes
from sim.pool.swapping import Order
from sim.pool.tick_math import MAX_SQRT_RATIO, MIN_SQRT_RATIO

KEY, OTHER_KEY = PositionKey(bytes(20), -6000, 6000), PositionKey(bytes(20), -60, 120)


def pool() -> Pool:
    pool = Pool(3000, 60)
    pool.initialize(1, 2**96)
    pool.mint(1, KEY, 10**18)
    return pool


def test_a_quote_is_what_the_swaps_would_give_one_after_the_other() -> None:
    plain = pool()
    quotes = PoolQuotes(pool_bytes(plain))
    orders = Order(True, 10**15, MIN_SQRT_RATIO + 1), Order(False, -(10**14), MAX_SQRT_RATIO - 1)
    swaps = batch_of([AskedSwap(12, order) for order in orders])
    first, again = (answers_of(quotes.quote(swaps)) for _ in range(2))
    assert first == again
    assert [answer.amounts for answer in first] == [plain.swap(12, order) for order in orders]


def test_quotes_follow_what_the_pool_has_done() -> None:
    plain = pool()
    quotes = PoolQuotes(pool_bytes(plain))
    order = Order(True, 10**16, MIN_SQRT_RATIO + 1)
    mint, burn = AskedMint(12, OTHER_KEY, 10**19), AskedBurn(24, KEY, 10**17)
    happened: list[Asked] = [mint, AskedSwap(12, order), burn]
    told = answers_of(quotes.follow(batch_of(happened)))
    done = [plain.mint(12, OTHER_KEY, 10**19), plain.swap(12, order), plain.burn(24, KEY, 10**17)]
    assert [answer.amounts for answer in told] == done
    (quote,) = answers_of(quotes.quote(batch_of([AskedSwap(36, order)])))
    assert quote.amounts == plain.swap(36, order)
    assert quote.sqrt_price_x96 == plain.state.sqrt_price_x96
