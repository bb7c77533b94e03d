"""The servers from the wheels, for real: started, killed, orphaned, side by side."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from storage.servers.embedded import EmbeddedPostgres, EmbeddedValkey
from storage.settings import ConfigurationError
from tests.waiting import eventually, within

pytestmark = pytest.mark.slow
STOP_S_MAX = 10
ROOT = Path(__file__).parents[2]
OWNER = """
    import sys, time
    from pathlib import Path
    from storage.servers.embedded import EmbeddedPostgres, EmbeddedValkey
    postgres, valkey = EmbeddedPostgres(Path(sys.argv[1])), EmbeddedValkey(Path(sys.argv[1]))
    postgres.start(), valkey.start()
    print("started", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def private_dir(servers_dir: Path) -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="sandpit-test-", dir=servers_dir))
    yield path
    shutil.rmtree(path)


@pytest.fixture
def server(private_dir: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(private_dir / "data")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def cache(private_dir: Path) -> Iterator[EmbeddedValkey]:
    cache = EmbeddedValkey(private_dir / "cache")
    cache.start()
    yield cache
    cache.stop()


def write(url: str, value: int) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (value bigint)")
        connection.execute("INSERT INTO kept VALUES (%s)", [value])


def read(url: str) -> list[int]:
    with psycopg.connect(url) as connection:
        return [row[0] for row in connection.execute("SELECT value FROM kept ORDER BY value")]


def postmaster_of(data_dir: Path) -> int:
    return int((data_dir / "postgres" / "postmaster.pid").read_text().split()[0])


def processes_in(data_dir: Path) -> list[int]:
    homes = {str(data_dir / "postgres"), str(data_dir / "valkey")}
    return [one.pid for one in psutil.process_iter(["cwd"]) if one.info["cwd"] in homes]


@pytest.fixture
def owner(private_dir: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that owns servers in the private directory."""
    program = [sys.executable, "-c", textwrap.dedent(OWNER), str(private_dir)]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True, cwd=ROOT) as owner:
        assert owner.stdout is not None
        assert within(owner.stdout.readline) == "started\n"
        yield owner
        owner.kill()
    eventually(lambda: not processes_in(private_dir), STOP_S_MAX)


def test_a_second_start_goes_on_where_the_first_was(server: EmbeddedPostgres) -> None:
    write(server.url, 1)
    first_url = server.url
    assert server.restart() == first_url
    write(server.url, 2)
    assert read(server.url) == [1, 2]


def test_what_was_committed_survives_a_killed_database(
    server: EmbeddedPostgres, private_dir: Path
) -> None:
    write(server.url, 1)
    os.kill(postmaster_of(private_dir / "data"), signal.SIGKILL)
    eventually(lambda: not server.is_alive())
    server.restart()
    assert read(server.url) == [1]


def test_a_lock_file_that_names_somebody_elses_process_does_not_stand_in_the_way(
    server: EmbeddedPostgres, private_dir: Path
) -> None:
    home = private_dir / "data" / "postgres"
    lines = (home / "postmaster.pid").read_text().splitlines()
    server.stop()
    (home / "postmaster.pid").write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    server.start()
    assert server.is_alive()


def test_stopping_is_bounded_with_a_transaction_open(server: EmbeddedPostgres) -> None:
    connection = psycopg.connect(server.url)
    connection.execute("SELECT 1")
    within(server.stop, STOP_S_MAX)
    assert not server.is_alive()
    connection.close()


def test_nothing_survives_an_owner_that_is_killed(
    owner: subprocess.Popen[str], private_dir: Path
) -> None:
    assert len(processes_in(private_dir)) >= 2
    owner.kill()
    eventually(lambda: not processes_in(private_dir), STOP_S_MAX)


def test_the_next_owner_starts_at_once_after_one_was_killed(
    owner: subprocess.Popen[str], private_dir: Path
) -> None:
    owner.kill()
    successor = EmbeddedPostgres(private_dir)
    try:
        write(successor.start(), 1)
    finally:
        successor.stop()


def test_a_server_does_not_outlive_its_launcher(
    server: EmbeddedPostgres, private_dir: Path
) -> None:
    write(server.url, 1)
    os.kill(psutil.Process(postmaster_of(private_dir / "data")).ppid(), signal.SIGKILL)
    eventually(lambda: not processes_in(private_dir / "data"), STOP_S_MAX)
    assert not server.is_alive()
    server.restart()
    assert read(server.url) == [1]


def test_an_interrupt_at_the_terminal_does_not_reach_the_servers(
    owner: subprocess.Popen[str], private_dir: Path
) -> None:
    groups = {os.getpgid(pid) for pid in processes_in(private_dir)}
    assert groups
    assert os.getpgid(owner.pid) not in groups


def test_two_owners_of_one_directory_are_one_too_many(
    server: EmbeddedPostgres, private_dir: Path
) -> None:
    with pytest.raises(ConfigurationError, match="Another sandpit runs PostgreSQL"):
        EmbeddedPostgres(private_dir / "data").start()
    assert server.is_alive()


def test_two_instances_run_side_by_side(server: EmbeddedPostgres, private_dir: Path) -> None:
    other = EmbeddedPostgres(private_dir / "other")
    try:
        write(other.start(), 2)
        write(server.url, 1)
        assert (read(server.url), read(other.url)) == ([1], [2])
    finally:
        other.stop()


def test_private_parents_stay_private(server: EmbeddedPostgres, private_dir: Path) -> None:
    write(server.url, 1)
    assert private_dir.stat().st_mode & 0o777 == 0o700
    assert (private_dir / "data").stat().st_mode & 0o777 == 0o700


def test_a_login_without_the_password_fails(server: EmbeddedPostgres) -> None:
    password = server.url.split(":")[2].split("@")[0]
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(server.url.replace(password, "wrong"))


def test_the_database_cannot_be_asked_to_forget(server: EmbeddedPostgres) -> None:
    with psycopg.connect(server.url) as connection:
        for option in ("fsync", "synchronous_commit", "full_page_writes"):
            row = connection.execute(f"SHOW {option}").fetchone()
            assert row == ("on",)


def test_a_database_of_another_version_is_refused_in_one_sentence(private_dir: Path) -> None:
    (private_dir / "postgres").mkdir()
    (private_dir / "postgres" / "PG_VERSION").write_text("17\n")
    (private_dir / "version").write_text("1")
    with pytest.raises(ConfigurationError, match=r"PostgreSQL 17 .* brings 18"):
        EmbeddedPostgres(private_dir).start()
    assert not processes_in(private_dir)


def test_a_data_directory_of_another_layout_is_refused(private_dir: Path) -> None:
    (private_dir / "version").write_text("999")
    with pytest.raises(ConfigurationError, match="layout 999"):
        EmbeddedPostgres(private_dir).start()


def test_an_interrupted_first_start_is_begun_anew(private_dir: Path) -> None:
    (private_dir / "postgres.new" / "base").mkdir(parents=True)
    (private_dir / "version").write_text("1")
    server = EmbeddedPostgres(private_dir)
    try:
        write(server.start(), 1)
    finally:
        server.stop()


def test_a_long_path_does_not_break_the_sockets(private_dir: Path) -> None:
    server = EmbeddedValkey(private_dir / ("deep" * 20) / ("deeper" * 10))
    try:
        assert redis.Redis.from_url(server.start()).ping()
    finally:
        server.stop()


def test_valkey_comes_back_empty_at_the_same_address(cache: EmbeddedValkey) -> None:
    client = redis.Redis.from_url(cache.url)
    client.xadd("engine.commands.BTC-PERP", {"row": b"1"})
    url = cache.url
    assert cache.restart() == url
    assert client.xlen("engine.commands.BTC-PERP") == 0


def test_valkey_keeps_strangers_out(cache: EmbeddedValkey) -> None:
    socket = cache.url.split("@")[1].split("?")[0]
    with pytest.raises(redis.AuthenticationError, match="required"):
        redis.Redis(unix_socket_path=socket, protocol=2).ping()


FORBIDDEN = ("FLUSHALL", "CONFIG GET *", "KEYS *", "EVAL x 0", "SCRIPT LOAD x", "ACL LIST")
NOT_THEIRS = {
    "url": ("SET elsewhere 1", "GET sandpit.limits:x", "CLIENT LIST", "FCALL x 0", "INFO"),
    "limits_url": ("SET elsewhere 1", "XLEN engine.commands.x", "EVALSHA x 0", "SCAN 0", "INFO"),
}


@pytest.mark.parametrize("user", NOT_THEIRS)
def test_a_user_has_the_commands_and_the_keys_it_needs_and_no_others(
    cache: EmbeddedValkey, user: str
) -> None:
    with redis.Redis.from_url(getattr(cache, user)) as client:
        for command in (*FORBIDDEN, *NOT_THEIRS[user]):
            with pytest.raises(redis.ResponseError, match=r"(?i)permission"):
                client.execute_command(*command.split())
