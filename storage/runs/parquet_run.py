"""One run of a simulation as Parquet files: trades.parquet, quotes.parquet, standings.parquet.

Each is written beside its name and takes it when it is whole: a killed run leaves none, and one
that goes on after a checkpoint begins with what it had. Columns are those of sim.record.run, all
int64, after market_no and trade_no or strategy_no; the files' metadata says what these stand for.
"""

import contextlib
import queue
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from arro3.core import Array, DataType, Field, RecordBatch, RecordBatchReader, Schema
from arro3.io import read_parquet, write_parquet

from storage.errors import StorageError
from storage.files.replaced_file import begin
from storage.runs.recorded_trades import described, unwritten

if TYPE_CHECKING:
    from sim.record.run import RunRecord
    from sim.scenario.scenario import Scenario

Rows = npt.NDArray[np.void]
Integers = npt.NDArray[np.int64]

TRADES, QUOTES, STANDINGS = "trades.parquet", "quotes.parquet", "standings.parquet"
TRADE_NAMES = (
    *("market_no", "trade_no", "time_us", "price_ticks", "quantity_lots"),
    *("taker_account", "maker_account", "taker_side"),
)
COMPRESSION = "zstd(1)"
ROWS_OF_A_GROUP_MAX = 1 << 19
BATCHES_WAITING_MAX = 2


class ParquetTrades:
    """Writes the trades of one run; loaded by recorders, as storage/runs/recorded_trades.py.

    written         how many of each market the file has already, before `before_us`
    metadata        goes into the file
    """

    def __init__(
        self, directory: str, written: list[int], before_us: int, metadata: Mapping[str, str]
    ) -> None:
        self.written = list(written)
        self._path, self._before_us = Path(directory) / TRADES, before_us
        self._goes_on = any(written)
        self._metadata = dict(metadata)
        self._waiting: queue.Queue[RecordBatch | None] = queue.Queue(BATCHES_WAITING_MAX)
        self._failed: list[Exception] = []
        self._thread = threading.Thread(target=self._write_all, daemon=True)
        self._thread.start()

    def write(self, market_no: int, first: int, rows: Rows) -> None:
        """Goes into the file. Raises StorageError, TradesMissing."""
        rows = unwritten(self.written, market_no, first, rows)
        numbers = np.arange(len(rows), dtype=np.int64) + self.written[market_no]
        columns = [np.full(len(rows), market_no, np.int64), numbers]
        columns += [rows[name] for name in TRADE_NAMES[2:]]
        self._hand(_batch(TRADE_NAMES, columns))
        self.written[market_no] += len(rows)

    def end(self) -> None:
        """The file is whole, and waits under another name for `RunInParquet.finish`."""
        self._hand(None)
        self._thread.join()
        self._refuse_when_failed()

    def _hand(self, batch: RecordBatch | None) -> None:
        while True:
            self._refuse_when_failed()
            with contextlib.suppress(queue.Full):
                self._waiting.put(batch, timeout=1.0)
                return

    def _refuse_when_failed(self) -> None:
        if self._failed:
            raise StorageError(f"{self._path} cannot be written: {self._failed[0]}")

    def _write_all(self) -> None:
        try:
            _write(self._path, TRADE_NAMES, self._batches(), self._metadata)
        except Exception as error:  # told by whoever hands over the next batch
            self._failed.append(error)

    def _batches(self) -> Iterator[RecordBatch]:
        if self._goes_on:
            yield from _trades_before(self._path, self._before_us)
        while (batch := self._waiting.get()) is not None:
            yield batch


class RunInParquet:
    """The files of a run in its directory."""

    def __init__(self, directory: Path, name: str, scenario: "Scenario") -> None:
        self._directory, self._scenario = directory, scenario
        self._metadata = {"run": name, **described(scenario)}
        self._before_us = 0

    def begin(self, step: int) -> list[int]:
        """How many trades of each market the file has up to `step`. Raises StorageError."""
        self._before_us = step * self._scenario.step_us
        counts = np.zeros(len(self._scenario.world.markets), np.int64)
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            files = [self._directory / name for name in (TRADES, QUOTES, STANDINGS)]
            there = [path for path in files if path.exists()]
            for path in there:
                begin(path, _new(path))
                if step == 0:
                    path.unlink()
            if step > 0 and files[0] in there:
                for batch in _trades_before(files[0], self._before_us):
                    counts += np.bincount(batch["market_no"].to_numpy(), minlength=len(counts))
        except Exception as error:
            raise StorageError(f"{self._directory} cannot be used: {error}") from error
        return counts.tolist()

    def recorder(self, written: list[int]) -> Mapping[str, Any]:
        """What a recorder of trades is told, as JSON takes it."""
        return {
            "to": "parquet",
            "directory": str(self._directory.resolve()),
            "written": written,
            "before_us": self._before_us,
            "metadata": self._metadata,
        }

    def finish(self, record: "RunRecord", trades: int) -> None:
        """Quotes and standings; then all files take their names. Raises StorageError.

        trades   recorded in all
        """
        told = {**self._metadata, "steps": str(record.steps), "trades": str(trades)}
        told["state_hash"] = record.state_hash
        quotes = [market.quotes for market in record.markets]
        standings = [strategy.standings for strategy in record.strategies]
        try:
            for name, key, tables in (
                (QUOTES, "market_no", quotes),
                (STANDINGS, "strategy_no", standings),
            ):
                names = (key, *(tables[0].dtype.names or ()))
                _write(self._directory / name, names, _numbered(names, tables), told)
            for name in (TRADES, QUOTES, STANDINGS):
                _new(self._directory / name).replace(self._directory / name)
        except Exception as error:
            raise StorageError(f"{self._directory} cannot be written: {error}") from error

    def close(self) -> None:
        """Nothing is held."""


def _new(path: Path) -> Path:
    return path.with_name(f"{path.name}.new")


def _schema(names: Sequence[str]) -> Schema:
    return Schema([Field(name, DataType.int64(), nullable=False) for name in names])


def _batch(names: Sequence[str], columns: Sequence[npt.NDArray[Any]]) -> RecordBatch:
    arrays = [Array.from_numpy(np.ascontiguousarray(one, np.int64)) for one in columns]
    return RecordBatch.from_arrays(arrays, schema=_schema(names))


def _numbered(names: Sequence[str], tables: Sequence[Rows]) -> Iterator[RecordBatch]:
    """A batch for each table, its number in the first column."""
    for number, rows in enumerate(tables):
        key = np.full(len(rows), number, np.int64)
        yield _batch(names, [key, *(rows[name] for name in names[1:])])


def _write(
    path: Path, names: Sequence[str], batches: Iterator[RecordBatch], metadata: dict[str, str]
) -> None:
    write_parquet(
        RecordBatchReader.from_batches(_schema(names), batches),
        _new(path),
        compression=COMPRESSION,
        key_value_metadata=metadata,
        max_row_group_size=ROWS_OF_A_GROUP_MAX,
    )


def _trades_before(path: Path, before_us: int) -> Iterator[RecordBatch]:
    """Batches of the file's rows from before a moment of simulated time."""
    for batch in read_parquet(path):
        keep = np.flatnonzero(batch["time_us"].to_numpy() < before_us)
        yield _batch(TRADE_NAMES, [batch[name].to_numpy()[keep] for name in TRADE_NAMES])
