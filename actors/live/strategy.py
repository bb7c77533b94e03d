"""A strategy's actor: hosts a population and trades for it on its markets, step by step.

Orders meet the margin that they meet in simulations: see sim/money/traders_margin.py.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import structlog

from actors.loop import Loop
from sim.market import MarketSpec
from sim.money.traders_margin import TradersMargin
from sim.populations.population import Integers, MarketView, Population, StrategyReply
from sim.populations.quoted import QUOTED_PPM, is_quoted
from sim.rows.messages import Rows
from sim.rows.order_ids import LIVE, ids_of_batch
from storage.errors import DatabaseUnavailable

STEPS_PER_SECOND_DEFAULT = 5
ROWS_MAX = LIVE.number_max
"""Rows of one batch: what an order id has room for."""

RETRY_US_MIN = 200_000
RETRY_US_MAX = 5_000_000
RESENDS_MAX = 25
"""Times a batch that was not applied is sent again before the strategy registers anew."""

HELD_PAUSE_S = 0.05
HELD_TRIES_MAX = 20
"""How often the recorder is asked for what traders hold, before the market counts as away."""

QUOTES_WAIT_US_MAX = 120_000_000
"""How long traders who wait for quotes leave a market alone that has none."""

FIRST_QUOTES_PPM = 1_000
FIRST_QUOTES_WAIT_US_MAX = 15_000_000
"""How near to the index quotes stand before anybody begins to trade, and how long that is waited
for: else what lies far off is all there is to trade with, and the first candle tells of a crash."""

STOP_WAIT_S = 4.0

log = structlog.get_logger()


class MarketUnavailable(Exception):
    """The market is away; whether it applied what it was sent is not known."""


class MarketPort(Protocol):
    """A market as a strategy reaches it. Both raise MarketUnavailable."""

    def register(self, strategy_no: int, first_account: int, last_account: int) -> StrategyReply:
        """Withdraws all orders of the accounts; the last batch applied and the view after it."""

    def submit(self, strategy_no: int, batch_no: int, rows: Rows) -> StrategyReply:
        """Applies a batch once, however often it is sent."""


class StoredHoldings(Protocol):
    """What was recorded of a strategy's traders. Raises DatabaseUnavailable."""

    def read(self, market: int, accounts: range, event_seq: int) -> Integers | None:
        """int64 (accounts, 3) of TradersMargin.enter; None while an event up to `event_seq` is
        not recorded."""


@dataclass(frozen=True)
class Means:
    """What a strategy's traders trade with, each of them.

    specs             of its markets
    waits_for_quotes  of each, whether they leave it alone while its makers do not quote it
    """

    capital_atoms: int
    leverage: int
    specs: tuple[MarketSpec, ...]
    waits_for_quotes: tuple[bool, ...]
    stored: StoredHoldings


@dataclass
class _Seat:
    """Where the strategy stands on one market.

    view        None while it is not registered
    is_known    whether it was ever read what the traders hold there
    pending     a batch that was sent and is not known to be applied
    has_begun   whether anybody who waits for quotes has traded since it was registered
    unquoted_since_us   None while it is quoted, or need not be
    """

    port: MarketPort
    waits_for_quotes: bool
    view: MarketView | None = None
    is_known: bool = False
    batch_no: int = 0
    pending: Rows | None = None
    resends: int = 0
    retry_at_us: int = 0
    retry_us: int = RETRY_US_MIN
    has_begun: bool = False
    unquoted_since_us: int | None = None


class Strategy:
    """One population, its markets, and the numbers of its batches.

    strategy_no   1 to 2**14 − 1; part of every order id
    markets       in the order of the population's views
    clock_us      any monotone clock, microseconds
    """

    def __init__(
        self,
        strategy_no: int,
        population: Population,
        markets: Sequence[MarketPort],
        means: Means,
        clock_us: Callable[[], int] | None = None,
        steps_per_second: int = STEPS_PER_SECOND_DEFAULT,
        run: bool = False,
    ) -> None:
        self._strategy_no, self._population = strategy_no, population
        waits = means.waits_for_quotes
        self._seats = [_Seat(port, waiting) for port, waiting in zip(markets, waits, strict=True)]
        self._stored = means.stored
        self._margin = TradersMargin(
            population.accounts, means.capital_atoms, means.specs, means.leverage
        )
        self._clock_us = clock_us or monotonic_us
        self._step_us = 1_000_000 // steps_per_second
        self._step, self._life = 0, 0
        self._rows_sent, self._rows_cut = 0, 0
        self._loop = Loop(f"strategy {strategy_no}", self.run)
        if run:
            self.start()

    def start(self) -> None:
        """Run in a thread. A second call does nothing."""
        self._loop.start()

    def stop(self) -> None:
        """Finish the step under way and end."""
        self._loop.stop(STOP_WAIT_S)

    def health(self) -> dict[str, int]:
        """Steps done, markets it trades on, those of them that lack the quotes it waits for, rows
        sent, rows left out of batches that were full, orders that were not sent, for their traders'
        equity does not carry them or they are worth more than any order may be, and of the latter
        how many."""
        return {
            "steps": self._step,
            "markets": sum(seat.view is not None for seat in self._seats),
            "markets_unquoted": sum(seat.unquoted_since_us is not None for seat in self._seats),
            "rows_sent": self._rows_sent,
            "rows_cut": self._rows_cut,
            "orders_refused": self._margin.refused,
            "orders_too_large": self._margin.too_large,
        }

    def run(self) -> None:
        """Step after step until `stop`; late steps are left out, never made up for."""
        due_us = self._clock_us()
        while not self._loop.stopping.is_set():
            self._loop.beat()
            self.step_once()
            due_us = max(due_us + self._step_us, self._clock_us())
            self._loop.stopping.wait((due_us - self._clock_us()) / 1_000_000)

    def step_once(self) -> None:
        """One round: come back to markets that were away, decide, send every market its batch."""
        self._step += 1
        for market, seat in enumerate(self._seats):
            if seat.view is None and self._clock_us() >= seat.retry_at_us:
                self._attempt(market, self._register)
        ready = [self._view_to_act_on(seat) for seat in self._seats]
        batches = self._population.act(self._step, ready)
        self._margin.reckon([seat.view.mark_ticks if seat.view else 0 for seat in self._seats])
        for market, seat in enumerate(self._seats):
            if seat.view is not None and seat.pending is None:
                touch = (seat.view.best_bid_ticks, seat.view.mark_ticks)
                rows = self._margin.admit(market, batches[market], *touch)
                seat.pending, seat.resends = self._stamped(seat.batch_no + 1, rows), 0
            if seat.view is not None:
                self._attempt(market, self._submit)

    def _view_to_act_on(self, seat: _Seat) -> MarketView | None:
        """None while a batch is under way, before there is a mark to reckon margins at, and while
        quotes are waited for."""
        if seat.pending is not None or seat.view is None or seat.view.mark_ticks == 0:
            return None
        return None if self._awaits_quotes(seat, seat.view) else seat.view

    def _awaits_quotes(self, seat: _Seat, view: MarketView) -> bool:
        """Whether the market's makers, who may have been started again, come first."""
        touch = (view.best_bid_ticks, view.best_ask_ticks)
        now_us, since_us = self._clock_us(), seat.unquoted_since_us
        waited_us = 0 if since_us is None else now_us - since_us
        is_first = not seat.has_begun and waited_us < FIRST_QUOTES_WAIT_US_MAX
        within_ppm = FIRST_QUOTES_PPM if is_first else QUOTED_PPM
        if not seat.waits_for_quotes or is_quoted(view.index_ticks, *touch, within_ppm):
            seat.unquoted_since_us, seat.has_begun = None, True
            return False
        if since_us is None:
            seat.unquoted_since_us = now_us
        return waited_us < QUOTES_WAIT_US_MAX

    def _attempt(self, market: int, call: Callable[[int], None]) -> None:
        """A call that may find the market away; then a pause that doubles up to a limit."""
        seat = self._seats[market]
        self._loop.beat()
        try:
            call(market)
        except (MarketUnavailable, DatabaseUnavailable, TimeoutError) as error:
            said = str(error).strip().rpartition("\n")[2]  # Ray puts a trace before it
            log.info("market_away", strategy=self._strategy_no, market=market, error=said)
            seat.view, seat.pending = None, None
            seat.retry_at_us = self._clock_us() + seat.retry_us
            seat.retry_us = min(2 * seat.retry_us, RETRY_US_MAX)

    def _register(self, market: int) -> None:
        seat, accounts = self._seats[market], self._population.accounts
        self._look_elsewhere(market)
        reply = seat.port.register(self._strategy_no, accounts.start, accounts.stop - 1)
        self._margin.enter(market, self._held(market, reply.view.event_seq))
        seat.is_known = True
        self._life = self._life or reply.batch_no + 1
        self._population.enter(market, self._life, reply.positions_lots)
        if reply.positions_lots is None:
            self._population.learn(market, reply.events)
        seat.view, seat.batch_no, seat.pending = reply.view, reply.batch_no, None
        seat.retry_us, seat.unquoted_since_us, seat.has_begun = RETRY_US_MIN, None, False

    def _look_elsewhere(self, market: int) -> None:
        """Markets that were not entered since the strategy began bind margin too: what is
        recorded of them counts until they are."""
        for other, seat in enumerate(self._seats):
            if other != market and not seat.is_known:
                self._margin.enter(other, self._held(other, 0))
                seat.is_known = True

    def _held(self, market: int, event_seq: int) -> Integers:
        """What the traders hold in a market: they have no orders there, so what is recorded up to
        their last event is how it is."""
        for _ in range(HELD_TRIES_MAX):
            self._loop.beat()
            held = self._stored.read(market, self._population.accounts, event_seq)
            if held is not None:
                return held
            if self._loop.stopping.wait(HELD_PAUSE_S):
                break
        raise MarketUnavailable("the recorder is behind")

    def _submit(self, market: int) -> None:
        """Send the pending batch; it stays pending until the market says it is applied."""
        seat = self._seats[market]
        assert seat.pending is not None, "nothing to send"
        batch_no = seat.batch_no + 1
        reply = seat.port.submit(self._strategy_no, batch_no, seat.pending)
        self._population.learn(market, reply.events)
        self._margin.learn(market, reply.events)
        seat.view = reply.view
        if reply.batch_no == batch_no:
            self._margin.answered(market)
            self._rows_sent += len(seat.pending)
            seat.batch_no, seat.pending = batch_no, None
            return
        seat.resends += 1
        if reply.batch_no > batch_no or seat.resends > RESENDS_MAX:
            raise MarketUnavailable(f"batch {batch_no} was sent, {reply.batch_no} was the last")

    def _stamped(self, batch_no: int, rows: Rows) -> Rows:
        """The rows of a batch with ids of their own in PLACE rows; at most ROWS_MAX of them."""
        self._rows_cut += max(0, len(rows) - ROWS_MAX)
        rows = rows[:ROWS_MAX]
        ids = ids_of_batch(self._strategy_no, batch_no, len(rows))
        rows["order_id"] = np.where(rows["order_id"] == 0, ids, rows["order_id"])
        return rows


def monotonic_us() -> int:
    """The machine's monotone clock in microseconds."""
    return time.monotonic_ns() // 1_000
