"""What `sandpit simulate` is given on the command line, read before anything starts."""

import re
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

from actors.simulate.worlds import SimulateError
from sim.facts.of_run import Reference, compared_markets, tape_facts
from sim.market import MarketSpec
from sim.record.tape import real_tape
from sim.scenario.scenario import DURATION_S_MAX
from storage.files.trades_file import DECIMALS, TradesFileError, read_traded
from storage.runs.run_directory import RunDirectory

UNITS_S = {"": 1, "s": 1, "m": 60, "h": 3_600, "d": 86_400}
DURATION_TEXT = re.compile(r"(\d{1,9})([smhd]?)", re.ASCII)
WALL_S_MAX = 100 * 366 * 86_400
PRICE_UNIT = Decimal(1).scaleb(-DECIMALS)
"""Prices of a file are read as exactly as it writes them: only their ratios are used."""


def seconds_of(duration: str | None) -> int | None:
    """90, 90s, 10m, 2h or 1d in seconds. Raises SimulateError."""
    if duration is None:
        return None
    match = DURATION_TEXT.fullmatch(duration.strip())
    seconds = int(match[1]) * UNITS_S[match[2]] if match else 0
    if not 1 <= seconds <= DURATION_S_MAX:
        most = DURATION_S_MAX // UNITS_S["d"]
        raise SimulateError(
            f"--duration: found {duration[:40]!r}, allowed is a whole number of seconds, or of"
            f" another unit by its letter, such as 90, 90s, 10m, 2h or 1d, from 1s to {most}d."
        )
    return seconds


def reference_of(path: Path | None, specs: Sequence[MarketSpec]) -> Reference | None:
    """The facts of a file of real trades, and the markets it stands beside. Raises
    SimulateError."""
    if path is None:
        return None
    try:
        trades = read_traded(path, PRICE_UNIT)
    except TradesFileError as error:
        raise SimulateError(f"--compare: {error}") from error
    columns = trades.times_us, trades.prices_ticks, trades.quantities_e8, trades.buyer_is_maker
    markets = compared_markets(path.name, [(spec.market_id, spec.base_asset) for spec in specs])
    return Reference(path.name, markets, tape_facts(real_tape(path.name, *columns)))


def earlier_wall_s(resumed: Path | None) -> float:
    """How long the run took that is resumed, as its summary says; 0 where none does."""
    said = RunDirectory(resumed).read_summary().get("wall_seconds") if resumed else None
    return float(said) if isinstance(said, int | float) and 0 <= said <= WALL_S_MAX else 0.0


def refuse_unwritable(out: RunDirectory) -> None:
    """Raises SimulateError where the results of a run could not be kept."""
    try:
        out.try_writing()
    except FileExistsError as error:
        raise SimulateError(f"{out.path} is a file, the results need a directory.") from error
    except OSError as error:
        said = error.strerror or str(error)
        raise SimulateError(f"{out.path} cannot be written: {said}.") from error
