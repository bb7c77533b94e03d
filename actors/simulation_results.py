"""What a simulation leaves: one object of figures, and files in its directory."""

from typing import Any

import typer

from sim.run_record import RunRecord
from sim.units import format_atoms
from storage.run_directory import RunDirectory


def summary_of(record: RunRecord) -> dict[str, Any]:
    """The object that --json prints. Amounts are decimal text."""
    return {
        "scenario": record.scenario,
        "seed": record.seed,
        "state_hash": record.state_hash,
        "actors": record.actors,
        "steps": record.steps,
        "steps_planned": record.steps_planned,
        "orders": record.orders,
        "fills": record.fills,
        "wall_seconds": round(record.wall_s, 3),
        "orders_per_second": round(record.orders / max(record.wall_s, 1e-9)),
        "peak_memory_bytes": record.peak_memory_bytes,
        "strategies": [
            {
                "name": strategy.name,
                "strategy": strategy.strategy,
                "traders": strategy.traders,
                "pnl": format_atoms(int(strategy.trader_pnl_atoms.sum())),
                "fees": format_atoms(_last(strategy.standings, "fees_atoms")),
                "volume": format_atoms(_last(strategy.standings, "volume_atoms")),
                "liquidated_traders": _last(strategy.standings, "liquidated_traders"),
            }
            for strategy in record.strategies
        ],
    }


def _last(standings: Any, name: str) -> int:
    return int(standings[name][-1]) if len(standings) else 0


def write_results(out: RunDirectory, record: RunRecord, summary: dict[str, Any]) -> None:
    """Everything the run leaves behind; a full disk costs files, not the result."""
    try:
        out.write_summary(summary)
        out.write_record(record)
    except OSError as error:
        typer.echo(f"sandpit: {out.path} cannot be written: {error}", err=True)
