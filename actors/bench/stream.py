"""`sandpit bench stream`: how soon clients hear of what is committed, and what that costs."""

import asyncio
import json
import random
import signal
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import uvloop
from rich.console import Console
from rich.table import Table
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_socket

from actors.bench.http_load import Connection, connect
from actors.bench.orders import (
    CONNECTIONS,
    Deployment,
    cpu_seconds,
    drained,
    ms,
    open_accounts,
    order_requests,
    percentile,
    start,
)
from storage.reading.latency import frame_times

PACED_PER_S = 100
SETTLE_S = 2.0
CHANNELS = ("orders", "fills", "positions", "balances")


class Heard(NamedTuple):
    """When a client was told the seq-th frame of an account, microseconds since 1970."""

    account: str
    seq: int
    at_us: int


class Result(NamedTuple):
    """Latencies from where a frame is written to where it is heard, in seconds."""

    latencies_s: list[float]
    orders: int
    cpu_s: float
    idle_cpu_s: float


def bench_stream(clients: int, seconds: float, seed: int) -> int:
    """Run it and print it; the exit code."""
    console = Console()
    with tempfile.TemporaryDirectory(prefix="sandpit-bench-") as directory:
        deployment = start(Path(directory))
        try:
            work = measure(deployment, clients, seconds, random.Random(seed))
            result = uvloop.run(work)
        finally:
            deployment.process.send_signal(signal.SIGINT)
            deployment.process.wait(30)
    show(console, result, clients, seconds, seed)
    return 0


async def measure(
    deployment: Deployment, clients: int, seconds: float, dice: random.Random
) -> Result:
    """The same paced orders twice, first with nobody who listens: the difference is theirs."""
    connections = await connect("127.0.0.1", deployment.port, CONNECTIONS)
    tokens = (await open_accounts(connections))[:clients]
    alone = await paced(deployment, connections, tokens, seconds, dice)
    heard: list[Heard] = []
    url = f"ws://127.0.0.1:{deployment.port}/ws"
    sockets = [
        await open_socket(url, additional_headers={"Authorization": f"Bearer {token}"})
        for token in tokens
    ]
    listeners = [asyncio.create_task(listen(one, heard)) for one in sockets]
    await asyncio.sleep(SETTLE_S)
    listened = await paced(deployment, connections, tokens, seconds, dice)
    await asyncio.sleep(SETTLE_S)
    for listener in listeners:
        listener.cancel()
    written = frame_times(deployment.database_url)
    latencies = [(one.at_us - written[one.account, one.seq]) / 1e6 for one in heard]
    orders = int(seconds * PACED_PER_S)
    return Result(latencies, orders, listened, alone)


async def paced(
    deployment: Deployment,
    connections: Sequence[Connection],
    tokens: list[str],
    seconds: float,
    dice: random.Random,
) -> float:
    """Place orders at a steady rate; what the API's process has worked meanwhile, in seconds."""
    requests = order_requests("/orders", tokens, dice)
    before = cpu_seconds(deployment.process.pid)
    began = time.monotonic()
    for number in range(int(seconds * PACED_PER_S)):
        await asyncio.sleep(max(0.0, began + number / PACED_PER_S - time.monotonic()))
        await connections[number % len(connections)].ask(next(requests))
    await drained(deployment.database_url)
    return cpu_seconds(deployment.process.pid)["API"] - before["API"]


async def listen(socket: ClientConnection, heard: list[Heard]) -> None:
    """Note when what is told of an account arrives."""
    for channel in CHANNELS:
        await socket.send(json.dumps({"op": "subscribe", "channel": channel}))
    async for text in socket:
        at_us = time.time_ns() // 1_000
        told = json.loads(text)
        if told["type"] == "update":
            heard.append(Heard(told["account"].partition("_")[2], told["sequence"], at_us))


def show(console: Console, result: Result, clients: int, seconds: float, seed: int) -> None:
    """A table of what was measured."""
    table = Table(
        title=f"{clients} clients, {PACED_PER_S} orders/s for {seconds:.0f} s, seed {seed}"
    )
    table.add_column("what")
    table.add_column("figure", justify="right")
    count = len(result.latencies_s)
    table.add_row("messages", str(count))
    table.add_row("written → heard, p50", ms(percentile(result.latencies_s, 50)))
    table.add_row("written → heard, p99", ms(percentile(result.latencies_s, 99)))
    cpu_us = (result.cpu_s - result.idle_cpu_s) / max(1, count) * 1e6
    table.add_row("API's CPU, a message", f"{cpu_us:.0f} µs")
    console.print(table)
