"""The risk actor: index and mark prices four times a second, headlines, the dead-man switches, and
once an hour the guests who never traded."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import structlog

from actors.live.identity_sweep import IdentitySweep
from actors.loop import Loop
from sim.market import MarketSpec
from sim.money.mark import Quotes, next_mark
from sim.prices.headlines import GivenNews, News, moved_ticks
from sim.prices.processes import ReferencePrice, StateMismatch, SyntheticPrice
from storage.errors import StorageError
from storage.intake.cancel_after import fire_expired
from storage.market.headlines import tell_headlines
from storage.market.prices import Connection, StoredPrice, read_prices, read_quotes, write_prices
from storage.postgres.database import Link, now_us

TICK_S = 0.25
"""How often; reference prices are made with the same step."""

STOP_WAIT_S = 4.0
GUEST_TTL_S = 86_400
NO_QUOTES = Quotes(0, 0, 0)
NOBODY: Mapping[str, str] = {}
SILENCE = GivenNews()

TOLD_BACK_US = 86_400_000_000
"""At its first tick it tells the headlines of so long before: what was public while nobody ran."""

log = structlog.get_logger()


@dataclass
class _Tracked:
    """One market's price process and what was last known of it."""

    spec: MarketSpec
    price: ReferencePrice
    basis_ema_q20: int = 0
    updated_at_us: int = 0

    @property
    def market_id(self) -> str:
        """Which market."""
        return self.spec.market_id

    def step(self, news: News, at_us: int) -> int:
        """The next index, in ticks: news moves one that is synthetic. Its own state knows nothing
        of that, so that the same seed takes it the same way in a simulation."""
        ticks = self.price.step()
        if not isinstance(self.price, SyntheticPrice):
            return ticks
        moves_ppm = news.moves_ppm(self.spec.base_asset, np.array([at_us]))
        return int(moved_ticks(np.array([ticks]), moves_ppm, self.spec.max_price_ticks)[0])


class Risk:
    """One a deployment. Prices go on from where they were stored; they never jump.

    markets       each market with its reference price, at its start
    followed      of each market whose index is another's, which one that is: they stay together
                  wherever that one was when this was listed
    guest_ttl_s   how long a guest who does nothing is kept
    news          headlines, told as they become public, and what they do to an index
    """

    def __init__(
        self,
        database_url: str,
        markets: Sequence[tuple[MarketSpec, ReferencePrice]],
        clock_us: Callable[[], int] = now_us,
        guest_ttl_s: int = GUEST_TTL_S,
        followed: Mapping[str, str] = NOBODY,
        news: News = SILENCE,
        run: bool = False,
    ) -> None:
        self._link = Link(database_url, "risk")
        self._clock_us = clock_us
        self._tracked = [_Tracked(spec, price) for spec, price in markets]
        self._followed = dict(followed)
        self._news, self._told_until_us = news, 0
        self._sweep = IdentitySweep(guest_ttl_s)
        self._resumed = False
        self._ticks, self._failures, self._fired = 0, 0, 0
        self._loop = Loop("risk", self.run)
        if run:
            self.start()

    def start(self) -> None:
        """Run in a thread. A second call does nothing."""
        self._loop.start()

    def stop(self) -> None:
        """Finish the tick under way, end, and give the connection back."""
        self._loop.stop(STOP_WAIT_S)
        self._link.close()

    def health(self) -> dict[str, int]:
        """Ticks done, ticks in a row that found no database, switches fired."""
        return {"ticks": self._ticks, "failures": self._failures, "fired": self._fired}

    def run(self) -> None:
        """Tick until `stop`; while the database is away nothing moves."""
        while not self._loop.stopping.wait(TICK_S):
            self._loop.beat()
            try:
                self.tick()
                self._failures = 0
            except StorageError as error:
                self._failures += 1
                log.warning("risk_waits", error=str(error), failures=self._failures)

    def tick(self) -> None:
        """New index and mark of every market, stored; then the switches and what is due once an
        hour. Raises StorageError."""
        connection = self._link()
        if not self._resumed:
            self._resume(read_prices(connection))
        quotes = read_quotes(connection)
        at_us = self._clock_us()
        indexes = {
            market.market_id: market.step(self._news, at_us)
            for market in self._tracked
            if market.market_id not in self._followed
        }
        for market_id, other in self._followed.items():
            indexes[market_id] = indexes[other]
        rows = [
            self._next(market, indexes[market.market_id], quotes, at_us) for market in self._tracked
        ]
        write_prices(connection, rows)
        self._ticks += 1
        self._tell(connection, at_us)
        self._fired += fire_expired(connection, at_us)
        self._sweep.step(connection, at_us)

    def _tell(self, connection: Connection, at_us: int) -> None:
        """What has become public since the last time."""
        since_us = self._told_until_us or at_us - TOLD_BACK_US
        headlines = self._news.public(since_us, at_us)
        if headlines:
            tell_headlines(connection, headlines)
        self._told_until_us = max(at_us, since_us)

    def _resume(self, stored: dict[str, StoredPrice]) -> None:
        for market in self._tracked:
            row = stored.get(market.market_id)
            if row is not None:
                self._resume_one(market, row)
        self._resumed = True

    def _resume_one(self, market: _Tracked, row: StoredPrice) -> None:
        market.basis_ema_q20, market.updated_at_us = row.ema_state, row.updated_at_us
        if row.price_state is None:
            return
        try:
            market.price.restore(row.price_state)
        except StateMismatch as error:
            log.warning("price_starts_anew", market=market.market_id, error=str(error))

    def _next(
        self, market: _Tracked, index_ticks: int, quotes: dict[str, Quotes], at_us: int
    ) -> StoredPrice:
        elapsed_us = at_us - (market.updated_at_us or at_us)
        book = quotes.get(market.market_id, NO_QUOTES)
        mark = next_mark(index_ticks, book, market.basis_ema_q20, elapsed_us)
        market.basis_ema_q20, market.updated_at_us = mark.basis_ema_q20, at_us
        return StoredPrice(
            market.market_id,
            index_ticks,
            mark.mark_ticks,
            mark.basis_ema_q20,
            None if market.market_id in self._followed else market.price.state(),
            at_us,
        )
