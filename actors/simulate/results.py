"""What a simulation leaves: one object of figures, and files in its directory."""

import math
from collections.abc import Sequence
from typing import Any

from actors.command_line import tell
from actors.simulate.agents_results import agents_summary
from sim.facts.of_run import MarketFacts, Reference, run_facts
from sim.facts.performance import Performance, performance
from sim.facts.stylized import Fact
from sim.record.chain import ChainRecord, DroidRecord, PoolRecord
from sim.record.run import MarketRecord, OtherGain, RunRecord, ShockDone, StrategyRecord
from sim.report.page_of_run import html_report
from sim.scenario.unreached import unreached
from sim.sums import exact_sum
from sim.units import format_atoms, format_steps
from storage.runs.run_directory import RunDirectory

SECOND_US = 1_000_000


def summary_of(
    record: RunRecord,
    facts: Sequence[MarketFacts] | None = None,
    reference: Reference | None = None,
) -> dict[str, Any]:
    """The object that --json prints. Amounts are decimal text; what is undefined is null.

    facts   what `run_facts(record)` gave, for whoever has them already
    """
    return {
        "scenario": record.scenario,
        "seed": record.seed,
        "command": record.origin.command,
        "version": record.origin.version,
        "made_at": record.origin.made_at,
        "state_hash": record.state_hash,
        "actors": record.actors,
        "steps": record.steps,
        "steps_planned": record.steps_planned,
        "simulated_seconds": record.steps * record.step_us / SECOND_US,
        "orders": record.orders,
        "fills": record.fills,
        "wall_seconds": round(record.wall_s, 3),
        "orders_per_second": round(record.orders / max(record.wall_s, 1e-9)),
        "peak_memory_bytes": record.peak_memory_bytes,
        "left_out": unreached(record.happenings, record.steps_planned, record.step_us),
        "shocks": [_shock(record, one, done) for one in record.markets for done in one.shocks],
        "strategies": [_strategy(strategy) for strategy in record.strategies],
        "others": [_other(other) for other in record.others],
        "stylised_facts": [_facts(one) for one in (run_facts(record) if facts is None else facts)],
        "agents": [agents_summary(one) for one in record.agents],
        "chain": None if record.chain is None else _chain(record.chain),
        "compared": None if reference is None else _compared(reference),
    }


def _shock(record: RunRecord, market: MarketRecord, done: ShockDone) -> dict[str, Any]:
    """What was traded of what was planned, as far as the run went."""
    step_s = record.step_us / SECOND_US
    lot_size = market.spec.lot_size
    return {
        "market": market.spec.market_id,
        "side": done.shock.side.name.lower(),
        "at_seconds": (done.shock.step - 1) * step_s,
        "quantity": format_steps(done.shock.quantity_lots, lot_size),
        "traded": format_steps(done.traded_lots, lot_size),
        "volume": format_atoms(done.notional_atoms),
        "until_seconds": done.until_us / SECOND_US if done.traded_lots else None,
    }


def _other(other: OtherGain) -> dict[str, Any]:
    """Who is no strategy: with the strategies' pnl theirs sums to zero."""
    return {
        "name": other.name,
        "pnl": format_atoms(other.gain_atoms),
        "volume": format_atoms(other.volume_atoms),
    }


def _strategy(record: StrategyRecord) -> dict[str, Any]:
    metrics = performance(record)
    return {
        "name": record.name,
        "strategy": record.strategy,
        "traders": record.traders,
        "capital": format_atoms(record.capital_atoms),
        "pnl": format_atoms(exact_sum(record.trader_pnl_atoms)),
        "fees": format_atoms(_last(record.standings, "fees_atoms")),
        "funding": format_atoms(_last(record.standings, "funding_atoms")),
        "volume": format_atoms(_last(record.standings, "volume_atoms")),
        "liquidated_traders": _last(record.standings, "liquidated_traders"),
        **_metrics(metrics),
    }


def _metrics(metrics: Performance) -> dict[str, Any]:
    """Ratios as numbers; volatility, sharpe and sortino a year, from returns over period_seconds,
    null where not_judged says why."""
    return {
        "return": finite(metrics.return_fraction),
        "volatility": finite(metrics.volatility),
        "sharpe": finite(metrics.sharpe),
        "sortino": finite(metrics.sortino),
        "not_judged": metrics.why_not_judged or None,
        "period_seconds": metrics.period_us / SECOND_US,
        "max_drawdown": finite(metrics.drawdown.fraction),
        "max_drawdown_seconds": metrics.drawdown.length_us / SECOND_US,
        "max_drawdown_recovered": metrics.drawdown.is_recovered,
        "win_rate": finite(metrics.win_rate),
        "profit_factor": finite(metrics.profit_factor),
        "turnover": finite(metrics.turnover),
    }


def _facts(facts: MarketFacts) -> dict[str, Any]:
    table = facts.table
    return {
        "name": table.name,
        "trades": table.trades,
        "span_seconds": table.span_us / SECOND_US,
        "interval_seconds": table.interval_us / SECOND_US,
        "holding": table.holding,
        "not_judged": facts.open_facts,
        "facts": [_fact(fact, facts.why_open(fact)) for fact in table.facts],
    }


def _fact(fact: Fact, why: str) -> dict[str, Any]:
    """low and high: the band of the literature, null where it is open."""
    about = fact.description
    return {
        "fact": about.key,
        "measured": about.measured,
        "value": finite(fact.value),
        "error": finite(fact.error),
        "beside": {name: finite(value) for name, value in fact.beside.items()},
        "low": finite(about.band.low),
        "high": finite(about.band.high),
        "verdict": fact.verdict.value,
        "why": why or None,
    }


def _chain(chain: ChainRecord) -> dict[str, Any]:
    bought, sold = chain.traded_lots
    return {
        "market": chain.market_id,
        "blocks": chain.blocks,
        "transactions": chain.transactions,
        "lots_bought_for_arbitrageurs": bought,
        "lots_sold_for_arbitrageurs": sold,
        "pools": [_pool(one) for one in chain.pools],
        "droids": [_droid(one) for one in chain.droids if len(one.standings)],
    }


def _pool(pool: PoolRecord) -> dict[str, Any]:
    last = pool.blocks[-1] if len(pool.blocks) else None
    return {
        "pool": pool.pool_id,
        "name": pool.name,
        "price": None if last is None else float(last["price"]),
        "book_price": None if last is None else finite(float(last["book_price"])),
        "swaps": int(pool.blocks["swaps"].sum()),
        "arbitrages": int(pool.blocks["arbitrages"].sum()),
    }


def _droid(droid: DroidRecord) -> dict[str, Any]:
    last = droid.standings[-1]
    return {
        "name": droid.name,
        "pool": droid.pool_id,
        "status": droid.status,
        "note": droid.note or None,
        "plans": droid.plans,
        "rungs": int(last["rungs"]),
        "aum": format_atoms(int(last["aum_atoms"])),
        "held": format_atoms(int(last["held_atoms"])),
        "fees": format_atoms(int(last["fees_atoms"])),
        "gas": format_atoms(int(last["gas_atoms"])),
        "impermanent_loss": format_atoms(int(last["impermanent_loss_atoms"])),
    }


def _compared(reference: Reference) -> dict[str, Any]:
    return {
        "file": reference.file,
        "markets": list(reference.market_ids),
        **_facts(reference.facts),
    }


def finite(value: float | None) -> float | None:
    """What JSON has a number for; null for the rest."""
    return value if value is not None and math.isfinite(value) else None


def _last(standings: Any, name: str) -> int:
    return int(standings[name][-1]) if len(standings) else 0


def write_results(
    out: RunDirectory,
    record: RunRecord,
    summary: dict[str, Any],
    facts: Sequence[MarketFacts] | None = None,
    reference: Reference | None = None,
) -> None:
    """Everything the run leaves behind, the report last; a full disk costs files, not the
    result."""
    try:
        out.write_summary(summary)
        out.write_record(record)
        out.write_report(html_report(record, reference, facts))
    except OSError as error:
        tell(f"{out.path} cannot be written: {error}")
