"""A session on a market that is driven by hand: signals, the orchestrator, a book of others."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import numpy as np
from uuid_utils.compat import uuid7

from actors.live.orchestrator import Orchestrator
from actors.live.risk_agent import Case, Judged, RiskPort, RiskUnavailable
from sim.book.engine import MarketEngine
from sim.rows.layouts import kept_bytes
from sim.rows.messages import COMMAND, CommandKind, Rows, Side, empty_commands, joined
from sim.signals.agents import AGENTS
from sim.signals.risk import judge
from sim.signals.signal import Action, Signal
from sim.signals.terms import StrategyTerms
from storage.agents.founding import name_markets
from storage.agents.sessions import locked_session, set_status, start_session
from storage.agents.signals import GivenSignal, give
from storage.intake.accept_state import OpenOrdersMax
from storage.intake.commands import sequence
from storage.intake.session_accounts import SessionStatus
from storage.market import journal
from storage.market.journal import Batch, view_of
from storage.postgres.database import AsyncPool, now_us, open_pool
from storage.postgres.unit_of_work import unit_of_work
from storage.reading.projections import MarketProjection, event_rows
from tests.actors.house import MARKET, House
from tests.builders import order, trader
from tests.markets import ETH_PERP

SYMBOL = "ETH/USDT"
INITIAL_ATOMS = 10_000_000_000
MIDDLE_TICKS = 5_991
ORDINAL = 2
SECOND_US = 1_000_000
TERMS = StrategyTerms()
DEPTH_LOTS = 5_000

Result = TypeVar("Result")


def with_pool(url: str, work: Callable[[AsyncPool], Awaitable[Result]]) -> Result:
    """As the database's user of the API or of actors."""

    async def worked() -> Result:
        pool = await open_pool(url, 2)
        try:
            return await work(pool)
        finally:
            await pool.close()

    return asyncio.run(worked())


class Judge:
    """The risk agent in this process, which can be away."""

    def __init__(self) -> None:
        self.is_away = False

    def verdicts(self, cases: Sequence[Case], patience_s: float) -> list[Judged]:
        if self.is_away:
            raise RiskUnavailable("away")
        return [Judged(judge(one.proposal, one.account, one.spec, one.terms)) for one in cases]


class LivedSession:
    """`offset_us` is how far the orchestrator's clock is ahead of the machine's."""

    def __init__(self, house: House) -> None:
        self.house, self.database = house, house.database
        name_markets(house.database, {SYMBOL: MARKET})
        self.engine = MarketEngine(ETH_PERP)
        self.head = journal.acquire(house.database, MARKET)
        self.projection = MarketProjection(house.database, ETH_PERP, ORDINAL)
        self.judge, self.offset_us = Judge(), 0
        self.risk: RiskPort = self.judge
        self.model_timeout_s = 0.0
        self.owner_id = trader(house.database)
        self.maker_id = trader(house.database, "100000000")
        self.session_id = uuid7()
        with_pool(house.api_url, self._started)
        self.orchestrator = self.another()
        self.quote()

    def another(self) -> Orchestrator:
        """What a fresh process would have: nothing but the tables."""
        self.orchestrator = Orchestrator(
            self.house.urls[0],
            self.risk,
            OpenOrdersMax(1_000, 1_000),
            self.clock_us,
            self.model_timeout_s,
        )
        return self.orchestrator

    def clock_us(self) -> int:
        return now_us() + self.offset_us

    async def _started(self, pool: AsyncPool) -> None:
        async with unit_of_work(pool) as connection:
            traded = (SYMBOL, MARKET)
            await start_session(connection, self.session_id, self.owner_id, traded, INITIAL_ATOMS)

    def stand(self, status: SessionStatus) -> None:
        """What the API's routes do."""

        async def asked(pool: AsyncPool) -> None:
            async with unit_of_work(pool) as connection:
                session = await locked_session(connection, self.session_id, self.owner_id)
                await set_status(connection, session, status)

        with_pool(self.house.api_url, asked)

    def agents_say(self, action: Action, confidence: float = 0.9) -> None:
        """All of them, now."""
        signal = Signal(action, confidence, {"number": 1.0}, "It is so. It was said by hand.")
        given = [GivenSignal(name, SYMBOL, signal, self.clock_us(), uuid7()) for name in AGENTS]

        async def said(pool: AsyncPool) -> None:
            async with unit_of_work(pool) as connection:
                await give(connection, given)

        with_pool(self.house.urls[0], said)

    def decides(self) -> None:
        with_pool(self.house.urls[0], lambda pool: self.orchestrator.decide(pool, TERMS))

    def sends(self) -> None:
        with_pool(self.house.urls[0], lambda pool: self.orchestrator.send(pool, TERMS))

    def cares(self, seconds: int = 1) -> None:
        """So much later."""
        self.offset_us += seconds * SECOND_US
        with_pool(self.house.urls[0], lambda pool: self.orchestrator.look_after(pool, TERMS))

    def quote(self, middle_ticks: int = MIDDLE_TICKS, lots: int = DEPTH_LOTS) -> None:
        """A maker's two orders around a price, which is mark too; 0 lots for an empty book."""
        self.house.cancel(self.maker_id, None)
        self.trades()
        self.database.execute(
            "UPDATE market_prices SET index_ticks = %s, mark_ticks = %s WHERE market_id = %s",
            (middle_ticks, middle_ticks, MARKET),
        )
        if lots:
            for side, ticks in ((Side.BUY, middle_ticks - 1), (Side.SELL, middle_ticks + 1)):
                self.house.place(order(self.maker_id, side, lots, price_ticks=ticks))
        self.marks(middle_ticks)

    def marks(self, ticks: int) -> None:
        """The market hears of a mark, and does what was asked of it."""
        row = empty_commands(1)
        row["kind"], row["price_ticks"], row["time_us"] = CommandKind.SET_MARK, ticks, now_us()
        self.trades(row)

    def trades(self, *rows: Rows) -> None:
        """Relay, market and recorder do what is to be done."""
        numbered = sequence(self.database, now_us()).get(MARKET, np.empty(0, COMMAND))
        inputs = joined([numbered, *rows])
        if not inputs.size:
            return
        events = self.engine.apply(inputs)
        chain = journal.next_chain(self.head.chain, kept_bytes(inputs), events.tobytes())
        command_seq = max(self.head.command_seq, int(inputs["command_seq"].max()))
        self.head = journal.Head(
            self.head.epoch,
            self.head.batch_no + 1,
            command_seq,
            self.engine.event_seq,
            chain,
        )
        data = kept_bytes(inputs), events.tobytes()
        batch = Batch(MARKET, self.head, now_us(), {}, *data)
        journal.commit_batch(self.database, batch, view_of(self.engine))
        rows_ = journal.events_after(self.database, MARKET, self.projection.batch_no, 1_000)
        self.projection.project([(row[0], row[1], row[2], event_rows(row[4])) for row in rows_])

    def rows(self, statement: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        return self.database.execute(statement, values).fetchall()

    @property
    def account_id(self) -> int:
        found = "SELECT account_id FROM trading_sessions WHERE id = %s"
        return int(self.rows(found, (self.session_id,))[0][0])

    def orders(self) -> list[tuple[Any, ...]]:
        """Name, side, lots, filled lots and whether each has ended."""
        return self.rows(
            "SELECT client_order_id, side, quantity_lots, filled_lots, ended_status IS NOT NULL"
            " FROM orders WHERE account_id = %s ORDER BY id",
            (self.account_id,),
        )

    def verdicts(self) -> list[tuple[Any, ...]]:
        """Action, state of the order, outcome and note of each."""
        return self.rows(
            "SELECT action, order_state, outcome, note FROM decisions"
            " WHERE kind = 'risk_approval' ORDER BY seq"
        )

    def position_lots(self) -> int:
        found = "SELECT quantity_lots FROM positions WHERE account_id = %s"
        rows = self.rows(found, (self.account_id,))
        return int(rows[0][0]) if rows else 0

    def session(self) -> dict[str, Any]:
        columns = "status, final_atoms, note, trades, winning_trades, losing_trades"
        row = self.rows(
            f"SELECT {columns} FROM trading_sessions WHERE id = %s", (self.session_id,)
        )[0]
        return dict(zip(columns.split(", "), row, strict=True))
