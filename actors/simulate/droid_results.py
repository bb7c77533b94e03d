"""What a backtest leaves: one object of figures, and files in its directory."""

from collections import Counter
from typing import Any

import numpy as np

from actors.command_line import tell
from sim.backtest.gwei import GWEI_DECIMALS
from sim.backtest.result import Result
from sim.droid.acts import Result as Outcome
from sim.droid.spelling import SPELLED
from sim.droid.written import written
from sim.pool.words import Pair
from sim.record.run import Origin
from sim.report.page_of_backtest import backtest_report
from sim.units import format_scaled
from storage.runs.run_directory import RunDirectory

ETHER_DECIMALS = 18
WORTH = ("aum", "fees", "gas", "impermanent_loss", "held", "halves", "full_range")
"""Columns of the record in base units of the quote, by their names in Standing."""


def droid_summary(result: Result, origin: Origin, wall_s: float) -> dict[str, Any]:
    """The object that --json prints. Amounts are decimal text, worth in the quote."""
    log, setting = result.log, result.setting
    first, last = result.first, result.last
    config = written(setting.config)
    return {
        "log": log.name,
        "pool": "/".join(token.symbol for token in log.pool.tokens),
        "fee_ppm": log.pool.fee_pips,
        "droid": {SPELLED[name]: value for name, value in config.items()},
        "seed": setting.seed,
        "replays": setting.replays.value,
        "base_fee_gwei": format_scaled(setting.base_fee_wei, GWEI_DECIMALS),
        "command": origin.command,
        "version": origin.version,
        "made_at": origin.made_at,
        "state_hash": result.state_hash(),
        "first_block": first.block,
        "last_block": last.block,
        "first_time": first.time_s,
        "last_time": last.time_s,
        "blocks": result.blocks,
        "swaps": result.swaps,
        "refused_rows": result.refused,
        "wall_seconds": round(wall_s, 3),
        **figures_of(result),
        "transactions": dict(Counter(f"{one.kind}_{one.outcome.lower()}" for one in result.done)),
        "open_ticks": [list(ticks) for ticks in last.ranges],
        "note": result.note and result.note.value,
    }


def figures_of(result: Result) -> dict[str, Any]:
    """What a droid is judged by."""
    terms, first, last = result.log.pool.terms, result.first, result.last

    def usd(amount: int) -> str:
        return format_scaled(amount, terms.decimals[terms.quote_token])

    return {
        "first_price": terms.nearest_double(first.sqrt_price_x96),
        "last_price": terms.nearest_double(last.sqrt_price_x96),
        "first_aum": usd(first.aum),
        "aum": usd(last.aum),
        "held": usd(last.held),
        "halves": usd(last.halves),
        "full_range": usd(last.full_range),
        "more_than_held": usd(last.aum - last.held),
        "more_than_halves": usd(last.aum - last.halves),
        "more_than_full_range": usd(last.aum - last.full_range),
        "fees": usd(last.fees),
        "fees_by_token": _by_token(result, result.fees),
        "full_range_fees_by_token": _by_token(result, result.full_range_fees),
        "gas": usd(last.gas),
        "gas_ether": format_scaled(result.gas_wei, ETHER_DECIMALS),
        "impermanent_loss": usd(last.impermanent_loss),
        "rebalances": len(result.moves),
        "failed_transactions": sum(one.outcome is Outcome.FAILED for one in result.done),
    }


def _by_token(result: Result, amounts: Pair) -> dict[str, str]:
    tokens = result.log.pool.tokens
    return {
        token.symbol: format_scaled(amount, token.decimals)
        for token, amount in zip(tokens, amounts, strict=True)
    }


def write_droid_results(
    out: RunDirectory, result: Result, summary: dict[str, Any], origin: Origin
) -> None:
    """Everything the run leaves behind, the report last; a full disk costs files, not the
    result."""
    try:
        out.write_summary(summary)
        out.write_arrays(arrays_of(result))
        out.write_report(backtest_report(result, origin, summary["wall_seconds"]))
    except OSError as error:
        tell(f"{out.path} cannot be written: {error}")


def arrays_of(result: Result) -> dict[str, Any]:
    """Columns by name. standings.*: one for each row; int64, price and signal float64, the root of
    the price as text. rungs: rows (standing, lower tick, upper tick). swap_fees.*: one for each
    swap that earned something, block and index int64 (−1: the droid's own), fees as text."""
    standings, terms = result.standings, result.log.pool.terms
    arrays: dict[str, Any] = {
        f"standings.{name}": np.array([getattr(one, name) for one in standings], np.int64)
        for name in ("block", "time_s", *WORTH)
    }
    prices = [terms.nearest_double(one.sqrt_price_x96) for one in standings]
    rungs = [(row, *ticks) for row, one in enumerate(standings) for ticks in one.ranges]
    return arrays | {
        "standings.price": np.array(prices, np.float64),
        "standings.signal": np.array([one.signal for one in standings], np.float64),
        "standings.sqrt_price_x96": np.array([str(one.sqrt_price_x96) for one in standings]),
        "rungs": np.array(rungs, np.int64).reshape(-1, 3),
        "swap_fees.block": np.array([one.block for one in result.swap_fees], np.int64),
        "swap_fees.index": np.array([one.index for one in result.swap_fees], np.int64),
        "swap_fees.token0": np.array([str(one.fees[0]) for one in result.swap_fees]),
        "swap_fees.token1": np.array([str(one.fees[1]) for one in result.swap_fees]),
    }
