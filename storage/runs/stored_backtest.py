"""Backtests of the API, as the text that is kept: a droid on a log that ships.

They read no files but those: `swaps` is a name, and nothing here opens a path that somebody sent.
"""

import re
from dataclasses import dataclass
from decimal import Decimal

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

SWAPS, DROID, AS_CALLED, BASE_FEE = "swaps", "droid", "as_called", "base_fee"
OF_A_BACKTEST = re.compile(rf'^"?{SWAPS}"? *=', re.MULTILINE)
"""No scenario has such a field."""


@dataclass(frozen=True)
class StoredBacktest:
    """What is to be run."""

    log: PoolLog
    setting: Setting

    @property
    def name(self) -> str:
        return f"{DROID}-{self.log.name}"


def is_backtest(text: str) -> bool:
    """Whether the text is one of a backtest, not of a scenario."""
    return OF_A_BACKTEST.search(text) is not None


def read_backtest(text: str, seed: int | None = None) -> StoredBacktest:
    """The log is read. Raises ScenarioError."""
    with toml_table(text, "a backtest", Decimal) as table:
        fields = Fields(table)
        fields.only(SWAPS, DROID, AS_CALLED, BASE_FEE)
        log = _log(fields)
        droid = fields.value(DROID)
        if not isinstance(droid, dict):
            raise fields.refuse(DROID, "a table")
        config = _config(droid, log.pool.terms)
        replays = Replays.CALLS if fields.flag(AS_CALLED, False) else Replays.PRICE
        seed = Setting.seed if seed is None else seed
        setting = Setting(config, seed, replays, _base_fee_wei(fields))
    return StoredBacktest(log, setting)


def _log(fields: Fields) -> PoolLog:
    path = shipped_log(fields.choice(SWAPS, shipped_logs()))
    assert path is not None
    return read_swap_log(path)


def _config(droid: dict[str, object], terms: PoolTerms) -> DroidConfig:
    try:
        return read_config(given_in(droid, DROID), terms)
    except ConfigRefused as refused:
        raise ScenarioError(f"{DROID}.{sentence(refused.faults[0])}") from refused


def _base_fee_wei(fields: Fields) -> int:
    if not fields.has(BASE_FEE):
        return Setting.base_fee_wei
    try:
        return base_fee_wei(str(fields.value(BASE_FEE)))
    except ValueError as error:
        raise fields.refuse(BASE_FEE, str(error)) from None
