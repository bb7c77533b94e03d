"""A whole chain, block by block: its state, its pools, the crowd, and the newest block."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from sim.chain.acts import Wish
from sim.chain.building import Block, Builder, Tip
from sim.chain.crowd import (
    ARBITRAGEUR,
    BASE_FEE_WEI,
    OUTSIDER,
    PROFILE,
    SWAPPER,
    SWAPPERS,
    TRAFFIC_WALLETS,
    Crowd,
    Sight,
)
from sim.chain.execution import PoolPort
from sim.chain.known_pools import POOLS, TOKENS
from sim.chain.pool_host import PoolHost, PoolStand
from sim.chain.state import ChainState, Draft
from sim.chain.wallets import BRIDGE, Wallets
from sim.keccak import keccak256
from sim.pool.pool import Pool

FIRST_BLOCK = 22_450_000
"""Where the chain begins."""

BRIDGE_UNITS = 10**12
"""Of every asset, what accounts may bring onto the chain in all; and of ether."""

TRADER_UNITS, TRADER_USD = 50_000, 200_000_000
"""Of ether and of each dollar, what every wallet of the crowd has at the beginning."""

OBSERVATIONS = 64
"""That a pool remembers: one a block at the most, so more than ten minutes."""

OUTSIDER_ETHER = 10_000_000
WEI = 10**18


class BlockPool(PoolPort, Protocol):
    """A pool that begins blocks and keeps them: PoolHost, or the actor of one."""

    def settled(self) -> PoolStand: ...
    def begin(self, number: int, state_hash: bytes) -> None: ...
    def keep(self, number: int) -> None: ...


@dataclass(frozen=True, slots=True)
class Draughted:
    """A block that nobody knows of yet, the changes that it makes, and how pools stand in it."""

    block: Block
    draft: Draft
    stands: Mapping[int, PoolStand]


class ChainWorld:
    """Blocks are built, made durable by whoever drives this, and kept: in that order.

    is_quiet   whether providers are the only ones in the crowd
    """

    def __init__(
        self,
        seed: int,
        state: ChainState,
        tip: Tip,
        pools: Mapping[int, BlockPool],
        is_quiet: bool = False,
    ) -> None:
        self.wallets = Wallets(seed)
        self.state, self.tip, self._pools = state, tip, pools
        self._crowd, self._is_quiet = Crowd(seed, self.wallets), is_quiet
        self.stands: Mapping[int, PoolStand] = {
            pool_id: pool.settled() for pool_id, pool in pools.items()
        }

    def built(self, time_s: int, wishes: Iterable[Wish], spot_price: Fraction | None) -> Draughted:
        """The next block, of what is wished and what the crowd wishes."""
        for pool_id, pool in self._pools.items():
            pool.begin(self.tip.number + 1, self.stands[pool_id].state_hash)
        sight = Sight(self.tip, self.stands, self.state.positions, spot_price, self._is_quiet)
        builder = Builder(self.state, self._pools, self.wallets, self.tip, time_s)
        builder.take_all([*wishes, *self._crowd.wishes(sight)])
        stands = {pool_id: pool.stand() for pool_id, pool in self._pools.items()}
        hashes = {pool_id: stand.state_hash for pool_id, stand in stands.items()}
        return Draughted(builder.sealed(hashes), builder.draft, stands)

    def keep(self, draughted: Draughted) -> None:
        """It is durable: what comes next begins from it."""
        draughted.draft.keep()
        self.tip, self.stands = draughted.block.tip, draughted.stands
        for pool in self._pools.values():
            pool.keep(self.tip.number)


def genesis_state(wallets: Wallets) -> ChainState:
    """What everybody has before the first block."""
    state = ChainState()
    give(state, wallets, BRIDGE, BRIDGE_UNITS, BRIDGE_UNITS)
    for pool_id in POOLS:
        for name in (*(one.name for one in PROFILE), ARBITRAGEUR):
            give(state, wallets, f"{name}-{pool_id}", TRADER_UNITS, TRADER_USD)
    for number in range(SWAPPERS):
        give(state, wallets, f"{SWAPPER}-{number}", TRADER_UNITS, TRADER_USD)
    for number in range(TRAFFIC_WALLETS):
        state.wei[wallets.address(f"{OUTSIDER}-{number}")] = OUTSIDER_ETHER * WEI
    return state


def give(state: ChainState, wallets: Wallets, name: str, ether: int, dollars: int) -> None:
    """So much of ether, of wrapped ether, and of each dollar."""
    address = wallets.address(name)
    state.wei[address] = ether * WEI
    for symbol, token in TOKENS.items():
        units = ether if symbol == "WETH" else dollars
        state.holdings[token.address, address] = units * 10**token.decimals


def genesis_tip(seed: int, time_s: int) -> Tip:
    """Of a block before the first, that nobody sees."""
    origin = keccak256(b"sandpit" + str(seed).encode())
    return Tip(FIRST_BLOCK - 1, origin, time_s, BASE_FEE_WEI, origin)


def genesis_pool(pool_id: int, price: Fraction, time_s: int) -> PoolHost:
    """A pool at its first price, in USD for one ether, with nothing in it."""
    known = POOLS[pool_id]
    pool = Pool(known.fee_pips, known.tick_spacing)
    pool.initialize(time_s, known.terms.in_range_x96(price))
    pool.increase_observation_cardinality_next(OBSERVATIONS)
    return PoolHost(pool, FIRST_BLOCK - 1)
