"""A chain that is simulated beside a book: its blocks, pools and droids."""

from fractions import Fraction
from typing import Any

from sim.chain.acts import SwapIn
from sim.chain.building import BLOCK_S, Block
from sim.chain.crowd import ARBITRAGEUR
from sim.chain.known_pools import POOLS
from sim.chain.wallets import Wallets
from sim.chain.world import ChainWorld, genesis_pool, genesis_state, genesis_tip
from sim.joint.droids import JointDroid
from sim.record.chain import BLOCK, DroidRecord, PoolRecord, rows_of
from sim.scenario.chain import ChainDescription

BEGINS_S = 1_704_067_200
"""2024-01-01: what the chain's clock shows when a simulation begins."""

NO_PRICE = float("nan")


class JointChain:
    """price   of one ether at the beginning, in USD"""

    def __init__(self, about: ChainDescription, seed: int, price: Fraction) -> None:
        self._pools = {one: genesis_pool(one, price, BEGINS_S) for one in about.pool_ids}
        wallets = Wallets(seed)
        state = genesis_state(wallets)
        self._droids = [JointDroid(one, wallets, state) for one in about.droids]
        self._about = about
        self._world = ChainWorld(seed, state, genesis_tip(seed, BEGINS_S), self._pools)
        self._rows: dict[int, list[tuple[Any, ...]]] = {one: [] for one in about.pool_ids}
        self.blocks = self.transactions = 0

    @property
    def state_hash(self) -> bytes:
        """Of all blocks so far."""
        return self._world.tip.hash

    def block(self, price: Fraction | None) -> int:
        """The next one, where ether has this price on the book; how much ether arbitrageurs have
        bought in pools (in wei; negative where they have sold)."""
        self.blocks += 1
        time_us = self.blocks * BLOCK_S * 10**6
        wishes = [wish for droid in self._droids for wish in droid.wishes]
        draughted = self._world.built(BEGINS_S + self.blocks * BLOCK_S, wishes, price)
        self._world.keep(draughted)
        block = draughted.block
        self.transactions += len(block.transactions)
        for droid, about in zip(self._droids, self._about.droids, strict=True):
            droid.look(block, self._world.state, self._pools[about.pool_id], time_us)
        return sum(self._note(pool_id, block, price, time_us) for pool_id in self._pools)

    def _note(self, pool_id: int, block: Block, price: Fraction | None, time_us: int) -> int:
        """The pool's row; what arbitrageurs have bought in it."""
        terms, swaps, arbitrages, bought = POOLS[pool_id].terms, 0, 0, 0
        for one in block.transactions:
            act = one.wish.act
            if not isinstance(act, SwapIn) or act.pool_id != pool_id or one.effect.revert:
                continue
            swaps += 1
            if one.wish.wallet.startswith(ARBITRAGEUR):
                amounts = one.effect.told["amounts"]
                arbitrages += 1
                bought -= terms.base_and_quote((int(amounts[0]), int(amounts[1])))[0]
        pool_price = terms.nearest_double(self._pools[pool_id].pool.state.sqrt_price_x96)
        book = NO_PRICE if price is None else float(price)
        self._rows[pool_id].append((time_us, pool_price, book, swaps, arbitrages))
        return bought

    def pools(self) -> list[PoolRecord]:
        return [
            PoolRecord(
                pool_id,
                "/".join(token.symbol for token in POOLS[pool_id].tokens),
                rows_of(rows, BLOCK),
            )
            for pool_id, rows in self._rows.items()
        ]

    def droids(self) -> list[DroidRecord]:
        return [one.record() for one in self._droids]
