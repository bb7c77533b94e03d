"""The chain's beginning: who has what before the first block, and empty pools at their price."""

from fractions import Fraction
from typing import Any

import psycopg

from sim.chain.known_pools import POOLS
from sim.chain.wallets import Wallets
from sim.chain.world import genesis_pool, genesis_state, genesis_tip
from storage.chain.node import ACCOUNT, HOLDING
from storage.chain.pools import keep_snapshot
from storage.errors import wrapped

FOUND = """
INSERT INTO chain_head (seed, number, hash, time_s, next_base_fee_wei, state_hash, epoch, burnt_wei,
    last_token_id, mine_to, reorg_wish)
VALUES (%s, %s, %s, %s, %s, %s, 0, 0, 0, 0, 0) ON CONFLICT DO NOTHING"""
SEED = "SELECT seed FROM chain_head"


def found_chain(
    connection: psycopg.Connection[Any], seed: int, ether_price: Fraction, time_s: int
) -> int:
    """Found it, unless there is one: all in one transaction. The seed that it has."""
    tip = genesis_tip(seed, time_s)
    values = seed, tip.number, tip.hash, tip.time_s, tip.next_base_fee_wei, tip.state_hash
    with wrapped(), connection.transaction():
        if connection.execute(FOUND, values).rowcount != 1:
            row = connection.execute(SEED).fetchone()
            assert row is not None, "what is there has a seed"
            return int(row[0])
        state = genesis_state(Wallets(seed))
        with connection.cursor() as cursor:
            cursor.executemany(ACCOUNT, [(one, 0, wei) for one, wei in state.wei.items()])
            cursor.executemany(HOLDING, [(*key, sum_) for key, sum_ in state.holdings.items()])
        for pool_id in POOLS:
            keep_snapshot(connection, pool_id, genesis_pool(pool_id, ether_price, time_s))
    return seed
