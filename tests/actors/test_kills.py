"""Each part of a running deployment is killed under load; nothing accepted is lost or doubled."""

import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.auditor import audit
from tests.deployment import Deployment, Load
from tests.small_disk import filled, small_disk
from tests.stream_follower import StreamFollower
from tests.waiting import eventually

pytestmark = pytest.mark.ray
CLIENTS = 4
RECOVERY_S_MAX = 20.0
ORDERS_MORE = 60
FULL_S_MAX = 60.0
FULL_UNTIL_REFUSED = 40
RAY_S_MAX = 120.0
AUDIT_S_MAX = 20.0
UNPROJECTED = """
SELECT count(*) FROM commands c JOIN projections p USING (market_id)
WHERE c.command_seq IS NULL OR c.command_seq > p.command_seq"""


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path | None]:
    """A disk that can be filled; None where there is only one that others use, too."""
    path = tmp_path_factory.mktemp("kills") / "disk"
    with small_disk(path) as is_mounted:
        yield path if is_mounted else None


@pytest.fixture(scope="module")
def deployment(disk: Path | None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    directory = (disk or tmp_path_factory.mktemp("kills")) / "data"
    started = Deployment(directory, "--world", "quiet")
    yield started
    assert started.stop() == 0


def kill(deployment: Deployment, kind: str, count: int = 1) -> None:
    """Some may be gone before their turn: the end of one ends others, and sessions come and go."""
    killed = 0
    for process in deployment.processes(kind)[:count]:
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
            killed += 1
    assert killed, f"no process of kind {kind}"


def test_a_second_start_goes_on_where_the_first_was(deployment: Deployment) -> None:
    token = deployment.trader("1000")
    body = {
        "marketId": "ETH-PERP",
        "side": "BUY",
        "type": "LIMIT",
        "quantity": "1",
        "price": "3000",
    }
    order_id = deployment.ask("POST", "/orders", body, token)[1]["orderId"]

    def status() -> str:
        return str(deployment.ask("GET", f"/orders/{order_id}", token=token)[1]["status"])

    eventually(lambda: status() == "OPEN")
    deployment.kill()
    deployment.start()
    book = deployment.ask("GET", "/markets/ETH-PERP/orderbook")[1]
    assert book["bids"][0]["price"] == "3000"
    assert deployment.ask("DELETE", f"/orders/{order_id}", token=token)[0] == 202
    eventually(lambda: status() == "CANCELLED")
    with deployment.database() as database:
        audit(database)


@pytest.mark.parametrize(
    ("kind", "count"),
    [
        ("markets", 2),
        ("relay", 1),
        ("recorder", 1),
        ("Valkey", 2),
        ("API", 1),
        ("supervisor", 1),
    ],
)
def test_a_kill_under_load_loses_and_doubles_nothing(
    deployment: Deployment, kind: str, count: int
) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    load = Load(deployment, CLIENTS, seed)
    follower = StreamFollower(deployment, "ETH-PERP", load.tokens[0])
    eventually(lambda: len(load.acknowledged) > ORDERS_MORE)
    kill(deployment, kind, count)
    killed_at = time.monotonic()
    wait_for_life(deployment, load)
    print(f"{kind}: orders are matched again after {time.monotonic() - killed_at:.1f} s")
    load.stop()
    check(deployment, load)
    eventually(follower.caught_up, RECOVERY_S_MAX)
    follower.stop()
    print(
        f"{follower.matched} books alike, {len(follower.fills)} fills,"
        f" {follower.connections} connections, {follower.resyncs} times read anew"
    )
    assert follower.matched


def wait_for_life(deployment: Deployment, load: Load, seconds_max: float = RECOVERY_S_MAX) -> None:
    """Until orders that were accepted after now are matched and shown."""
    before = len(load.acknowledged)
    eventually(lambda: len(load.acknowledged) > before + ORDERS_MORE, seconds_max)
    names = list(load.acknowledged)[before + ORDERS_MORE - 5 : before + ORDERS_MORE]
    ids = [int(load.acknowledged[name].removeprefix("order_")) for name in names]
    with deployment.database() as database:
        eventually(lambda: pending(database, ids) == 0, seconds_max)


def pending(database: psycopg.Connection[Any], ids: list[int]) -> int:
    row = database.execute(
        "SELECT count(*) FROM orders WHERE id = ANY(%s) AND status = 1", (ids,)
    ).fetchone()
    assert row is not None
    return int(row[0])


def check(deployment: Deployment, load: Load) -> None:
    """Every answer is an order of its own, and all of it adds up."""
    assert load.wrong == []
    with deployment.database() as database:
        eventually(lambda: database.execute(UNPROJECTED).fetchone() == (0,), RECOVERY_S_MAX)
        stored = {
            f"order_{row[0]}": row[1]
            for row in database.execute("SELECT id, client_order_id FROM orders")
        }
        for name, order_id in load.acknowledged.items():
            assert stored.get(order_id) == name
        assert len(set(load.acknowledged.values())) == len(load.acknowledged)
        audit(database)
        began_us = time.time_ns() // 1_000
        eventually(lambda: last_audit_us(database) > began_us, AUDIT_S_MAX)
    eventually(lambda: "gaps" not in deployment.ask("GET", "/health")[1], AUDIT_S_MAX)


def last_audit_us(database: psycopg.Connection[Any]) -> int:
    row = database.execute("SELECT coalesce(max(at_us), 0) FROM audit_readings").fetchone()
    assert row is not None
    return int(row[0])


def test_a_full_disk_costs_time_only(deployment: Deployment, disk: Path | None) -> None:
    if disk is None:
        pytest.skip("this user may not mount a disk that can be filled")
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    load = Load(deployment, CLIENTS, seed)
    eventually(lambda: len(load.acknowledged) > ORDERS_MORE)
    with filled(disk):
        eventually(lambda: load.unavailable > FULL_UNTIL_REFUSED, FULL_S_MAX)
    freed_at = time.monotonic()
    wait_for_life(deployment, load)
    print(f"orders are matched again after {time.monotonic() - freed_at:.1f} s")
    load.stop()
    check(deployment, load)


def test_ray_that_dies_is_started_again_with_its_actors(deployment: Deployment) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    kind = random.Random(seed).choice(("gcs_server", "raylet"))
    load = Load(deployment, CLIENTS, seed)
    eventually(lambda: len(load.acknowledged) > ORDERS_MORE)
    (before,) = deployment.children(kind)
    before.kill()
    killed_at = time.monotonic()
    eventually(lambda: deployment.children(kind) not in ([], [before]), RAY_S_MAX)
    eventually(lambda: deployment.processes("markets"), RAY_S_MAX)
    wait_for_life(deployment, load, RAY_S_MAX)
    print(f"{kind}: orders are matched again after {time.monotonic() - killed_at:.1f} s")
    load.stop()
    check(deployment, load)


def test_without_postgresql_nothing_is_promised(deployment: Deployment) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    load = Load(deployment, CLIENTS, seed)
    eventually(lambda: len(load.acknowledged) > ORDERS_MORE)
    kill(deployment, "PostgreSQL", count=100)
    wait_for_life(deployment, load)
    load.stop()
    check(deployment, load)
