"""What a request for a backtest means: everything that is wrong with it at once, or what to run."""

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any

from starlette.requests import Request

from api.cryptofunk.backtest_schemas import BacktestSent
from api.cryptofunk.envelope import FAILED, malformed
from api.cryptofunk.spelling import instant_text
from api.cryptofunk.strategy_answers import DEFAULT
from api.cryptofunk.strategy_texts import NotStrategyText, plain
from api.cryptofunk.symbols import Listing, listing_of
from api.desk.agent_backtests import BacktestPlan, meaning_of
from api.desk.backtest_text import OF_SESSIONS, Traded, of_scenario, on_history, with_session
from api.desk.simulations import refused_scenario
from api.desk.transfers import amount_atoms
from api.door.findings import FINDINGS_MAX
from api.door.front import call_of
from api.door.routing import services_of
from sim.market import COLLATERAL, MarketSpec
from sim.money.candles import MINUTE_US
from sim.refusals import Refused
from sim.scenario.fields import ScenarioError
from sim.scenario.scenario import DURATION_S_MAX
from sim.signals.bounds import TermsRefused
from sim.signals.grid import Combination, combinations, faults_of
from sim.signals.strategy import merged, written_strategy
from storage.agents.strategy_in_force import strategy_in_force
from storage.postgres.database import AsyncPool, now_us
from storage.reading.market_data import candles, minutes_span
from storage.reading.time_window import TimeWindow
from storage.runs.kept_candles import KeptCandles, Minute, without_gaps

PAST_MINUTES_MAX = 1_440
"""That a session has behind it when it begins, where there are so many."""

SEED, MINUTE = 1, "1m"
DAY_S, SECOND_US = 86_400, 1_000_000
DAY_US = DAY_S * SECOND_US
WITH_DATES = "start_date and end_date, or a scenario"
REACHES = "history reaches from {since} to {until}"
NO_HISTORY = "there are no candles yet"
NOTHING_THEN = "there are candles before and after these days, and none of them"
FIRST_DAY, LAST_DAY = "1970-01-01", "9998-12-31"
"""On which a scenario may be set."""

UNSET = f"with a scenario must be from {FIRST_DAY} to {LAST_DAY}"
LATE = "must not be before start_date"
LONG = f"a backtest may take {DURATION_S_MAX // DAY_S} days at the most"
ALONE = "duration_s goes with a scenario: on history start_date and end_date say how long"


@dataclass
class Findings:
    """What is wrong, as (field, whose name stands before the words where they stand alone,
    words)."""

    found: list[tuple[str, str, str]] = field(default_factory=list)

    def add(self, name: str, what: str) -> None:
        """One thing more, in words that follow the field's name."""
        self.found.append((name, name, what))

    def refuse(self) -> None:
        """Raises Refused where there is any."""
        if self.found:
            errors = [{"field": at, "message": said} for at, _, said in self.found[:FINDINGS_MAX]]
            _, subject, said = self.found[0]
            raise malformed(FAILED, f"{subject}: {said}", errors=errors)


@dataclass(frozen=True)
class Window:
    """What of history is lived: whole minutes since 1970."""

    since_us: int
    until_us: int

    @property
    def duration_s(self) -> int:
        """How long that is."""
        return (self.until_us - self.since_us) // SECOND_US


@dataclass(frozen=True)
class Lived:
    """What the session is put into: a scenario without it, and what belongs to that.

    since_us   when it begins, since 1970
    """

    table: Mapping[str, Any]
    since_us: int
    duration_s: int | None = None
    history: bytes | None = None


async def read_request(sent: BacktestSent, request: Request) -> BacktestPlan:
    """What is to be run. Raises Refused with everything that is wrong."""
    services, findings = services_of(request), Findings()
    pool = services.pool
    markets = markets_of(sent.symbols, await listing_of(request), findings)
    check_capital(sent.initial_capital, findings)
    base = await base_of(sent, pool, findings)
    tried = tried_of(base, sent, findings)
    days = days_of(sent, findings)
    populations = plain_tables(sent, findings)
    window = None
    if sent.scenario is None and days is not None and markets:
        window = await window_of(markets, days, pool, findings)
    findings.refuse()
    traded = Traded([*markets], sent.initial_capital, populations)
    with told_scenario():
        if window is None:
            lived = lived_scenario(sent, traded, days)
        else:
            async with services.results.reading.turn(call_of(request.scope).address):
                lived = await lived_history(markets, window, traded, sent, pool)
        texts = [with_session(lived.table, traded, one.strategy) for one in tried]
    return BacktestPlan(
        name=sent.name,
        sent=meaning_of(sent.model_dump()),
        asked=told_of(sent, base, lived),
        combinations=[{path: str(value) for path, value in one.changes.items()} for one in tried],
        texts=texts,
        seed=sent.seed,
        duration_s=lived.duration_s,
        history=lived.history,
    )


def markets_of(
    symbols: Sequence[str], listing: Listing, findings: Findings
) -> dict[str, MarketSpec]:
    """The markets that symbols name, none twice."""
    found: dict[str, MarketSpec] = {}
    for place, symbol in enumerate(symbols):
        name = f"symbols.{place}"
        market_id = listing.symbols.markets.get(symbol)
        if market_id is None:
            known = ", ".join(listing.symbols.markets) or "none yet"
            findings.add(name, f"must be one of {known}")
        elif market_id in found:
            findings.add(name, "stands in it twice")
        else:
            found[market_id] = listing.spec(market_id)
    return found


def check_capital(text: str, findings: Findings) -> None:
    """An amount of money that an account can have."""
    try:
        amount_atoms(text, COLLATERAL, "initial_capital")
    except Refused as refused:
        told = refused.message.removeprefix("initial_capital").removeprefix(":").strip()
        findings.add("initial_capital", told)


async def base_of(sent: BacktestSent, pool: AsyncPool, findings: Findings) -> dict[str, Any]:
    """The strategy that is sent, or the one in force, as plain values."""
    if sent.strategy is None:
        return written_strategy(await strategy_in_force(pool))
    try:
        values: dict[str, Any] = plain(sent.strategy)
    except NotStrategyText as error:
        findings.add("strategy", str(error))
        return {}
    return values


def tried_of(
    base: Mapping[str, Any], sent: BacktestSent, findings: Findings
) -> tuple[Combination, ...]:
    """Each combination of the grid, or the strategy alone."""
    grid: dict[str, Any] = {}
    try:
        grid = plain(sent.parameter_grid or {})
        return combinations(base, grid)
    except NotStrategyText as error:
        findings.add("parameter_grid", str(error))
    except TermsRefused as refused:
        findings.found += faults_of(refused, grid, "strategy", "parameter_grid")
    return ()


def plain_tables(sent: BacktestSent, findings: Findings) -> list[dict[str, Any]] | None:
    """The populations that are sent, as they stand."""
    for place, table in enumerate(sent.populations or []):
        if table.get("strategy") == OF_SESSIONS:
            name = f"populations.{place}.strategy"
            findings.add(name, "is the session's own, of which there is one")
    return sent.populations


def days_of(sent: BacktestSent, findings: Findings) -> tuple[int, int] | None:
    """When the first day begins and the last one ends, since 1970; None where no days are given,
    or something is wrong with them."""
    begins, ends = sent.start_date, sent.end_date
    if begins is None or ends is None:
        given = begins is not None or ends is not None
        if sent.scenario is None or given:
            name = "start_date" if begins is None else "end_date"
            findings.add(name, f"is missing: give {WITH_DATES}")
        return None
    if sent.scenario is None and sent.duration_s is not None:
        findings.add("duration_s", ALONE)
    if sent.scenario is not None:
        both = (("start_date", begins), ("end_date", ends))
        unset = [name for name, day in both if not FIRST_DAY <= day <= LAST_DAY]
        for name in unset:
            findings.add(name, UNSET)
        if unset:
            return None
    since_us, until_us = day_us(begins), day_us(ends) + DAY_US
    if until_us <= since_us:
        findings.add("end_date", LATE)
        return None
    return since_us, until_us


def day_us(day: str) -> int:
    """When it begins."""
    return int(datetime.combine(date.fromisoformat(day), time(), UTC).timestamp()) * SECOND_US


async def window_of(
    markets: Mapping[str, MarketSpec], days: tuple[int, int], pool: AsyncPool, findings: Findings
) -> Window | None:
    """What of the days there are candles of, in all markets, of minutes that are over."""
    spans = [await minutes_span(pool, market_id) for market_id in markets]
    there = [span for span in spans if span is not None]
    if len(there) < len(spans):
        findings.add("start_date", NO_HISTORY)
        return None
    first_us, end_us = max(span[0] for span in there), min(span[1] for span in there) + MINUTE_US
    at_us = now_us()
    end_us = min(end_us, at_us - at_us % MINUTE_US)  # a minute that is under way still changes
    if end_us <= first_us:
        findings.add("start_date", NO_HISTORY)
        return None
    reaches = REACHES.format(since=instant_text(first_us), until=instant_text(end_us))
    outside = len(findings.found)
    if not first_us - first_us % DAY_US <= days[0] < end_us:
        findings.add("start_date", reaches)
    if not first_us < days[1] <= end_us + -end_us % DAY_US:
        findings.add("end_date", reaches)
    window = Window(max(first_us, days[0]), min(end_us, days[1]))
    if window.duration_s > DURATION_S_MAX:
        findings.add("end_date", LONG)
    return window if len(findings.found) == outside else None


async def lived_history(
    markets: Mapping[str, MarketSpec],
    window: Window,
    traded: Traded,
    sent: BacktestSent,
    pool: AsyncPool,
) -> Lived:
    """Candles as they are now, kept from here on. A month of them takes a while, in which others
    are answered. Raises Refused where a market has none of them."""
    found = {name: await minutes_of(pool, name, window) for name in markets}
    if not all(found.values()):
        raise malformed(FAILED, f"start_date: {NOTHING_THEN}", field="start_date")
    seed = SEED if sent.seed is None else sent.seed

    def lived() -> Lived:
        kept = kept_candles(found, window)
        table = on_history([*markets.values()], kept, traded, seed, window.duration_s)
        return Lived(table, window.since_us, history=kept.packed())

    return await asyncio.to_thread(lived)


async def minutes_of(pool: AsyncPool, market_id: str, window: Window) -> dict[int, Minute]:
    """Those of the window and of a day before it, by when they open, oldest first."""
    since_us = window.since_us - PAST_MINUTES_MAX * MINUTE_US
    many = (window.until_us - since_us) // MINUTE_US
    asked = TimeWindow(since_us, window.until_us)
    found = await candles(pool, market_id, MINUTE, asked, many)
    return {
        one.open_time_us: (
            *(one.open_ticks, one.high_ticks, one.low_ticks, one.close_ticks),
            one.volume_lots,
        )
        for one in reversed(found)
    }


def kept_candles(found: Mapping[str, Mapping[int, Minute]], window: Window) -> KeptCandles:
    """All of the window, and before it what there is in all markets."""
    first_us = min(max(min(minutes) for minutes in found.values()), window.since_us)
    count = (window.until_us - first_us) // MINUTE_US
    rows = {name: without_gaps(minutes, first_us, count) for name, minutes in found.items()}
    return KeptCandles(first_us, (window.since_us - first_us) // MINUTE_US, rows)


def lived_scenario(sent: BacktestSent, traded: Traded, days: tuple[int, int] | None) -> Lived:
    """A scenario that ships, which has a length of its own. Raises ScenarioError."""
    table = of_scenario(sent.scenario or "", traded)
    there = [market["id"] for market in table["markets"]]
    for place, market_id in enumerate(traded.market_ids):
        if market_id not in there:
            called = f"{sent.symbols[place]} is {market_id}"
            known = ", ".join(there)
            raise ScenarioError(
                f"symbols.{place}: {called}, the markets of {sent.scenario} are {known}",
                f"symbols.{place}",
            )
    since_us, until_us = days or (0, 0)
    of_days_s = (until_us - since_us) // SECOND_US or None
    return Lived(table, since_us, sent.duration_s or of_days_s)


def told_of(sent: BacktestSent, base: Mapping[str, Any], lived: Lived) -> dict[str, Any]:
    """What is told of it later, as JSON holds it."""
    duration_s = lived.duration_s or int(lived.table["duration_s"])
    return {
        "start_date": sent.start_date,
        "end_date": sent.end_date,
        "symbols": sent.symbols,
        "initial_capital": sent.initial_capital,
        "scenario": sent.scenario,
        "strategy": json.loads(json.dumps(merged(DEFAULT, base), default=float)),
        "since_us": lived.since_us,
        "until_us": lived.since_us + duration_s * SECOND_US,
    }


@contextmanager
def told_scenario() -> Iterator[None]:
    """What is wrong with a scenario, as this family's refusal."""
    try:
        yield
    except ScenarioError as error:
        refused = refused_scenario(error)
        details = {"field": error.field, **refused.details}
        raise Refused(refused.refusal, refused.message, details) from None
