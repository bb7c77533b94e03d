"""`sandpit bench orders`: what accepting an order costs, and how soon it is seen."""

import asyncio
import itertools
import json
import os
import random
import signal
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import uvloop
from rich.console import Console
from rich.table import Table

from actors.bench.http_load import Connection, Tally, connect, request, run_closed_loop
from actors.own_tree import command
from sim.market import COLLATERAL
from storage.reading.latency import any_order_pending, hop_medians_ms
from storage.servers.embedded import EmbeddedPostgres

CONNECTIONS = 64
ACCOUNTS = 1_000
MARKETS = (("BTC-PERP", 66_000, 1, "0.001"), ("ETH-PERP", 3_500, 2, "0.01"))
PACED_PER_S = 200
POLL_S = 0.003
FIRST_POLL_S = 0.006
WATCHED_EVERY = 10
DRAIN_S_MAX = 60.0
READY_S_MAX = 90.0
NO_LIMIT = "1000000/second"
RATES = ("ORDER", "CANCEL", "READ", "WRITE", "LOGIN", "ACCOUNT")
KINDS = (
    ("api.server", "API"),
    ("postgres", "PostgreSQL"),
    ("valkey", "Valkey"),
    ("ray::Market", "markets"),
    ("ray::Relay", "relay"),
    ("ray::Recorder", "recorder"),
    ("ray::Strategy", "strategies"),
    ("ray::Supervisor", "supervisor"),
    ("ray::Chain", "chain"),
    ("ray::PoolActor", "pools"),
    ("ray::DroidHost", "droids"),
    ("ray::Indexer", "indexer"),
)
OPEN = {"OPEN", "FILLED", "PARTIALLY_FILLED"}


@dataclass
class Deployment:
    """A sandpit of its own in a temporary directory."""

    process: subprocess.Popen[str]
    port: int
    database_url: str


def bench_orders(seconds: float, seed: int) -> int:
    """Run the four parts and print them; the exit code."""
    random.seed(seed)
    console = Console()
    with tempfile.TemporaryDirectory(prefix="sandpit-bench-") as directory:
        deployment = start(Path(directory))
        try:
            result = uvloop.run(measure(deployment, seconds, random.Random(seed)))
        finally:
            deployment.process.send_signal(signal.SIGINT)
            deployment.process.wait(30)
    show(console, result, seed)
    return 0


def start(directory: Path, world: str = "quiet") -> Deployment:
    """`sandpit up` on a world, without rate limits, with the route that does nothing."""
    rates = {f"SANDPIT_{kind}_RATE": NO_LIMIT for kind in RATES}
    more = {
        "SANDPIT_BENCH_ROUTE": "1",
        "SANDPIT_CONNECTIONS_OF_ADDRESS_MAX": "1000",
        "SANDPIT_OPEN_ORDERS_MAX": "100000",
        "SANDPIT_USER_OPEN_ORDERS_MAX": "100000",
    }
    wish = ("up", "--world", world, "--port", 0, "--data-dir", directory / "data")
    process = subprocess.Popen(
        command("actors.cli", *wish),
        env={**os.environ, **rates, **more},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    deadline = time.monotonic() + READY_S_MAX
    for line in process.stdout:
        if line.startswith("ready "):
            port = int(line.split()[1].rsplit(":", 1)[1])
            return Deployment(process, port, EmbeddedPostgres(directory / "data").url)
        if time.monotonic() > deadline:
            break
    process.kill()
    raise RuntimeError("the deployment to measure did not start")


async def measure(deployment: Deployment, seconds: float, dice: random.Random) -> dict[str, Any]:
    """All four parts, one after the other."""
    connections = await connect("127.0.0.1", deployment.port, CONNECTIONS)
    tokens = await open_accounts(connections)
    noop = order_requests("/bench/noop", tokens, dice)
    orders = order_requests("/orders", tokens, dice)
    await timed(connections, orders, min(3.0, seconds))
    await drained(deployment.database_url)
    nothing = await timed(connections, noop, seconds)
    accepted = await timed(connections, orders, seconds)
    await drained(deployment.database_url)
    before = cpu_seconds(deployment.process.pid)
    sustained = await timed(connections, orders, seconds)
    backlog_s = await drained(deployment.database_url)
    after = cpu_seconds(deployment.process.pid)
    paced = await run_paced(connections, orders, tokens, seconds)
    return {
        "nothing": nothing,
        "accepted": accepted,
        "sustained": sustained,
        "backlog_s": backlog_s,
        "cpu_us": cpu_per_order(before, after, sustained),
        "paced": paced,
        "hops_ms": hop_medians_ms(deployment.database_url, paced["order_ids"]),
    }


async def open_accounts(connections: list[Connection]) -> list[str]:
    """Guests with money; their tokens."""
    made = await run_times(
        connections, itertools.repeat(request("POST", "/auth/guest", None), ACCOUNTS)
    )
    tokens = [json.loads(body)["token"] for body in made.bodies]
    money = {"asset": COLLATERAL, "amount": "100000000"}
    paid = await run_times(
        connections, (request("POST", "/deposits", token, money) for token in tokens)
    )
    if len(tokens) != ACCOUNTS or set(paid.statuses) != {201}:
        raise RuntimeError(f"accounts could not be opened: {made.statuses} {paid.statuses}")
    return tokens


async def run_times(connections: list[Connection], requests: Iterator[bytes]) -> Tally:
    """Send all requests once."""
    todo = list(requests)
    done = iter(todo)
    left = itertools.count(len(todo), -1)
    return await run_closed_loop(connections, done, lambda: next(left) <= 0, keep_bodies=True)


def order_requests(path: str, tokens: list[str], dice: random.Random) -> Iterator[bytes]:
    """LIMIT orders around the middle of both markets for ever; about a quarter would cross."""
    while True:
        market_id, middle, spread, quantity = dice.choice(MARKETS)
        side = dice.choice(("BUY", "SELL"))
        away = dice.randint(-spread * 5, spread * 15)
        price = middle - away if side == "BUY" else middle + away
        body = {
            "marketId": market_id,
            "side": side,
            "type": "LIMIT",
            "quantity": quantity,
            "price": str(price),
            "timeInForce": "GTC",
        }
        yield request("POST", path, dice.choice(tokens), body)


async def timed(connections: list[Connection], requests: Iterator[bytes], seconds: float) -> Tally:
    """A closed loop for that long. Bodies are generated beforehand, outside the measured time."""
    pool = itertools.cycle(list(itertools.islice(requests, 20_000)))
    end = time.perf_counter() + seconds
    return await run_closed_loop(connections, pool, lambda: time.perf_counter() >= end)


async def drained(database_url: str) -> float:
    """Seconds until no order is PENDING any more."""
    began = time.monotonic()
    while time.monotonic() - began < DRAIN_S_MAX:
        if not await asyncio.to_thread(any_order_pending, database_url):
            return time.monotonic() - began
        await asyncio.sleep(0.02)
    raise RuntimeError(f"orders still wait after {DRAIN_S_MAX:.0f} s")


async def run_paced(
    connections: list[Connection], requests: Iterator[bytes], tokens: list[str], seconds: float
) -> dict[str, Any]:
    """Orders at a fixed rate; every tenth is polled until GET shows it in the book or filled.

    Polling all of them would be most of the load, and the latency its own.
    """
    free: asyncio.Queue[Connection] = asyncio.Queue()
    for connection in connections:
        free.put_nowait(connection)
    taken: dict[str, list[float]] = {"accepted_s": [], "visible_s": []}
    order_ids: list[int] = []

    async def ask(data: bytes) -> dict[str, Any]:
        connection = await free.get()
        try:
            return dict(json.loads((await connection.ask(data))[1]))
        finally:
            free.put_nowait(connection)

    async def one(data: bytes) -> None:
        sent_at = time.perf_counter()
        order_id = (await ask(data))["orderId"]
        taken["accepted_s"].append(time.perf_counter() - sent_at)
        if len(taken["accepted_s"]) % WATCHED_EVERY:
            return
        token = data.split(b"Bearer ", 1)[1].split(b"\r", 1)[0].decode()
        await asyncio.sleep(max(0.0, sent_at + FIRST_POLL_S - time.perf_counter()))
        while (await ask(request("GET", f"/orders/{order_id}", token)))["status"] not in OPEN:
            await asyncio.sleep(POLL_S)
        taken["visible_s"].append(time.perf_counter() - sent_at)
        order_ids.append(int(order_id.removeprefix("order_")))

    began, tasks = time.perf_counter(), []
    for number in range(int(seconds * PACED_PER_S)):
        await asyncio.sleep(max(0.0, began + number / PACED_PER_S - time.perf_counter()))
        tasks.append(asyncio.create_task(one(next(requests))))
    await asyncio.gather(*tasks)
    return {**taken, "order_ids": order_ids}


def cpu_seconds(pid: int) -> dict[str, float]:
    """Processor seconds of every kind of process below `pid`, so far."""
    seconds: dict[str, float] = {}
    for process in psutil.Process(pid).children(recursive=True):
        try:
            kind, times = kind_of(process), process.cpu_times()
        except psutil.Error:
            continue
        seconds[kind] = seconds.get(kind, 0.0) + times.user + times.system
    return seconds


def kind_of(process: psutil.Process) -> str:
    """What a process of a deployment is for, in a word."""
    line = " ".join(process.cmdline())
    for word, kind in KINDS:
        if word in line:
            return kind
    return "other"


def cpu_per_order(
    before: dict[str, float], after: dict[str, float], tally: Tally
) -> dict[str, float]:
    """Microseconds of processor time an order, by kind of process."""
    count = sum(tally.statuses.values())
    spent = {kind: 1e6 * (after[kind] - before.get(kind, 0.0)) / count for kind in after}
    return {"generator": 1e6 * tally.cpu_s / count, **spent}


def show(console: Console, result: dict[str, Any], seed: int) -> None:
    """The figures as a table."""
    nothing, accepted, sustained = result["nothing"], result["accepted"], result["sustained"]
    end_to_end = sum(sustained.statuses.values()) / (sustained.wall_s + result["backlog_s"])
    cpu = dict(sorted(result["cpu_us"].items(), key=lambda item: -item[1]))
    visible, answered = result["paced"]["visible_s"], result["paced"]["accepted_s"]
    table = Table(title=f"orders, {CONNECTIONS} connections, {ACCOUNTS} accounts, seed {seed}")
    for heading in ("part", "figure", "aim"):
        table.add_column(heading)
    base = nothing.per_second
    rows = [
        ("a  route that does nothing", f"{base:,.0f}/s", ""),
        ("b  accepted, 202", rate(accepted.per_second, base), "0.6 a"),
        ("c  accepted and visible", rate(end_to_end, base), "0.4 a"),
        ("   backlog gone after", f"{result['backlog_s']:.2f} s", "2 s"),
        (f"d  send to visible, {PACED_PER_S}/s, p50", ms(percentile(visible, 50)), "40 ms"),
        ("   p99", ms(percentile(visible, 99)), "200 ms"),
        ("   send to 202, p50", ms(percentile(answered, 50)), ""),
        *((f"   {hop}, p50", f"{value:.1f} ms", "") for hop, value in result["hops_ms"].items()),
        ("generator's share of a core, a b c", busy(nothing, accepted, sustained), "below 100 %"),
        *((f"   {kind}, CPU an order in c", f"{us:.0f} µs", "") for kind, us in cpu.items()),
        ("answers", str({**accepted.statuses}), "all 202"),
    ]
    for row in rows:
        table.add_row(*row)
    console.print(table)


def rate(per_second: float, base: float) -> str:
    return f"{per_second:,.0f}/s = {per_second / base:.2f} a"


def ms(seconds: float) -> str:
    return f"{seconds * 1e3:.1f} ms"


def busy(*tallies: Tally) -> str:
    return ", ".join(f"{100 * tally.generator_busy:.0f} %" for tally in tallies)


def percentile(values: list[float], percent: int) -> float:
    """By the inclusive method of the statistics module."""
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]
