"""Who else is on the chain: providers of liquidity, people who swap, arbitrageurs, other traffic.

What they wish of a block follows from the seed, the block's number and what pools show before it
alone. Nothing of them has to be remembered.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import exp

import numpy as np

from sim.chain.acts import Act, Close, Mint, SwapIn, Wish, Work
from sim.chain.building import BLOCK_GAS_LIMIT, Tip
from sim.chain.known_pools import POOLS, KnownPool
from sim.chain.pool_host import PoolStand
from sim.chain.state import Place
from sim.chain.wallets import Wallets
from sim.pool.tick_math import MAX_SQRT_RATIO, MAX_TICK, MIN_SQRT_RATIO, MIN_TICK

SWAPPER, ARBITRAGEUR, OUTSIDER = "swapper", "arbitrageur", "outsider"
"""Names of wallets, before their number."""

GWEI = 10**9
PRIORITY_FEE_WEI = GWEI
MAX_FEE_WEI = 500 * GWEI

BASE_FEE_WEI = 12_500_000_000
"""What other traffic keeps the base fee near, and where it begins."""

TRAFFIC_SHARE = 0.35
"""Of a block's gas, how far other traffic goes from its target when the base fee is far off."""

TRAFFIC_WALLETS = 16
TRAFFIC_PARTS = 4


@dataclass(frozen=True, slots=True)
class Provider:
    """Liquidity from so far below the price to so far above it, in spacings of ticks; None: from
    the lowest tick to the highest."""

    name: str
    width: int | None
    liquidity: int


PROFILE = (
    Provider("lp-0", None, 20_000_000_000_000_000),
    Provider("lp-1", 115, 120_000_000_000_000_000),
    Provider("lp-2", 58, 90_000_000_000_000_000),
    Provider("lp-3", 28, 240_000_000_000_000_000),
    Provider("lp-4", 14, 92_616_680_805_731_815),
    Provider("lp-5", 3, 8_217_643_219_335_173),
)
"""After the 0.3 % pool of USDC and WETH on 2024-01-05: its narrow positions as they were, and what
there was of others around the price, a tenth of it. Widths are half the positions' own."""

MOVES_ONCE_IN_BLOCKS = 2_000
"""A provider whose price has left its range comes after it so often."""

SWAPPERS = 12
SWAPS_PER_BLOCK = 0.4
SWAP_USD_MEDIAN, SWAP_SIGMA = 4_000.0, 1.4
"""Of the log of that day: 266 swaps, half of them below; more of them, for people to look at."""

SWAP_USD_MAX = 150_000.0

ARBITRAGE_MARGIN = Fraction(1, 5_000)
"""Beside the fee, what an arbitrageur wants to earn."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What the crowd sees before a block.

    stands       pools after the last one
    places       of all positions
    spot_price   of ETH in USD on the exchange; None where nobody quotes it
    is_quiet     whether providers are alone
    """

    tip: Tip
    stands: Mapping[int, PoolStand]
    places: Collection[Place]
    spot_price: Fraction | None
    is_quiet: bool


class Crowd:
    """The same seed is the same crowd."""

    def __init__(self, seed: int, wallets: Wallets) -> None:
        self._seed, self._wallets = seed, wallets

    def wishes(self, sight: Sight) -> Iterator[Wish]:
        """For the next block."""
        number = sight.tip.number + 1
        draws = np.random.default_rng([self._seed, number])
        for pool_id, stand in sorted(sight.stands.items()):
            pool = POOLS[pool_id]
            yield from self._provide(draws, sight, pool, stand)
            if not sight.is_quiet:
                yield from self._arbitrage(sight, pool, stand)
                yield from self._swap(draws, number, pool, stand)
        yield from self._traffic(draws, sight.tip)

    def _wish(self, number: int, wallet: str, act: Act, place: object = "") -> Wish:
        label = f"crowd/{number}/{wallet}/{place}"
        return Wish(label, wallet, act, MAX_FEE_WEI, PRIORITY_FEE_WEI, number)

    def _provide(
        self, draws: np.random.Generator, sight: Sight, pool: KnownPool, stand: PoolStand
    ) -> Iterator[Wish]:
        """Each mints where nobody is yet, and now and then goes where the price is."""
        number = sight.tip.number + 1
        for provider in PROFILE:
            moves = draws.random() < 1 / MOVES_ONCE_IN_BLOCKS
            wallet = f"{provider.name}-{pool.pool_id}"
            if stand.liquidity == 0:
                yield self._wish(number, wallet, minted(provider, pool, stand.tick), "mint")
            elif moves and provider.width is not None:
                yield from self._moved(sight, provider, pool, stand)

    def _moved(
        self, sight: Sight, provider: Provider, pool: KnownPool, stand: PoolStand
    ) -> Iterator[Wish]:
        """Out of where it is, if the price is not there any more, and around the price of now."""
        number, wallet = sight.tip.number + 1, f"{provider.name}-{pool.pool_id}"
        holder = self._wallets.address(wallet)
        for pool_id, owner, lower, upper in sorted(sight.places):
            if owner == holder and not lower <= stand.tick < upper:
                yield self._wish(number, wallet, Close(pool_id, lower, upper), "close")
                yield self._wish(number, wallet, minted(provider, pool, stand.tick), "mint")

    def _swap(
        self, draws: np.random.Generator, number: int, pool: KnownPool, stand: PoolStand
    ) -> Iterator[Wish]:
        for place in range(int(draws.poisson(SWAPS_PER_BLOCK))):
            usd = min(SWAP_USD_MEDIAN * exp(SWAP_SIGMA * draws.standard_normal()), SWAP_USD_MAX)
            who, sells_base = int(draws.integers(SWAPPERS)), bool(draws.random() < 0.5)
            zero_for_one = sells_base != pool.terms.quote_is_token0
            amount = int(usd * pool.terms.quote_unit)
            if sells_base:
                price = pool.terms.nearest_double(stand.sqrt_price_x96)
                amount = int(usd / price * 10**9) * (pool.terms.base_unit // 10**9)
            act = SwapIn(pool.pool_id, zero_for_one, max(amount, 1), any_limit(zero_for_one))
            yield self._wish(number, f"{SWAPPER}-{who}", act, f"{pool.pool_id}-{place}")

    def _arbitrage(self, sight: Sight, pool: KnownPool, stand: PoolStand) -> Iterator[Wish]:
        """To where the fee leaves nothing: the pool's price is as near to the exchange's then."""
        if sight.spot_price is None or stand.liquidity == 0:
            return
        band = Fraction(pool.fee_pips, 1_000_000) + ARBITRAGE_MARGIN
        price = pool.terms.price(stand.sqrt_price_x96)
        too_high = price > sight.spot_price * (1 + band)
        if not too_high and price >= sight.spot_price * (1 - band):
            return
        target = sight.spot_price * (1 + band if too_high else 1 - band)
        zero_for_one = too_high != pool.terms.quote_is_token0
        limit_x96 = pool.terms.in_range_x96(target)
        amount = arbitrage_amount(pool, too_high)
        act = SwapIn(pool.pool_id, zero_for_one, amount, limit_x96)
        number = sight.tip.number + 1
        yield self._wish(number, arbitrageur_wallet(pool.pool_id), act)

    def _traffic(self, draws: np.random.Generator, tip: Tip) -> Iterator[Wish]:
        """As much gas as brings the base fee back to where it belongs, and some chance."""
        away = (BASE_FEE_WEI - tip.next_base_fee_wei) / BASE_FEE_WEI
        share = 0.5 + max(-TRAFFIC_SHARE, min(TRAFFIC_SHARE, away)) + 0.1 * draws.standard_normal()
        gas = int(BLOCK_GAS_LIMIT * max(0.02, min(0.9, share)))
        number = tip.number + 1
        for part in range(TRAFFIC_PARTS):
            wallet = f"{OUTSIDER}-{int(draws.integers(TRAFFIC_WALLETS))}"
            act = Work(gas // TRAFFIC_PARTS, int(draws.integers(1 << 62)))
            label = f"crowd/{number}/{wallet}/{part}"
            yield Wish(label, wallet, act, MAX_FEE_WEI, PRIORITY_FEE_WEI // 10, number)


def minted(provider: Provider, pool: KnownPool, tick: int) -> Mint:
    """Of the pool's liquidity units; the profile's are those of pool 42."""
    spacing = pool.tick_spacing
    if provider.width is None:
        lower, upper = -(-MIN_TICK // spacing) * spacing, MAX_TICK // spacing * spacing
    else:
        middle = tick // spacing * spacing
        lower, upper = middle - provider.width * spacing, middle + (provider.width + 1) * spacing
    return Mint(pool.pool_id, lower, upper, provider.liquidity)


def arbitrageur_wallet(pool_id: int) -> str:
    """The name of the wallet that keeps a pool's price at the exchange's."""
    return f"{ARBITRAGEUR}-{pool_id}"


def any_limit(zero_for_one: bool) -> int:
    return MIN_SQRT_RATIO + 1 if zero_for_one else MAX_SQRT_RATIO - 1


def arbitrage_amount(pool: KnownPool, sells_base: bool) -> int:
    """More than it takes to reach any limit that is near."""
    return 10**5 * pool.terms.base_unit if sells_base else 10**8 * pool.terms.quote_unit
