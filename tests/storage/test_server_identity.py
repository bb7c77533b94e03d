"""Who the embedded servers run as: never root, without capabilities, wherever they are kept."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import psutil
import psycopg
import pytest

from storage.servers import launcher, server_identity, server_programs
from storage.servers.embedded import EmbeddedPostgres, EmbeddedValkey
from storage.servers.server_identity import Identity, launch
from storage.servers.server_identity import server_identity as identity_of
from storage.servers.server_programs import ServerProgram
from storage.settings import ConfigurationError
from tests.another_user import AS_ROOT, NOBODY, printed_by_nobody
from tests.waiting import PROGRAM_S_MAX

pytestmark = pytest.mark.slow
NO_DISK = {"fsync": "off"}
BOTH = """
    import sys
    from pathlib import Path
    import psycopg
    from storage.servers.embedded import EmbeddedPostgres, EmbeddedValkey
    postgres, valkey = EmbeddedPostgres(Path(sys.argv[1])), EmbeddedValkey(Path(sys.argv[1]))
    try:
        valkey.start()
        psycopg.connect(postgres.start()).close()
        print("both")
    finally:
        postgres.stop()
        valkey.stop()
"""


@pytest.fixture
def private_dir(servers_dir: Path) -> Iterator[Path]:
    """Closed to everybody else, as the home of root is."""
    path = Path(tempfile.mkdtemp(prefix="sandpit-test-", dir=servers_dir))
    yield path
    shutil.rmtree(path)


def standing_in(home: Path) -> list[psutil.Process]:
    return [one for one in psutil.process_iter(["cwd"]) if one.info["cwd"] == str(home)]


@AS_ROOT
def test_servers_that_root_starts_are_another_users_without_a_capability(
    private_dir: Path,
) -> None:
    data_dir = private_dir / "data"
    postgres, valkey = EmbeddedPostgres(data_dir, NO_DISK), EmbeddedValkey(data_dir)
    try:
        postgres.start(), valkey.start()
        for name in ("postgres", "valkey"):
            processes = standing_in(data_dir / name)
            assert processes
            for process in processes:
                lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
                said = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
                assert "0" not in said["Uid"].split() + said["Gid"].split()
                assert said["Groups"].strip() == ""
                assert said["NoNewPrivs"] == "1"
                for kind in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
                    assert int(said[kind], 16) == 0, (name, kind)
        for path in (private_dir, data_dir):
            assert path.stat().st_mode & 0o777 == 0o700
        for path in data_dir.iterdir():
            foreign = path.stat().st_uid != 0
            assert foreign == (path.name in ("postgres", "valkey")), path
    finally:
        postgres.stop()
        valkey.stop()


@AS_ROOT
def test_a_directory_whose_servers_ran_as_root_changes_hands_with_its_rows(
    private_dir: Path,
) -> None:
    server = EmbeddedPostgres(private_dir, NO_DISK)
    try:
        with psycopg.connect(server.start(), autocommit=True) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS value")
        server.stop()
        subprocess.run(["chown", "-R", "0:0", str(private_dir)], check=True, timeout=PROGRAM_S_MAX)
        with psycopg.connect(server.start()) as connection:
            assert connection.execute("SELECT value FROM kept").fetchone() == (7,)
    finally:
        server.stop()


@AS_ROOT
def test_an_ordinary_user_runs_them_as_itself(private_dir: Path) -> None:
    shutil.chown(private_dir, NOBODY)
    assert printed_by_nobody(BOTH, str(private_dir / "data")) == "both\n"


@AS_ROOT
def test_programs_in_a_private_directory_are_copied_to_where_their_user_reaches_them(
    private_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelter = Path(tempfile.mkdtemp(prefix="sandpit-test-"))
    shelter.chmod(0o755)
    monkeypatch.setattr(server_programs, "SHELTER", shelter)
    try:
        tree = private_dir / "wheel"
        (tree / "bin").mkdir(parents=True, mode=0o700)
        shutil.copy("/bin/true", tree / "bin" / "server")
        (tree / "bin" / "server").chmod(0o700)
        program = ServerProgram(private_dir, ("wheel", "absent"), "wheel/bin/server")
        identity = identity_of()
        found = program.within_reach(identity)
        assert found.is_relative_to(shelter)
        assert program.within_reach(identity) == found
        with launch([str(found)], identity) as started:
            assert started.wait(60) == 0
        assert len(list(shelter.iterdir())) == 1
    finally:
        shutil.rmtree(shelter)


@pytest.mark.parametrize(
    ("user", "known", "sentence"),
    [
        (None, (), "there is no user nobody: add one"),
        ("nosuch", ("nobody",), "there is no user nosuch on this machine"),
        ("root", ("nobody",), "root is root; name another user"),
    ],
)
def test_without_a_user_to_become_root_is_refused_in_one_sentence(
    user: str | None, known: tuple[str, ...], sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(server_identity, "SYSTEM_USERS", known)
    with pytest.raises(ConfigurationError, match=sentence):
        identity_of(user)


def test_where_the_system_has_no_death_signal_and_no_proc_the_launcher_does_without(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    launcher.die_with_launcher(SimpleNamespace(), 15)
    assert Identity("drop", 1, 1).own_name_of(tmp_path) == str(tmp_path)
