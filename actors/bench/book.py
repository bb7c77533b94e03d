"""`sandpit bench book`: instructions a second through the matching engine, and through a peer.

The flow is that of actors/bench/flow.py, at two sizes of book. Every run starts from an
empty book, refills it before each block outside of what is timed, and must end in the
state the flow was made with. The peer is liquibook, a C++ order book, from PyPI. Its wheel
has no C++ interface, only a Python binding of one call an order: so each of its figures
includes that call, and `call_ns` says what the cheapest call of the same binding takes.
It is given its order objects ready made, and no listeners.
"""

import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median
from time import perf_counter_ns
from typing import Any

import numpy as np
from rich.console import Console

from actors.bench.flow import Block, FlowMaker
from sim.book.engine import MarketEngine, warm_up
from sim.market import BTC_PERP
from sim.rows.messages import CommandKind, Rows, Side

SMALL_BOOK, LARGE_BOOK = 1_000, 1_000_000
SMALL_BLOCK_ROWS, LARGE_BLOCK_ROWS = 1_000, 250_000
BATCH_ROWS = 16_384
RUNS = 5
CALLS_TO_TIME = 200_000


@dataclass(frozen=True)
class Flow:
    """Blocks for a book of about `resting` orders, and what must come out of them."""

    resting: int
    blocks: list[Block]
    state_hash: bytes
    bytes_an_order: float

    @property
    def instructions(self) -> int:
        return sum(len(block.rows) for block in self.blocks)


def make_flow(resting: int, instructions: int, seed: int) -> Flow:
    """The same rows for the same numbers."""
    engine = MarketEngine(BTC_PERP)
    maker = FlowMaker(engine, resting, np.random.default_rng(seed))
    length = SMALL_BLOCK_ROWS if resting < LARGE_BOOK else LARGE_BLOCK_ROWS
    blocks = [maker.block(min(length, instructions))]
    most = engine.memory_bytes / engine.open_order_count
    while sum(len(block.rows) for block in blocks) < instructions:
        blocks.append(maker.block(length))
    return Flow(resting, blocks, engine.state_hash(), most)


def engine_rate(flow: Flow) -> float:
    """Instructions a second of one run through our engine."""
    engine, spent_ns = MarketEngine(BTC_PERP), 0
    for block in flow.blocks:
        engine.apply(block.refill)
        begin = perf_counter_ns()
        for start in range(0, len(block.rows), BATCH_ROWS):
            engine.apply(block.rows[start : start + BATCH_ROWS])
        spent_ns += perf_counter_ns() - begin
    assert engine.state_hash() == flow.state_hash, "the same flow came to another state"
    return flow.instructions * 1e9 / spent_ns


def peer() -> Any:
    """The liquibook module, None where the `bench` extra is not installed."""
    try:
        return importlib.import_module("liquibook")
    except ImportError:
        return None


def peer_calls(liquibook: Any, rows: Rows, orders: dict[int, Any]) -> Iterator[tuple[bool, Any]]:
    """(is a cancel, order object) of each row; new objects are kept in `orders` by id."""
    names = ("kind", "order_id", "side", "price_ticks", "quantity_lots")
    for kind, order_id, side, price, lots in zip(*(rows[n].tolist() for n in names), strict=True):
        if kind == CommandKind.CANCEL:
            yield True, orders[order_id]
        else:
            orders[order_id] = liquibook.SimpleOrder(side == Side.BUY, price, lots)
            yield False, orders[order_id]


def peer_run(book: Any, calls: list[tuple[bool, Any]]) -> int:
    """Nanoseconds for all calls."""
    methods = [book.cancel if is_cancel else book.add for is_cancel, _ in calls]
    orders = [order for _, order in calls]
    begin = perf_counter_ns()
    for method, order in zip(methods, orders, strict=True):
        method(order)
    return perf_counter_ns() - begin


def peer_rate(liquibook: Any, flow: Flow) -> float:
    """Instructions a second of one run through the peer."""
    book, spent_ns = liquibook.DepthOrderBook(), 0
    orders: dict[int, Any] = {}
    book.set_symbol("BTC-PERP")
    for block in flow.blocks:
        peer_run(book, list(peer_calls(liquibook, block.refill, orders)))
        spent_ns += peer_run(book, list(peer_calls(liquibook, block.rows, orders)))
    return flow.instructions * 1e9 / spent_ns


def peer_call_ns(liquibook: Any) -> float:
    """Nanoseconds of one call through the peer's binding that does next to nothing."""
    order = liquibook.SimpleOrder(True, 1, 1)
    begin = perf_counter_ns()
    for _ in range(CALLS_TO_TIME):
        order.price()
    return (perf_counter_ns() - begin) / CALLS_TO_TIME


def measure(flow: Flow, liquibook: Any, runs: int) -> dict[str, float]:
    """Best and median rates of `runs` runs, between them every other time one of the peer."""
    ours, theirs = [], []
    for run in range(runs):
        ours.append(engine_rate(flow))
        if liquibook is not None and run % 2 == 0:
            theirs.append(peer_rate(liquibook, flow))
    figures = {"best": max(ours), "median": median(ours), "bytes_an_order": flow.bytes_an_order}
    if theirs:
        figures |= {"peer_best": max(theirs), "peer_median": median(theirs)}
        figures["ratio"] = figures["median"] / figures["peer_median"]
    return figures


def one_row_us() -> float:
    """Microseconds of `apply` with a batch of one row, from Python and back."""
    engine = MarketEngine(BTC_PERP)
    rows = FlowMaker(engine, SMALL_BOOK, np.random.default_rng(1)).block(1_000).refill
    other = MarketEngine(BTC_PERP)
    begin = perf_counter_ns()
    for place in range(len(rows)):
        other.apply(rows[place : place + 1])
    return (perf_counter_ns() - begin) / len(rows) / 1e3


def say(console: Console, name: str, figures: dict[str, float]) -> None:
    million = 1e6
    console.print(
        f"{name:>18}  {figures['median'] / million:6.2f} M/s median  "
        f"{figures['best'] / million:6.2f} best  {figures['bytes_an_order']:5.0f} bytes an order"
    )
    if "ratio" in figures:
        console.print(
            f"{'liquibook':>18}  {figures['peer_median'] / million:6.2f} M/s median  "
            f"{figures['peer_best'] / million:6.2f} best  we do {figures['ratio']:.1f} times that"
        )


def bench_book(instructions: int = 1_000_000, seed: int = 1, runs: int = RUNS) -> dict[str, Any]:
    """Measure, print, and answer all figures (rates in instructions a second)."""
    console, liquibook = Console(highlight=False), peer()
    warm_up()
    result: dict[str, Any] = {"instructions": instructions, "seed": seed, "runs": runs}
    console.print(
        f"{instructions:,} instructions a run, {runs} runs, seed {seed}: "
        "45 % cancels, 25 % crossing, 30 % resting",
        soft_wrap=True,
    )
    for name, resting in (("small", SMALL_BOOK), ("large", LARGE_BOOK)):
        result[name] = measure(make_flow(resting, instructions, seed), liquibook, runs)
        say(console, f"{resting:,} resting", result[name])
    result["large_to_small"] = result["large"]["median"] / result["small"]["median"]
    result["one_row_us"] = one_row_us()
    console.print(f"large book {result['large_to_small']:.2f} of the small one's speed")
    console.print(f"one row at a time: {result['one_row_us']:.1f} µs a call")
    if liquibook is None:
        console.print("liquibook is not installed: pip install -e .[bench]")
    else:
        result["peer_call_ns"] = peer_call_ns(liquibook)
        console.print(
            f"liquibook is called once an order from Python: {result['peer_call_ns']:.0f} ns of "
            "each of its instructions are the call",
            soft_wrap=True,
        )
    return result
