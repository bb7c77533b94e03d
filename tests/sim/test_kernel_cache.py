"""Where compiled kernels are kept, and that they run where nothing can be."""

import os
import pwd
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest
from numba import config

from sim import kernels
from storage.server_programs import is_open_to_all

SOURCE = """
from sim import kernels, units

def add(first, second):
    return first + second

add = kernels.cached_kernel(units)(add)
"""
IMPORTS = "import sim.matching, sim.engine; print('imported')"


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
    monkeypatch.setattr(kernels, "CACHE_HOMES", ("/proc/nowhere", str(tmp_path / "home")))
    assert loaded(source).add(1, 2) == 3
    assert kept_in(tmp_path / "home") == [".nbc", ".nbi"]


def test_where_nothing_can_be_written_kernels_run_all_the_same(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(config, "CACHE_DIR", "")
    monkeypatch.setattr(kernels, "CACHE_HOMES", ("/proc/nowhere",))
    assert loaded(source).add(1, 2) == 3


@pytest.mark.skipif(os.geteuid() != 0, reason="needs a user who may not write to the tree")
def test_a_tree_and_a_home_of_somebody_else_are_enough_to_start() -> None:
    if not all(map(is_open_to_all, (Path(sys.executable), Path(kernels.__file__).parent))):
        pytest.skip("this checkout or its Python is closed to others")
    nobody = pwd.getpwnam("nobody")
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS],
        cwd="/",
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent"},
        user=nobody.pw_uid,
        group=nobody.pw_gid,
        extra_groups=[],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout == "imported\n", done.stderr
