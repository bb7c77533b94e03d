"""Droids in files: TOML, with the fields of a request that makes one."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from sim.droid.config import ConfigRefused, DroidConfig, read_config
from sim.droid.spelling import SPELLED, sentence
from sim.pool.terms import PoolTerms
from sim.scenario.fields import Fields, ScenarioError
from sim.scenario.lines import line_of
from sim.scenario.toml_text import toml_table
from storage.files.world_file import about_file
from storage.regular_file import open_regular

DROID_BYTES_MAX = 100_000
POOL = "pool_id"
"""May stand in the file, as in a request: which pool it is for, the log says."""

NAMES = {spelled: name for name, spelled in SPELLED.items()}


@dataclass(frozen=True)
class DroidFile:
    """given   fields by their names in sim/droid/config.py"""

    path: Path
    text: str
    given: Mapping[str, object]

    def config(self, terms: PoolTerms, changes: Mapping[str, object]) -> DroidConfig:
        """The droid on a pool, with some fields changed. Raises ScenarioError, one sentence."""
        try:
            return read_config({**self.given, **changes}, terms)
        except ConfigRefused as refused:
            fault = refused.faults[0]
            said = "; ".join(map(sentence, refused.faults))
            line = None if fault.field in changes else self._line(fault.field)
            where = f"{self.path}, line {line}" if line else str(self.path)
            raise ScenarioError(f"{where}: {said}.") from refused

    def _line(self, name: str) -> int | None:
        return line_of(self.text, SPELLED.get(name, name))


def read_droid(path: Path) -> DroidFile:
    """What the file says, its fields known and their values not yet looked at. Raises
    ScenarioError, one sentence."""
    text = ""
    try:
        text = _text(path)
        with toml_table(text, "a droid", Decimal) as table:
            given = given_in(table)
    except ScenarioError as error:
        raise about_file(path, text, error) from error
    return DroidFile(path, text, given)


def given_in(table: Mapping[str, object], where: str = "") -> Mapping[str, object]:
    """Fields of a droid by their names in sim/droid/config.py. Raises ScenarioError for one that
    there is not.

    where   the table's path in its text
    """
    Fields(table, where).only(*NAMES)
    return {NAMES[name]: value for name, value in table.items() if NAMES[name] != POOL}


def _text(path: Path) -> str:
    try:
        with open_regular(path) as file:
            content = file.read(DROID_BYTES_MAX + 1)
        if len(content) > DROID_BYTES_MAX:
            raise ScenarioError(f"larger than {DROID_BYTES_MAX} bytes")
        return content.decode()
    except (OSError, UnicodeDecodeError) as error:
        said = getattr(error, "strerror", None) or str(error)
        raise ScenarioError(f"cannot be read: {said}") from error
