"""What a simulation leaves in its directory: record, summary, report, a checkpoint."""

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from sim.record.run import RunRecord
from storage.files.replaced_file import replaced
from storage.regular_file import open_regular

CHECKPOINT, RECORD, SUMMARY, REPORT = "checkpoint.bin", "record.npz", "summary.json", "report.html"
GRID_CSV, GRID_JSON = "grid.csv", "grid.json"
PROBE = ".try"


class RunDirectory:
    """A directory of one run; made when the first file is written."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def try_writing(self) -> None:
        """Raises OSError where files cannot be written there; leaves nothing behind."""
        missing = [path for path in (self.path, *self.path.parents) if not path.exists()]
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            probe = self.path / PROBE
            probe.write_bytes(b"")
            probe.unlink()
        finally:
            for path in missing:  # the innermost first
                with suppress(OSError):  # it was not made, or somebody has put a file there
                    path.rmdir()

    def write_record(self, record: RunRecord) -> None:
        """Arrays by name: {market}.trades, {market}.quotes, {strategy}.standings, .inventory_lots
        and .trader_pnl_atoms, of signal agents .session_equity_us and .session_equity_atoms; of a
        chain pool-{number}.blocks, droid-{name}.standings."""
        arrays: dict[str, Any] = {}
        for market in record.markets:
            arrays[f"{market.spec.market_id}.trades"] = market.trades
            arrays[f"{market.spec.market_id}.quotes"] = market.quotes
        for strategy in record.strategies:
            arrays[f"{strategy.name}.standings"] = strategy.standings
            arrays[f"{strategy.name}.inventory_lots"] = strategy.inventory_lots
            arrays[f"{strategy.name}.trader_pnl_atoms"] = strategy.trader_pnl_atoms
        for agents in record.agents:
            arrays[f"{agents.name}.session_equity_us"] = agents.course.equity_times_us
            arrays[f"{agents.name}.session_equity_atoms"] = agents.course.equity_atoms
        if record.chain is not None:
            arrays |= {f"pool-{one.pool_id}.blocks": one.blocks for one in record.chain.pools}
            arrays |= {f"droid-{one.name}.standings": one.standings for one in record.chain.droids}
        self.write_arrays(arrays)

    def write_arrays(self, arrays: Mapping[str, Any]) -> None:
        """A record, whatever is in it."""
        self.path.mkdir(parents=True, exist_ok=True)
        np.savez(self.path / RECORD, **arrays)

    def write_summary(self, summary: Mapping[str, Any]) -> None:
        """The object that --json prints."""
        self._write(SUMMARY, (json.dumps(summary, indent=2) + "\n").encode())

    def read_summary(self) -> dict[str, Any]:
        """What `write_summary` wrote; empty where nothing of the kind is there."""
        try:
            with open_regular(self.path / SUMMARY) as file:
                summary = json.loads(file.read())
        except (OSError, ValueError, RecursionError):
            return {}
        return summary if isinstance(summary, dict) else {}

    def write_grid(self, rows: str, ranked: Mapping[str, Any]) -> None:
        """Backtests of a grid: CSV, and the object that --json prints."""
        self._write(GRID_CSV, rows.encode())
        self._write(GRID_JSON, (json.dumps(ranked, indent=2) + "\n").encode())

    def write_report(self, page: str) -> None:
        """One page that opens without the internet."""
        self._write(REPORT, page.encode())

    def write_checkpoint(self, data: bytes) -> None:
        """Whole or not at all."""
        self._write(CHECKPOINT, data)

    def forget_checkpoint(self) -> None:
        """Nothing is left to go on with."""
        (self.path / CHECKPOINT).unlink(missing_ok=True)

    def read_checkpoint(self) -> bytes:
        """The checkpoint of an interrupted run. Raises OSError."""
        with open_regular(self.path / CHECKPOINT) as file:
            return file.read()

    def _write(self, name: str, content: bytes) -> None:
        self.path.mkdir(parents=True, exist_ok=True)
        with replaced(self.path / name, self.path / f"{name}.new") as file:
            file.write(content)
