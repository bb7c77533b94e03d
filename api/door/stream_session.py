"""One WebSocket: who is at the other end, what they listen to, and what they are told."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

from starlette.websockets import WebSocket

from api.credentials.key_ring import prefix_of
from api.credentials.shown import NONE_SENT, Credentials, Lack, unauthenticated
from api.credentials.tokens import Claims
from api.desk.orders import find_market
from api.door.callers import Chosen, holder_in
from api.door.errors import as_refused
from api.door.front import Call, call_of
from api.door.limits import Principal, RateKind, too_many
from api.door.market_topics import Source, source_of
from api.door.services import Services
from api.door.stream_client import CLIENTS, Client, Message
from api.door.stream_topics import Channel, Dialect, Login, Ping, Told, Topic, Wish
from sim.money.candles import INTERVALS_US
from sim.refusals import Refusal, Refused
from storage.errors import StorageError
from storage.people.accounts import find_standing
from storage.people.api_keys import Scope

LOGIN_S_MAX = 5.0
"""How long somebody may be silent where nobody stays a stranger."""

SUBSCRIPTIONS_MAX = 64
NOT_KNOWN = 4401
"""Our code where a socket is closed for who is, or is not, at its other end."""


class Subscription:
    """A topic that this client listens to."""

    def __init__(self, session: "Session", topic: Topic, after: int | None) -> None:
        self._session = session
        self.topic = topic
        self.after = after
        self.position = -1

    def tell(self, told: Told) -> None:
        """What is new of an account is told once; of a market the reader sees to that."""
        if self.topic.channel.is_private:
            if told.sequence <= self.position:
                return
            self.position = told.sequence
        self._session.tell(told)

    def lost(self, sequence: int) -> None:
        """What came before this number is not told."""
        self.position = sequence
        self._session.say(self._session.dialect.gap(self.topic, sequence))

    async def room(self) -> None:
        """Wait until much can be told at once."""
        await self._session.client.room()


class Session:
    """From the handshake to the closing."""

    def __init__(self, websocket: WebSocket, services: Services, dialect: Dialect) -> None:
        self.client = Client(websocket)
        self.dialect = dialect
        self._websocket, self.services, self.hub = websocket, services, services.hub
        self.call: Call = call_of(websocket.scope)
        self.shown = self.call.credentials
        self.claims: Claims | None = None
        self.subscriptions: dict[Topic, Subscription] = {}

    async def run(self) -> None:
        """Serve the client until it goes, or is sent away. Raises Refused before the handshake."""
        CLIENTS.inc()
        tasks: list[asyncio.Task[None]] = []
        try:
            await self.identify()
            await self._websocket.accept()
            self.hub.sessions.add(self)
            if self.claims is not None and self.dialect.greets:
                self.say(self.dialect.logged_in(self.claims.user_id))
            tasks += [asyncio.create_task(work) for work in self.works()]
            either: list[asyncio.Future[Any]] = [*tasks, self.client.ending]
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        except OSError:  # who has asked is gone before the answer
            return
        finally:
            await self._close(tasks)

    async def identify(self) -> None:
        """Be whom the handshake shows. Raises Refused, StorageError."""
        if self.shown != NONE_SENT:
            await self.be(self.call.claims, self.shown)
        elif self.dialect.needs_login:
            self.await_login()

    def await_login(self) -> None:
        """Whoever does not say in time who they are is sent away."""
        asyncio.get_running_loop().call_later(LOGIN_S_MAX, self._end_if_unknown)

    def _end_if_unknown(self) -> None:
        if self.claims is None:
            self.client.end(NOT_KNOWN, "Nobody has said who this is")

    def works(self) -> list[Coroutine[Any, Any, None]]:
        """What is done at once for as long as the client is there."""
        return [self._read(), self.client.run()]

    async def _close(self, tasks: list[asyncio.Task[None]]) -> None:
        CLIENTS.dec()
        self.hub.sessions.discard(self)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.forget_all()
        if self.claims is not None:
            self.hub.leave(self.claims.user_id)
        if self.client.ending.done():
            ending = self.client.ending.result()
            closing = {"type": "websocket.close", "code": ending.code, "reason": ending.reason}
            await self.hub.closed(self._websocket.send(closing))

    async def _read(self) -> None:
        while (message := await self._websocket.receive())["type"] == "websocket.receive":
            try:
                await self._answer(message["text"])
            except (Refused, StorageError) as error:
                self.say(self.dialect.refused(as_refused(error)))
            except Exception:
                self.crashed()
                return
            await self.client.room()

    def crashed(self) -> None:
        """A bug that this client has met ends its socket, and no other's."""
        self.hub.crashes.crashed(self.call.request_id.decode())
        self.client.end(1011, "Something went wrong on our side")

    async def _answer(self, text: str) -> None:
        wish = self.dialect.read(text)
        if isinstance(wish, Ping):
            self.say(self.dialect.pong())
        elif isinstance(wish, Login):
            await self.log_in(wish.text)
        elif wish.ends:
            await self._unsubscribe(wish)
        else:
            await self.subscribe(wish)

    def say(self, text: str) -> None:
        """Send an answer, where the family has words for it."""
        if text:
            self.client.offer(Message(text))

    def tell(self, told: Told) -> None:
        """Send what a topic tells."""
        try:
            text = self.hub.worded(self.dialect, told, self.claims.user_id if self.claims else None)
        except Exception:
            self.crashed()
            return
        if text:
            self.client.offer(Message(text, told.topic.channel, told.sequence))

    async def log_in(self, text: str) -> None:
        """Be known by a token or an API key; again with a new one before the old one ends."""
        is_key = prefix_of(text) is not None
        shown = Credentials(api_key=text) if is_key else Credentials(bearer=text)
        window = self.services.rates.hit(RateKind.WRITE, Principal(self.call.address))
        if not window.allowed:
            raise too_many(window)
        await self.be(await self._claims_of(shown), shown)
        assert self.claims is not None, "who was refused is not here any more"
        self.say(self.dialect.logged_in(self.claims.user_id))

    async def _claims_of(self, shown: Credentials) -> Claims | None:
        if shown.api_key is None:
            return self.services.tokens.verify(shown.token) if shown.token else None
        claims = await self.services.keys.look_up(self.services.pool, shown.api_key)
        return claims if claims is not None and claims.expires_at_s > time.time() else None

    async def be(self, claims: Claims | None, shown: Credentials) -> None:
        """Somebody, from now on. Raises Refused."""
        if claims is None:
            is_late = bool(shown.token and self.services.tokens.is_expired(shown.token))
            raise unauthenticated(shown, Lack.EXPIRED if is_late else Lack.INVALID)
        if claims.scopes is not None and Scope.READ not in claims.scopes:
            raise Refused(Refusal.FORBIDDEN, f"This API key does not have the scope {Scope.READ}")
        if self.claims is not None and self.claims.user_id != claims.user_id:
            raise Refused(Refusal.FORBIDDEN, "This connection is another user's: open one of yours")
        await self._check(claims.user_id, claims.user_id)
        if self.claims is None:
            self.hub.enter(claims.user_id)
        self.claims, self.shown = claims, shown

    async def _check(self, user_id: int, account_id: int) -> None:
        """Raises Refused where the user may not look, or the account is not theirs."""
        standing = await find_standing(self.services.pool, user_id, account_id)
        holder_in(Chosen(user_id, account_id), standing)

    async def topic_of(self, wish: Wish) -> Topic:
        """What a wish is about. Raises Refused."""
        if wish.channel.is_private:
            if self.claims is None:
                raise unauthenticated(Credentials(), Lack.MISSING)
            account_id = wish.account_id if wish.account_id is not None else self.claims.user_id
            return Topic(wish.channel, account_id=account_id)
        market = await find_market(self.services.markets, wish.market_id or "")
        interval = (wish.interval or "") if wish.channel == Channel.CANDLES else ""
        if wish.channel == Channel.CANDLES and interval not in INTERVALS_US:
            known = ", ".join(INTERVALS_US)
            raise Refused(Refusal.INVALID_REQUEST, f"interval: must be one of {known}")
        if wish.channel == Channel.FUNDING and market.spec.is_spot:
            raise Refused(Refusal.INVALID_REQUEST, "A spot market has no funding")
        return Topic(wish.channel, market.spec.market_id, interval)

    async def subscribe(self, wish: Wish) -> None:
        """Listen. Raises Refused, StorageError."""
        topic = await self.topic_of(wish)
        if topic in self.subscriptions:
            raise Refused(Refusal.INVALID_REQUEST, "This is listened to already")
        if len(self.subscriptions) >= SUBSCRIPTIONS_MAX:
            raise Refused(
                Refusal.INVALID_REQUEST,
                f"One connection listens to {SUBSCRIPTIONS_MAX} things at the most",
            )
        listener = Subscription(self, topic, wish.after)
        if not topic.channel.is_private:
            market = await find_market(self.services.markets, topic.market_id)
            pool, spec = self.services.pool, market.spec
            self.watch(listener, lambda: source_of(pool, topic, spec))
            return
        assert self.claims is not None, "private topics are of somebody"
        await self._check(self.claims.user_id, topic.account_id)
        await self.follow(listener)

    async def follow(self, listener: Subscription) -> None:
        """Listen to what happens to an account. Raises StorageError."""
        topic = listener.topic
        sequence = await self.hub.accounts.join(listener)
        self.subscriptions[topic] = listener
        self.say(self.dialect.listening(topic, sequence))
        if listener.after is not None:
            try:
                await self.hub.accounts.resume(listener)
            except BaseException:
                self.subscriptions.pop(topic, None)
                raise

    def watch(self, listener: Subscription, opened: Callable[[], Source]) -> None:
        """Listen to what is read for everybody."""
        self.subscriptions[listener.topic] = listener
        self.say(self.dialect.listening(listener.topic, None))
        self.hub.markets.join(listener, opened)

    async def _unsubscribe(self, wish: Wish) -> None:
        topic = await self.topic_of(wish)
        if topic not in self.subscriptions:
            raise Refused(Refusal.INVALID_REQUEST, "This is not listened to")
        self.forget(topic)
        self.say(self.dialect.silent(topic))

    def forget_all(self) -> None:
        """Nothing is told any longer."""
        for topic in list(self.subscriptions):
            self.forget(topic)

    def forget(self, topic: Topic) -> None:
        listener = self.subscriptions.pop(topic)
        if topic.channel.is_private:
            self.hub.accounts.leave(listener)
        else:
            self.hub.markets.leave(listener)

    def look(self) -> None:
        """End where the login has ended. Whoever is here without one is let be."""
        if self.claims is None or self.shown == NONE_SENT:
            return
        if self.shown.api_key is not None:
            if self.claims.expires_at_s <= time.time():
                self.client.end(NOT_KNOWN, "This API key has expired")
        elif self.services.tokens.verify(self.shown.token or "") is None:
            self.client.end(NOT_KNOWN, "This login has ended: log in again, and resume")

    async def look_closely(self) -> None:
        """End where the database says that the user may not look any more, or has not these
        accounts. While it is away nothing new is told."""
        if self.claims is None:
            return
        accounts = {topic.account_id for topic in self.subscriptions if topic.account_id}
        try:
            if self.shown.api_key is not None:
                await self.be(await self._claims_of(self.shown), self.shown)
            for account_id in accounts | {self.claims.user_id}:
                await self._check(self.claims.user_id, account_id)
        except Refused as refused:
            self.client.end(NOT_KNOWN, refused.message[:120])
