"""The report of a backtest: one HTML page that opens without the internet."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from sim.backtest.market import Replays
from sim.backtest.result import Rebalance, Result
from sim.droid.spelling import SPELLED
from sim.droid.states import Note
from sim.droid.written import written
from sim.pool.terms import PoolTerms
from sim.pool.words import Pair
from sim.record.run import Origin
from sim.report.backtest_charts import backtest_charts
from sim.report.html import page_html, table_html, tiles_html
from sim.report.text import NONE, SECOND_US, THIN, clock, duration, escaped, number

REBALANCES_MAX = 500
HEAD = ("", "why", "decided", "done", "signal", "closed", "opened", "gas")
CONVENTIONS = (
    "The droid's transactions come last in the block after the one at whose end it decided them."
    " Worth is positions with their fees and the wallet with its ether, at the pool's price."
    " Whoever holds, and the full-range position, have the same ether and pay neither gas nor a"
    " swap to begin with. Impermanent loss is what positions are worth less than what was put into"
    " them would be: of closed ones at the price then, of open ones now; fees are not in it."
)
TAKES = {
    Replays.PRICE: "Swaps bring the price to where it was then: the droid takes the market's price,"
    " and a swap pays as much more as its liquidity asks.",
    Replays.CALLS: "Swaps are called again as they were: the droid shares their fees, and moves the"
    " price by what its liquidity asks.",
}
WAITS = {
    Note.OUT_OF_BOUNDS: "the signal is outside its bounds",
    Note.GAS_PRICE: "gas is dearer than it pays",
    Note.GAS_BUDGET: "what it may spend on gas is spent",
    Note.NO_ETH: "its ether does not pay for another plan",
    Note.SPEED: "the price moves too fast",
    Note.FAILED: "its transactions failed too often",
}
"""Why a droid does nothing."""


def backtest_report(result: Result, origin: Origin, wall_s: float) -> str:
    """The page, under 1 MB."""
    sections = [_head(result, origin, wall_s), _charts(result), _rebalances(result)]
    return page_html(f"{result.log.name}: a droid on a pool's log", sections)


def _head(result: Result, origin: Origin, wall_s: float) -> str:
    terms, first, last = result.log.pool.terms, result.first, result.last
    unit = terms.quote_unit
    base_fee = Decimal(result.setting.base_fee_wei).scaleb(-9)
    tiles = [
        ("time", duration((last.time_s - first.time_s) * SECOND_US)),
        ("blocks", number(result.blocks)),
        ("swaps", number(result.swaps)),
        ("price", f"{_price(terms, first.sqrt_price_x96)} → {_price(terms, last.sqrt_price_x96)}"),
        ("worth at the beginning", usd(first.aum, unit)),
        ("worth at the end", usd(last.aum, unit)),
        ("beside holding", signed(last.aum - last.held, unit)),
        ("beside half and half", signed(last.aum - last.halves, unit)),
        ("beside full range", signed(last.aum - last.full_range, unit)),
        ("fees", usd(last.fees, unit)),
        ("gas", usd(last.gas, unit)),
        ("impermanent loss", usd(last.impermanent_loss, unit)),
        ("rebalances", number(len(result.moves))),
        ("open rungs", number(len(last.ranges))),
        ("base fee", f"{base_fee.normalize():f}{THIN}gwei"),
        ("wall time", duration(round(wall_s * SECOND_US))),
    ]
    wide = [("command", origin.command)] if origin.command else []
    wide += [("droid", config_line(result)), ("state hash", result.state_hash())]
    note = f"<p>At the end the droid waits: {WAITS[result.note]}.</p>" if result.note else ""
    if result.refused:
        note += f"<p>{number(result.refused)} rows of the log could not happen again.</p>"
    by = f"Sandpit {origin.version}".rstrip()
    made = ", ".join(part for part in (f"{by} backtest", origin.made_at) if part)
    return (
        f'<header><p class="soft">{escaped(made)}</p><h1>{escaped(_title(result))}</h1>'
        f'<p class="soft">{utc(first.time_s)} to {utc(last.time_s)} UTC, blocks {first.block} to'
        f" {last.block}</p>{tiles_html(tiles, wide)}{note}"
        f"<p>{TAKES[result.setting.replays]}</p></header>"
    )


def _title(result: Result) -> str:
    tokens, fee = result.log.pool.tokens, Decimal(result.log.pool.fee_pips).scaleb(-4)
    return f"A droid on {tokens[0].symbol}/{tokens[1].symbol} {fee.normalize():f} %"


def config_line(result: Result) -> str:
    """Its fields as its owner writes them."""
    config = written(result.setting.config)
    return ", ".join(
        f"{SPELLED[name]} {value}" for name, value in config.items() if value is not None
    )


def _charts(result: Result) -> str:
    return (
        f'<section><div class="card">{backtest_charts(result)}</div>'
        f'<p class="soft">{CONVENTIONS}</p></section>'
    )


def _rebalances(result: Result) -> str:
    if not result.rebalances:
        return "<section><h2>Rebalances</h2><p>The droid placed nothing.</p></section>"
    shown = result.rebalances[:REBALANCES_MAX]
    rest = len(result.rebalances) - len(shown)
    more = f"<p>And {number(rest)} more.</p>" if rest else ""
    rows = [_row(result, one) for one in shown]
    return f"<section><h2>Rebalances</h2>{table_html(HEAD, rows)}{more}</section>"


def _row(result: Result, one: Rebalance) -> tuple[str, list[str]]:
    terms, begin_s = result.log.pool.terms, result.first.time_s
    cells = [
        escaped(", ".join(why.lower() for why in one.whys)),
        clock((one.begun_s - begin_s) * SECOND_US),
        f"{clock((one.time_s - begin_s) * SECOND_US)}<small>block {one.block}</small>",
        number(one.signal, 2),
        _ranges(terms, one.closed),
        _ranges(terms, one.opened),
        usd(one.gas, terms.quote_unit),
    ]
    return number(one.number), cells


def _ranges(terms: PoolTerms, ranges: Sequence[Pair]) -> str:
    """Neighbours are told as one: how many, from the lowest price to the highest."""
    if not ranges:
        return NONE
    edges = sorted(terms.price_at_tick(tick) for ticks in ranges for tick in ticks)
    low, high = (number(float(edge), 2) for edge in (edges[0], edges[-1]))
    return f"{len(ranges)}<small>{low} to {high}</small>"


def _price(terms: PoolTerms, sqrt_price_x96: int) -> str:
    return number(terms.nearest_double(sqrt_price_x96), 2)


def usd(amount: int, unit: int) -> str:
    return number(amount / unit, 2)


def signed(amount: int, unit: int) -> str:
    return f"{'+' if amount > 0 else ''}{usd(amount, unit)}"


def utc(time_s: int) -> str:
    """2024-01-05 00:03:11."""
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=time_s)
    return at.strftime("%Y-%m-%d %H:%M:%S")
