"""The doctor's sentences, and that it leaves nothing behind."""

import socket
from pathlib import Path
from typing import Any

import pytest

from actors.commands import doctor as rules
from actors.commands.doctor import doctor, run_doctor
from actors.commands.finding import Finding
from storage.servers.data_directory import Hold, prepare
from storage.settings import Settings

SECRET = "canary"


def settings(tmp_path: Path, port: int = 0) -> Settings:
    return Settings.load(data_dir=tmp_path / "data", port=port)


def found(findings: list[Finding], subject: str) -> Finding:
    return next(finding for finding in findings if finding.subject == subject)


def test_a_machine_that_runs_the_tests_can_run_sandpit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_doctor(settings(tmp_path)) == 0
    assert "sandpit can run here." in capsys.readouterr().out
    assert not (tmp_path / "data").exists()


def test_a_port_in_use_is_a_problem(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        finding = found(doctor(settings(tmp_path, port=port)), "port")
    assert finding.level == "problem"
    assert f"127.0.0.1:{port}" in finding.sentence
    assert "--port" in finding.sentence


def test_too_little_shared_memory_is_a_warning_with_two_ways_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "SHARED_MEMORY", Path("/proc"))
    finding = found(doctor(settings(tmp_path)), "shared memory")
    assert finding.level == "warning"
    assert "--shm-size" in finding.sentence
    assert "SANDPIT_OBJECT_STORE_MB" in finding.sentence


def test_a_data_directory_of_another_layout_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "version").write_text("999")
    finding = found(doctor(settings(tmp_path)), "data directory")
    assert (finding.level, "999" in finding.sentence) == ("problem", True)


def test_a_missing_package_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "IMPORTED", ("ray", "not_a_package"))
    finding = found(doctor(settings(tmp_path)), "packages")
    assert finding == Finding("problem", "packages", "not_a_package missing: run make setup.")


def test_a_problem_makes_the_exit_code_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "MEMORY_NEEDED_GB", 1_000_000)
    assert run_doctor(settings(tmp_path)) == 1


def test_where_memory_is_not_shared_by_a_directory_none_is_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    monkeypatch.setattr(rules, "SHARED_MEMORY", Path("/nosuch"))
    monkeypatch.delattr("os.sched_getaffinity", raising=False)
    found_here = doctor(settings(tmp_path))
    assert "shared memory" not in {finding.subject for finding in found_here}
    assert found(found_here, "processor").level in ("good", "warning")


@pytest.mark.parametrize(
    ("given", "subject", "sentence"),
    [
        ({"world": "nosuch"}, "world", "not one of the worlds"),
        ({"replay": Path("nosuch.csv")}, "world", "cannot be read"),
        ({"database_url": f"postgresql://u:{SECRET}@127.0.0.1:1/x"}, "PostgreSQL", "refused"),
        ({"database_url": SECRET}, "PostgreSQL", "does not read like postgresql://"),
        ({"redis_url": f"redis://:{SECRET}@127.0.0.1:1/0"}, "Valkey", "refused"),
        ({"redis_url": f"http://{SECRET}"}, "Valkey", "does not read like redis://"),
        ({"ray_address": "127.0.0.1:1"}, "Ray", "Nothing answers at RAY_ADDRESS=127.0.0.1:1"),
        ({"data_dir": Path(__file__)}, "data directory", "is not a directory"),
        ({"data_dir": Path(__file__).parent}, "data directory", "holds other files"),
    ],
)
def test_what_up_would_refuse_is_a_problem_before(
    tmp_path: Path, given: dict[str, Any], subject: str, sentence: str
) -> None:
    wish = Settings.load(**{"data_dir": tmp_path / "data", "port": 0, **given})
    finding = found(doctor(wish), subject)
    assert finding.level == "problem"
    assert sentence in finding.sentence
    assert SECRET not in finding.sentence
    assert run_doctor(wish) == 1


def test_a_data_directory_in_use_is_a_problem_until_it_is_free(tmp_path: Path) -> None:
    hold = Hold(prepare(tmp_path / "data") / "up.lock")
    hold.take()
    finding = found(doctor(settings(tmp_path)), "data directory")
    assert (finding.level, "Another sandpit runs in" in finding.sentence) == ("problem", True)
    hold.release()
    assert found(doctor(settings(tmp_path)), "data directory").level == "good"


def test_a_data_directory_of_another_postgresql_is_a_problem(tmp_path: Path) -> None:
    home = prepare(tmp_path / "data") / "postgres"
    home.mkdir()
    (home / "PG_VERSION").write_text("17\n")
    finding = found(doctor(settings(tmp_path)), "data directory")
    assert (finding.level, "PostgreSQL 17" in finding.sentence) == ("problem", True)


def test_given_servers_that_answer_are_good_and_one_user_for_all_is_a_warning(
    database_url: str, redis_url: str, tmp_path: Path
) -> None:
    wish = Settings.load(
        data_dir=tmp_path / "data", port=0, database_url=database_url, redis_url=redis_url
    )
    findings = doctor(wish)
    assert found(findings, "Valkey").level == "good"
    database = found(findings, "PostgreSQL")
    assert (database.level, "sandpit db grants" in database.sentence) == ("warning", True)
    assert run_doctor(wish) == 0
