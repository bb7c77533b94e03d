"""`sandpit bench pool`: what the compiled pool does, beside the plain one and beside the contract.

Both pools begin with the same state, are given the same swaps, and must end in the same one; the
contract's bytecode must come to the same amounts. A compiled run is one batch: what turns Python's
integers into arrays and back is not timed. Times are the processor's own of the process that does
the work, so that others who share its cores do not count; through an actor, by the wall's clock.
"""

from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import process_time_ns
from typing import Any

from rich.console import Console

from actors.bench.pool_actor import actor_rates
from actors.bench.pool_flow import Flow, make_flow, new_pool
from actors.bench.pool_log import described, log_rate, read_log
from actors.bench.pool_peer import peer_rate
from actors.bench.pool_sizes import CROSSED, crossing_us, memory_bytes
from actors.bench.simulate_runs import PeerMissing
from sim.fast_pool.engine import FastPool, answers_of, batch_of

RUNS = 5
POSITIONS = 100_000
MEGABYTE = 1e6


@dataclass(frozen=True)
class Extent:
    """How much is measured.

    bytecode   the artifact of the contract's factory; None: the peers' package has it
    """

    swaps: int
    seed: int
    log: Path | None = None
    bytecode: Path | None = None
    runs: int = RUNS
    positions: int = POSITIONS


def fast_rate(flow: Flow) -> float:
    """Swaps a second of one compiled run."""
    pool, batch = FastPool(new_pool()), batch_of(flow.swaps)
    begin = process_time_ns()
    told = pool.operate(batch)
    spent_ns = process_time_ns() - begin
    assert [one.amounts for one in answers_of(told)] == flow.amounts
    assert pool.plain().state == flow.state, "the same swaps came to another state"
    return len(flow.swaps) * 1e9 / spent_ns


def plain_rate(flow: Flow) -> float:
    """Swaps a second of one plain run."""
    pool = new_pool()
    begin = process_time_ns()
    for one in flow.swaps:
        pool.swap(one.time_s, one.order)
    spent_ns = process_time_ns() - begin
    assert pool.state == flow.state, "the same swaps came to another state"
    return len(flow.swaps) * 1e9 / spent_ns


def measure(flow: Flow, extent: Extent) -> dict[str, Any]:
    """Best and median rates; a compiled run, a plain and a peer's take turns. `missing` says why
    there is no peer."""
    fast, plain, peer, missing = [], [], [], ""
    for _ in range(extent.runs):
        fast.append(fast_rate(flow))
        plain.append(plain_rate(flow))
        try:
            peer += [] if missing else [peer_rate(flow, extent.bytecode)]
        except PeerMissing as error:
            missing = str(error)
    figures: dict[str, Any] = {"best": max(fast), "median": median(fast)}
    figures["plain_median"], figures["missing"] = median(plain), missing
    figures["ratio"] = figures["median"] / figures["plain_median"]
    if not missing:
        figures["peer_median"] = median(peer)
        figures["peer_ratio"] = figures["median"] / figures["peer_median"]
    return figures


def bench_pool(extent: Extent) -> dict[str, Any]:
    """Measure, print, and answer all figures (rates in swaps or operations a second)."""
    console = Console(highlight=False, soft_wrap=True)
    FastPool(new_pool()).operate(batch_of([]))
    console.print(f"{extent.swaps:,} swaps a run, {extent.runs} runs, seed {extent.seed}: exact in")
    flow = make_flow(extent.swaps, False, extent.seed)
    return {
        "in_range": _swaps(console, "in range", flow, extent),
        "crossing": _swaps(console, "crossing", make_flow(extent.swaps, True, extent.seed), extent),
        "actor": _actor(console, flow, extent),
        "log": _log(console, extent),
        "far": _far(console, extent),
        "memory": _memory(console, extent),
    }


def _swaps(console: Console, name: str, flow: Flow, extent: Extent) -> dict[str, Any]:
    figures = measure(flow, extent)
    console.print(
        f"{name:>10}  {figures['median']:10,.0f}/s median  {figures['best']:10,.0f} best  "
        f"plain {figures['plain_median']:7,.0f}/s  {figures['ratio']:.0f} times that"
    )
    if figures["missing"]:
        console.print(f"{'':10}  the contract's bytecode in revm: {figures['missing']}")
    else:
        console.print(
            f"{'':10}  the contract's bytecode in revm {figures['peer_median']:7,.0f}/s  "
            f"{figures['peer_ratio']:.0f} times that"
        )
    return figures


def _actor(console: Console, flow: Flow, extent: Extent) -> float:
    rate = median(actor_rates(flow, extent.runs))
    console.print(f"  an actor  {rate:10,.0f}/s median, in range, batches as arrays, wall clock")
    return rate


def _log(console: Console, extent: Extent) -> float | None:
    if extent.log is None:
        console.print("     a log  none is given: --log FILE.csv.gz")
        return None
    log = read_log(extent.log)
    rate = median(log_rate(log) for _ in range(extent.runs))
    counts = ", ".join(f"{count:,} {kind}" for kind, count in described(log).items())
    console.print(f"     a log  {rate:10,.0f} operations/s median: {counts}")
    return rate


def _far(console: Console, extent: Extent) -> dict[str, float]:
    rounds = [crossing_us() for _ in range(extent.runs)]
    fast_us, plain_us = (median(one) for one in zip(*rounds, strict=True))
    console.print(f"   far off  {fast_us:10,.0f} µs a swap over {CROSSED:,} initialised ticks")
    console.print(f"{'':10}  {plain_us:10,.0f} µs plain")
    return {"compiled_us": fast_us, "plain_us": plain_us}


def _memory(console: Console, extent: Extent) -> dict[str, int]:
    told = memory_bytes(extent.positions, extent.seed)
    console.print(
        f"    memory  {told['compiled'] / MEGABYTE:10,.1f} MB compiled, "
        f"{told['plain'] / MEGABYTE:,.1f} MB plain: "
        f"{told['positions']:,} positions, {told['ticks']:,} ticks"
    )
    return told
