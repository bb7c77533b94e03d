"""Starting takes as long as it takes, says for what it waits, and tells why something fails."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from actors import kernel_cache, patience
from actors.commands.api_processes import environment
from actors.commands.up import forget_addresses
from actors.kernel_cache import VARIABLE, keep_kernels_somewhere
from actors.patience import Patience, Stuck
from actors.processors import cores_to_use
from sim.book.engine import MarketEngine
from sim.market import QUANTITY_LOTS_MAX
from sim.scenario.fields import ScenarioError
from storage.files.world_file import load_world
from storage.process_limits import die_with_parent
from storage.servers import data_directory
from storage.settings import ADDRESSES, Settings
from tests.waiting import eventually

WORLD = """
name = "mine"
seed = 7
[[markets]]
id = "SOL-PERP"
base = "SOL"
quote = "USDC"
tick_size = "0.1"
lot_size = "0.01"
max_quantity = "{most}"
price = {{ process = "constant", price = "50" }}
"""


def answers(*looks: list[str]) -> Iterator[list[str]]:
    yield from looks
    while True:
        yield looks[-1]


def test_it_waits_while_less_and_less_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(patience, "TOLD_EVERY_S", 0.0)
    monkeypatch.setattr(patience, "POLL_S", 0.001)
    looks = answers(["relay", "risk"], ["relay", "risk"], ["relay"], ["relay"], [])
    Patience(said.append, lambda: None).wait(lambda: next(looks))
    assert "still waiting for relay, risk" in said[0]
    assert "still waiting for relay (" in said[-1]


def test_it_gives_up_when_nothing_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "STILL_S_MAX", 0.05)
    monkeypatch.setattr(patience, "MOVED_CPU_S", 1e9)
    with pytest.raises(Stuck, match="relay did not come up, and nothing moves"):
        Patience(print, lambda: None).wait(lambda: ["relay"])


def test_it_gives_up_in_the_end_whatever_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "WAIT_S_MAX", 0.05)
    monkeypatch.setattr(patience, "MOVED_CPU_S", -1.0)
    with pytest.raises(Stuck, match="relay did not come up within"):
        Patience(print, lambda: None).wait(lambda: ["relay"])


@pytest.mark.ray
@pytest.mark.slow
def test_an_actor_that_fails_in_its_constructor_leaves_its_reason(
    ray_session: str, tmp_path: Path
) -> None:
    from actors.cluster.remote import RayCluster, Wanted, refused_to_start

    cluster = RayCluster(str(tmp_path))
    handle = cluster.ensure(Wanted("relay", "relay:wrong", {"nonsense": 1}))
    reason = eventually(lambda: refused_to_start(handle), 120)
    assert reason is not None
    assert reason.startswith("TypeError: ")
    assert "nonsense" in reason
    logged = (tmp_path / "relay-wrong.log").read_text()
    assert "actor_not_started" in logged
    assert "nonsense" in logged


def test_what_a_world_may_have_a_market_may_have(tmp_path: Path) -> None:
    path = tmp_path / "world.toml"
    path.write_text(WORLD.format(most=QUANTITY_LOTS_MAX // 100))
    [listed] = load_world(str(path)).markets
    MarketEngine(listed.spec)
    path.write_text(WORLD.format(most=QUANTITY_LOTS_MAX // 100 + 1))
    with pytest.raises(ScenarioError, match="max_quantity"):
        load_world(str(path))


def test_kernels_are_kept_in_a_private_directory_where_no_usual_one_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_directory, "TEMPORARY", tmp_path / "room")
    monkeypatch.setenv(VARIABLE, "/said")
    keep_kernels_somewhere()
    monkeypatch.delenv(VARIABLE)
    closed, room = tmp_path / "closed", tmp_path / "room"
    closed.touch()
    room.mkdir()
    places = (closed / "nowhere", tmp_path / "usual")
    monkeypatch.setattr(kernel_cache, "usual_places", lambda: places)
    keep_kernels_somewhere()
    assert VARIABLE not in os.environ
    monkeypatch.setattr(kernel_cache, "usual_places", lambda: places[:1])
    monkeypatch.setenv(VARIABLE, "")
    keep_kernels_somewhere()
    [made] = room.iterdir()
    assert os.environ[VARIABLE] == str(made)
    assert made.stat().st_mode & 0o777 == 0o700


def test_no_process_inherits_the_address_of_another(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ADDRESSES:
        monkeypatch.setenv(name, "postgresql://owner:canary@h/d")
    settings = Settings.load(
        database_url="postgresql://api:own@h/d",
        redis_url="redis://streams:canary@h",
        limits_redis_url="redis://limits:own@h",
    )
    told = environment(settings)
    assert told["DATABASE_URL"] == "postgresql://api:own@h/d"
    assert not any("canary" in value for value in told.values())
    forget_addresses()
    assert not set(ADDRESSES) & set(os.environ)


def test_a_system_without_affinity_or_death_signals_is_done_justice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr("os.sched_getaffinity", raising=False)
    assert cores_to_use() >= 1
    monkeypatch.setattr("sys.platform", "darwin")
    monkeypatch.setattr("ctypes.CDLL", lambda _: None)
    die_with_parent()
