"""Backtests of the API, as the text that is kept: a droid, or a grid of them, on a log that ships
or on one that was sent and is kept beside the text.

They read no files but those that ship: `swaps` is a name, and nothing here opens a path that
somebody sent.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from sim.backtest.grid import FIELDS, GridError, Tried, combined
from sim.backtest.gwei import base_fee_wei
from sim.backtest.log import PoolLog
from sim.backtest.market import Replays
from sim.backtest.result import Setting
from sim.droid.config import ConfigRefused, DroidConfig, read_config
from sim.droid.spelling import sentence
from sim.pool.terms import PoolTerms
from sim.scenario.fields import Fields, ScenarioError
from sim.scenario.toml_text import toml_table
from storage.files.droid_file import given_in
from storage.files.shipped_logs import shipped_log, shipped_logs
from storage.files.swap_log_file import read_swap_log
from storage.runs.sent_log import unpacked

SWAPS, DROID, AS_CALLED, BASE_FEE = "swaps", "droid", "as_called", "base_fee"
GRID = "grid"
VALUE = "a number or a word"
OF_A_BACKTEST = re.compile(rf'^"?{SWAPS}"? *=', re.MULTILINE)
"""No scenario has such a field."""


@dataclass(frozen=True)
class StoredBacktest:
    """What is to be run; `tried`: one, or those of a grid."""

    log: PoolLog
    tried: tuple[Tried, ...]
    is_grid: bool

    @property
    def name(self) -> str:
        return f"{DROID}-{self.log.name}-{GRID}" if self.is_grid else f"{DROID}-{self.log.name}"

    @property
    def setting(self) -> Setting:
        """That of the only one, or of the first: seed and options are those of all."""
        return self.tried[0].setting


def is_backtest(text: str) -> bool:
    """Whether the text is one of a backtest, not of a scenario."""
    return OF_A_BACKTEST.search(text) is not None


def read_backtest(text: str, seed: int | None = None, sent: bytes | None = None) -> StoredBacktest:
    """The log is read. Raises ScenarioError.

    sent   the log that is kept beside the text
    """
    with toml_table(text, "a backtest", Decimal) as table:
        fields = Fields(table)
        fields.only(SWAPS, DROID, AS_CALLED, BASE_FEE, GRID)
        log = _log(fields) if sent is None else unpacked(sent).read()
        droid = fields.value(DROID)
        if not isinstance(droid, dict):
            raise fields.refuse(DROID, "a table")
        replays = Replays.CALLS if fields.flag(AS_CALLED, False) else Replays.PRICE
        seed = Setting.seed if seed is None else seed
        fee = _base_fee_wei(fields)
        given, terms = given_in(droid, DROID), log.pool.terms
        tried = tuple(
            Tried(changes, Setting(_config(given, changes, terms), seed, replays, fee))
            for changes in _grid(fields)
        )
    return StoredBacktest(log, tried, fields.has(GRID))


def _log(fields: Fields) -> PoolLog:
    path = shipped_log(fields.choice(SWAPS, shipped_logs()))
    assert path is not None
    return read_swap_log(path)


def _grid(fields: Fields) -> list[Mapping[str, object]]:
    """Of each combination what it changes of the droid; without a grid nothing, once."""
    if not fields.has(GRID):
        return [{}]
    table = fields.value(GRID)
    if not isinstance(table, dict) or not table:
        raise fields.refuse(GRID, "fields of the droid, each with a list of values")
    grid = Fields(table, GRID)
    grid.only(*FIELDS)
    try:
        return combined({FIELDS[name]: _values(grid, name) for name in table})
    except GridError as error:
        raise ScenarioError(f"{GRID}: {error}") from error


def _values(grid: Fields, name: str) -> list[object]:
    values = grid.value(name)
    if not isinstance(values, list) or not values:
        raise grid.refuse(name, f"a list of at least one value, each {VALUE}")
    if any(isinstance(one, bool) or not isinstance(one, int | Decimal | str) for one in values):
        raise grid.refuse(name, f"a list of values, each {VALUE}")
    return values


def _config(
    given: Mapping[str, object], changes: Mapping[str, object], terms: PoolTerms
) -> DroidConfig:
    try:
        return read_config({**given, **changes}, terms)
    except ConfigRefused as refused:
        fault = refused.faults[0]
        where = GRID if fault.field in changes else DROID
        raise ScenarioError(f"{where}.{sentence(fault)}") from refused


def _base_fee_wei(fields: Fields) -> int:
    if not fields.has(BASE_FEE):
        return Setting.base_fee_wei
    try:
        return base_fee_wei(str(fields.value(BASE_FEE)))
    except ValueError as error:
        raise fields.refuse(BASE_FEE, str(error)) from None
