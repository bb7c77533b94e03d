"""The doctor's sentences, and that it leaves nothing behind."""

import socket
from pathlib import Path

import pytest

from actors import doctor as rules
from actors.doctor import Finding, doctor, run_doctor
from storage.settings import Settings


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
