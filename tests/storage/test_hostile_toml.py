"""TOML that is too much to be read is refused in one sentence, whichever file it stands in."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

import pytest

from sim.scenario.fields import ScenarioError
from storage.files.scenario_file import SHIPPED_DIRECTORY, load_scenario, scenario_prices
from storage.files.world_file import load_world
from storage.runs.stored_backtest import read_backtest
from storage.runs.stored_scenario import read_scenario
from storage.servers.data_directory import prepare
from storage.settings import ConfigurationError, Settings

SECONDS_MAX = 20
TOO_LONG = "a number is too long or a table too deep"
DOTS = "found more than 64 dots in line 2, allowed is less"
TEXTS = {
    "a deep array": ("a = " + "[" * 5_000 + "]" * 5_000, TOO_LONG),
    "a deep table": ("a = " + "{a = " * 1_000 + "1" + "}" * 1_000, TOO_LONG),
    "a long number": ("duration_s = 1" + "0" * 5_000, TOO_LONG),
    "a long number that is shown": ('name = "x"\nport = -1\nseed = 0x' + "f" * 5_000, None),
    "a dotted key": ("\n" + "a." * 20_000 + "a = 1", DOTS),
    "a dotted header": ("\n[" + "a." * 20_000 + "a]", DOTS),
    "a name of brackets": ('"' + "[" * 300_000 + '" = 1', None),
    "lines of half a megabyte": ("a = '''" + '"""' * 160_000 + "\n" * 300 + "'''", None),
}


def settings_of(path: Path) -> object:
    return Settings.load()


READERS: dict[str, Callable[[Path], object]] = {
    "a scenario": lambda path: load_scenario(str(path)),
    "a world": lambda path: load_world(str(path)),
    "a scenario by REST": lambda path: read_scenario(path.read_text()),
    "a backtest by REST": lambda path: read_backtest(path.read_text()),
    "settings": settings_of,
}


def too_long(_number: int, _frame: FrameType | None) -> None:
    pytest.fail("it takes too long to be refused")


@pytest.fixture(autouse=True)
def is_bounded() -> Iterator[None]:
    before = signal.signal(signal.SIGALRM, too_long)
    signal.alarm(SECONDS_MAX)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("what", READERS)
@pytest.mark.parametrize("text", TEXTS)
def test_what_is_too_long_or_too_deep_is_refused_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str, text: str
) -> None:
    path = tmp_path / "hostile.toml"
    content, sentence = TEXTS[text]
    path.write_text(content)
    monkeypatch.setenv("SANDPIT_CONFIG", str(path))
    with pytest.raises((ScenarioError, ConfigurationError)) as refused:
        READERS[what](path)
    assert (sentence or "") in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_file_of_trades_may_be_a_link_to_itself(tmp_path: Path) -> None:
    loop = tmp_path / "loop.csv"
    loop.symlink_to(loop)
    with pytest.raises(ScenarioError, match=r"loop\.csv cannot be read"):
        scenario_prices(load_scenario("replay", replay=loop))


def test_the_name_of_a_file_of_trades_has_no_zero(tmp_path: Path) -> None:
    process = 'process = "replay"'
    text = (SHIPPED_DIRECTORY / "replay.toml").read_text()
    path = tmp_path / "mine.toml"
    path.write_text(text.replace(process, process + '\nfile = "a\\u0000b"'))
    with pytest.raises(ScenarioError, match=r"line 21: markets\[0\]\.price\.file: found 'a\\x00b'"):
        load_scenario(str(path))


def test_a_data_directory_may_be_in_nobodys_home() -> None:
    name = "~nobody-of-this-name/data"
    assert Settings.load(data_dir=name).data_path == Path.cwd() / name


def test_a_data_directory_that_is_a_link_to_itself_is_refused(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(ConfigurationError, match=r"loop (is not a directory|cannot be used)"):
        prepare(Settings.load(data_dir=tmp_path / "loop").data_path)
