"""Where compiled kernels are kept, and that they run where nothing can be."""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest
from numba import config

from sim.rows import compiling
from tests.another_user import AS_ROOT, printed_by_nobody

SOURCE = """
from sim.rows import kernels
from sim import units

def add(first, second):
    return first + second

add = kernels.cached_kernel(units)(add)
"""
PREPARES = "from sim.book import matching; matching.run.dispatcher; print('prepared')"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "a_kernel.py"
    path.write_text(SOURCE)
    return path


def loaded(source: Path) -> ModuleType:
    spec = spec_from_file_location(source.stem, source)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def kept_in(directory: Path) -> list[str]:
    return sorted(path.suffix for path in directory.glob("kernels_*/**/*") if path.is_file())


def test_kernels_are_kept_where_the_user_says(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path / "said"))
    assert loaded(source).add(1, 2) == 3
    assert kept_in(tmp_path / "said") == [".nbc", ".nbi"]
    assert str(tmp_path / "said") == config.CACHE_DIR


def test_the_first_place_that_can_be_written_to_is_taken(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(config, "CACHE_DIR", "")
    monkeypatch.setattr(compiling, "CACHE_HOMES", ("/proc/nowhere", str(tmp_path / "home")))
    assert loaded(source).add(1, 2) == 3
    assert kept_in(tmp_path / "home") == [".nbc", ".nbi"]


def test_where_nothing_can_be_written_kernels_run_all_the_same(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(config, "CACHE_DIR", "")
    monkeypatch.setattr(compiling, "CACHE_HOMES", ("/proc/nowhere",))
    assert loaded(source).add(1, 2) == 3


def test_a_file_that_changes_after_it_was_loaded_spoils_nothing_for_its_next_version(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path / "said"))
    source.write_text(SOURCE.replace("+ second", "+ second * 10"))
    before = loaded(source)
    # longer, or Python takes it for what it has compiled in the same second
    source.write_text(SOURCE.replace("+ second", "+ second * 200"))
    assert before.add(1, 2) == 21
    assert loaded(source).add(1, 2) == 401


@AS_ROOT
def test_a_tree_and_a_home_of_somebody_else_are_enough_to_start() -> None:
    assert printed_by_nobody(PREPARES) == "prepared\n"
