"""The WebSocket: events of one's accounts and sessions, of agents and decisions, as they happen.
Nothing has to be asked for."""

import asyncio
from collections import deque
from collections.abc import Coroutine
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import Field, StrictStr, ValidationError
from starlette.websockets import WebSocket

from api.credentials.shown import NONE_SENT, Credentials
from api.credentials.tokens import Claims
from api.cryptofunk import stream_words
from api.cryptofunk.stream_sources import SessionMove, source_of
from api.cryptofunk.stream_words import PATH
from api.cryptofunk.symbols import Listing
from api.cryptofunk.wire import Body
from api.desk.paper import paper_user
from api.door.errors import as_refused
from api.door.hub import Hub
from api.door.routing import invalid
from api.door.services import Services
from api.door.stream_client import Message
from api.door.stream_session import Session, Subscription
from api.door.stream_topics import Channel, Login, Ping, Told, Topic, Wish
from api.exact_json import NotJson, read_json
from sim.refusals import Refusal, Refused
from storage.agents.changes import folded_fills, moved_positions
from storage.agents.positions import trading_accounts
from storage.agents.sessions import Session as TradingSession
from storage.agents.symbols import read_symbols
from storage.errors import DatabaseUnavailable, StorageError
from storage.intake.session_accounts import SessionStatus

MESSAGE_BYTES_MAX = 512
SOCKETS = {PATH: MESSAGE_BYTES_MAX}
OF_ACCOUNT = (Channel.ORDERS, Channel.FILLS, Channel.POSITIONS)
OF_ALL = (Channel.AGENTS, Channel.SESSIONS, Channel.DECISIONS)
BEGIN_S_MAX = 5.0
BACKLOG_MAX = 1_024
"""What happens to one's accounts while it is read how their positions stand."""

REMEMBERED_MAX = 1_024
"""Orders and positions of which it is known what was told last."""

AT_ONCE = 64
"""Messages that are offered before the client's queue may be emptied."""

RETRY_S = 0.5
FOR_EVER_S = 2**62
BEHIND = "More happens than can be read: connect again, and read by REST what was missed"


class StreamMessage(Body):
    """A client's message."""

    type: Literal["ping", "auth"]
    timestamp: Annotated[StrictStr, Field(max_length=64)] | None = None
    data: dict[str, Any] = Field(default_factory=dict)


class AgentsDialect:
    """This family over its WebSocket."""

    needs_login = True
    greets = False

    def read(self, text: str) -> Wish | Login | Ping:
        """A message. Raises Refused."""
        try:
            sent = StreamMessage.model_validate(read_json(text.encode()))
        except NotJson as error:
            raise Refused(Refusal.INVALID_REQUEST, str(error)) from None
        except ValidationError as error:
            raise as_refused(invalid(error)) from None
        if sent.type == "ping":
            return Ping()
        token = sent.data.get("token")
        if not isinstance(token, str) or not token:
            raise Refused(Refusal.INVALID_REQUEST, "data.token: is needed to authenticate")
        return Login(token)

    def listening(self, topic: Topic, sequence: int | None) -> str:
        """It was not asked for."""
        return ""

    def silent(self, topic: Topic) -> str:
        """Nor can it be."""
        return ""

    def told(self, told: Told, user_id: int | None) -> str:
        """What is told to many."""
        return stream_words.shared(told)

    def gap(self, topic: Topic, sequence: int) -> str:
        """Something was not told."""
        return stream_words.gap(topic, sequence)

    def logged_in(self, user_id: int) -> str:
        """It will be told from now on."""
        return stream_words.authenticated()

    def pong(self) -> str:
        """We are there."""
        return stream_words.frame("pong", {})

    def refused(self, refused: Refused) -> str:
        """No, and why."""
        return stream_words.refused(refused)


DIALECT = AgentsDialect()

router = APIRouter()


class AgentsSession(Session):
    """Whoever listens is told of all accounts that they trade in, and of those that they open."""

    def __init__(self, websocket: WebSocket, services: Services) -> None:
        super().__init__(websocket, services, DIALECT)
        self._awaited = set(OF_ALL)
        self._begun = asyncio.Event()
        self._backlog: deque[Told] = deque()
        self._turn = asyncio.Lock()
        """Nobody becomes somebody else while it is read what is for whom they were."""
        self._woken = asyncio.Event()
        self._last_fills: dict[int, dict[str, int]] = {}
        self._held: dict[int, list[Told]] = {}
        """Of accounts whose three channels are not all followed yet, what these have told."""
        self._last_told: dict[str, dict[str, Any]] = {}
        self._listing: Listing | None = None
        self._stopped: set[int] = set()
        self._still: set[int] = set()

    async def identify(self) -> None:
        """The paper account's user, where the family is open to whoever shows nothing: pages of
        other sites have been turned away before."""
        if self.shown == NONE_SENT and self.services.agents_open:
            opening = self.services.settings.opening_atoms
            paper = Claims(await paper_user(self.services.pool, opening), FOR_EVER_S)
            await self.be(paper, self.shown)
        else:
            await super().identify()

    async def be(self, claims: Claims | None, shown: Credentials) -> None:
        """Somebody, who is told of their accounts from now on. Whoever was let in without saying
        who they are may say so, and is nobody until then. Raises Refused, StorageError."""
        if self.claims is not None and self.shown == NONE_SENT != shown:
            async with self._turn:
                self._quit()
        is_new = self.claims is None
        await super().be(claims, shown)
        if is_new:
            try:
                await self._begin()
            except StorageError:
                async with self._turn:
                    self._quit()
                raise

    def _quit(self) -> None:
        assert self.claims is not None
        self.forget_all()
        self.hub.leave(self.claims.user_id)
        self.claims = None
        self._backlog.clear()
        self._last_fills.clear()
        self._last_told.clear()
        self._awaited = set(OF_ALL)
        self._begun.clear()
        self.await_login()

    async def _begin(self) -> None:
        """Listen to everything that there is; who has heard the end of this misses nothing."""
        assert self.claims is not None
        user_id, pool = self.claims.user_id, self.services.pool
        self._listing = Listing(await read_symbols(pool), await self.services.markets.markets())
        await self._follow_account(user_id)  # and behind it sessions have theirs listened to
        for account_id in await trading_accounts(pool, user_id):
            await self._follow_account(account_id)
        for channel in OF_ALL:
            topic = Topic(channel)
            listener = Subscription(self, topic, None)
            self.watch(listener, lambda topic=topic: source_of(pool, topic))  # type: ignore[misc]
        try:
            async with asyncio.timeout(BEGIN_S_MAX):
                await self._begun.wait()
        except TimeoutError:
            raise DatabaseUnavailable("what there is could not be read") from None

    async def _follow_account(self, account_id: int, after: int | None = None) -> None:
        """Listen to an account from now on, or to all of one that is new.

        after   the number that frames of a new one begin behind
        """
        if account_id not in self._last_fills:
            known = {} if after is not None else await folded_fills(self.services.pool, account_id)
            self._last_fills[account_id] = known
        self._held[account_id] = []
        try:
            for channel in OF_ACCOUNT:
                topic = Topic(channel, account_id=account_id)
                if topic not in self.subscriptions:
                    await self.follow(Subscription(self, topic, after))
        finally:
            for told in sorted(self._held.pop(account_id), key=lambda one: one.sequence):
                self._put(told)

    def works(self) -> list[Coroutine[Any, Any, None]]:
        """Beside the others: to read what happens to accounts."""
        return [*super().works(), self._work()]

    def tell(self, told: Told) -> None:
        """At once what is told to many, where it is for this user; of accounts when it is read."""
        if told.topic.channel.is_private:
            self._put(told)
        elif told.is_whole:
            self._awaited.discard(told.topic.channel)
            if told.topic.channel == Channel.SESSIONS:
                for session in told.row:
                    self._heard_of(session)
            if not self._awaited:
                self._begun.set()
        elif self._is_for_us(told):
            super().tell(told)
            if told.topic.channel == Channel.SESSIONS:
                self._put(told)

    def _heard_of(self, session: TradingSession) -> None:
        """A session that has started while we began to listen."""
        told = Told(Topic(Channel.SESSIONS), 0, SessionMove(session, None))
        if self._is_for_us(told) and session.account_id not in self._last_fills:
            self.tell(told)

    def _is_for_us(self, told: Told) -> bool:
        user_id = self.claims.user_id if self.claims is not None else 0
        if told.topic.channel == Channel.DECISIONS:
            return told.row.decision.session_id is None or told.row.user_id == user_id
        if told.topic.channel == Channel.SESSIONS:
            return bool(told.row.session.user_id == user_id)
        return True

    def _put(self, told: Told) -> None:
        held = self._held.get(told.topic.account_id)
        if held is not None:
            held.append(told)
            return
        if len(self._backlog) >= BACKLOG_MAX:
            self.client.end(1013, BEHIND)
            return
        self._backlog.append(told)
        self._woken.set()

    async def _work(self) -> None:
        """Read what happens to accounts, in order, and tell it."""
        offered = 0
        while True:
            await self._woken.wait()
            self._woken.clear()
            while self._backlog:
                try:
                    async with self._turn:
                        offered += await self._next()
                except StorageError:
                    await asyncio.sleep(RETRY_S)
                    continue
                except Exception:
                    self.crashed()
                    return
                if offered >= AT_ONCE:
                    offered = 0
                    await asyncio.sleep(0)

    async def _next(self) -> int:
        if not self._backlog:
            return 0
        count = await self._read_on(self._backlog[0])
        self._backlog.popleft()
        return count

    async def _read_on(self, told: Told) -> int:
        """Tell this; how many messages it takes. Raises StorageError."""
        channel = told.topic.channel
        if channel == Channel.SESSIONS:
            await self._moved(told.row)
            return 0
        listing = self._listing
        assert listing is not None, "whoever listens has read what is listed"
        if channel == Channel.ORDERS:
            texts = [*stream_words.order_frames(told, listing, self._is_news)]
        elif channel == Channel.FILLS:
            texts = [stream_words.fill_frame(told, listing)]
        else:
            texts = await self._positions(told, listing)
        for text in texts:
            self.client.offer(Message(text, channel, told.sequence))
        return len(texts)

    def _is_news(self, told_id: str, data: dict[str, Any]) -> bool:
        """Whether this was not the last that was told of it: what a client is shown of an order has
        fewer states than the order."""
        if self._last_told.get(told_id) == data:
            return False
        self._last_told.pop(told_id, None)
        self._last_told[told_id] = data
        if len(self._last_told) > REMEMBERED_MAX:
            del self._last_told[next(iter(self._last_told))]
        return True

    async def _moved(self, move: SessionMove) -> None:
        """Listen to the account of a session that has started, from its first moment on."""
        if move.session.status == SessionStatus.STOPPED:
            self._stopped.add(move.session.account_id)
        else:
            await self._follow_account(move.session.account_id, move.session.started_at_us)

    async def look_closely(self) -> None:
        """Also listen no longer to accounts whose sessions had stopped at the last look: all that
        has happened in them is told."""
        still, self._still, self._stopped = self._still, self._stopped, set()
        for account_id in still:
            self._last_fills.pop(account_id, None)
            for channel in OF_ACCOUNT:
                topic = Topic(channel, account_id=account_id)
                if topic in self.subscriptions:
                    self.forget(topic)
        await super().look_closely()

    async def _positions(self, told: Told, listing: Listing) -> list[str]:
        """The open position of a market, and what has closed since it was last told."""
        row, account_id = told.row, told.topic.account_id
        market_id = row if isinstance(row, str) else row.market_id
        last = self._last_fills.get(account_id)
        if last is None or self.claims is None:
            return []
        found = await moved_positions(
            self.services.pool, self.claims.user_id, account_id, market_id, last.get(market_id, 0)
        )
        for view in found:
            last[market_id] = max(last.get(market_id, 0), view.trip.last_fill_id)
        frames = (stream_words.position_frame(told, view, listing, self._is_news) for view in found)
        return [text for text in frames if text]


def clients_of(hub: Hub) -> int:
    """How many listen here to this family."""
    return sum(isinstance(session, AgentsSession) for session in hub.sessions)


@router.websocket(PATH)
async def get_agents_ws(websocket: WebSocket) -> None:
    """What happens, as it happens."""
    await AgentsSession(websocket, websocket.app.state.services).run()
