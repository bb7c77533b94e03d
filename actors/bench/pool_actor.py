"""Swaps a second through an actor that hosts a compiled pool, for `sandpit bench pool`.

Batches of swaps go there as arrays and their outcomes come back, one batch after the other, by the
clock of the wall: the actor is another process.
"""

import time

from actors.bench.pool_flow import Flow, new_pool
from actors.cluster.ours import start_local_ray, stop_ray
from actors.cluster.quotes import RemoteQuotes
from actors.simulate.folders import temporary_folder
from sim.fast_pool.engine import answers_of, batch_of
from sim.pool.saving import pool_bytes

BATCHES_MAX = 10
"""One is the flow's first swaps."""


def actor_rates(flow: Flow, runs: int) -> list[float]:
    """Swaps a second of each run, on a Ray of our own."""
    with temporary_folder() as directory:
        start_local_ray(directory)
        try:
            return [_rate(flow) for _ in range(runs)]
        finally:
            stop_ray()


def _rate(flow: Flow) -> float:
    length = -(-len(flow.swaps) // BATCHES_MAX)
    places = range(0, len(flow.swaps), length)
    batches = [batch_of(flow.swaps[place : place + length]) for place in places]
    pool = RemoteQuotes(pool_bytes(new_pool()))
    try:
        pool.quote(batches[0])
        began = time.perf_counter()
        told = [pool.follow(batch) for batch in batches]
        seconds = time.perf_counter() - began
    finally:
        pool.end()
    amounts = [answer.amounts for outcomes in told for answer in answers_of(outcomes)]
    assert amounts == flow.amounts, "the actor's pool came to other amounts"
    return len(flow.swaps) / seconds
