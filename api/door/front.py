"""What happens to every request before and after its handler, in one ASGI layer.

Request id, who asks, rate limit, host and origin, body limit, response headers,
metrics, and the net under everything: a crash becomes its family's 500.
"""

import re
import time
from typing import Any

import uuid_utils
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.credentials.app_tokens import app_token_prefix, holder_of_token
from api.credentials.key_ring import prefix_of
from api.credentials.shown import MIXED, Credentials, Lack, credentials_in, unauthenticated
from api.credentials.tokens import Claims
from api.door.bodies import LARGE_AT_ONCE, BodyLimits
from api.door.client_address import address_group
from api.door.cookies import TOKEN, cookie_in
from api.door.crash_log import CrashLog
from api.door.errors import NO_SUCH_PATH, as_refused
from api.door.families import Families
from api.door.limits import Principal, RateKind, Window, too_many
from api.door.metrics import observe
from api.door.origins import SOCKET, Hosts, Origins
from api.door.services import Services
from api.fair_turns import FairTurns
from sim.refusals import Refusal, Refused
from storage.errors import StorageError
from storage.people.app_tokens import TokenHolder

REQUEST_ID_TEXT = re.compile(rb"[A-Za-z0-9._-]{1,64}")
PIECE_BYTES = 65_536
"""A longer body is written in pieces, each when the last has left: none is buffered whole."""

LOOKED_AT = frozenset(
    {
        b"access-control-request-method",
        b"authorization",
        b"content-length",
        b"cookie",
        b"host",
        b"origin",
        b"sec-fetch-site",
        b"x-api-key",
        b"x-forwarded-for",
        b"x-request-id",
    }
)
KEPT = b"cache-control"
"""What a cookie is answered is for nobody else: a cache between does not know that by itself."""

CRASHED = Refused(Refusal.INTERNAL_ERROR, "Something went wrong on our side")
UNKNOWN_HOST = (
    Refusal.UNKNOWN_HOST,
    "The header Host names none of this server's names; the setting SANDPIT_HOSTS_ALLOWED adds one",
)
ENCODED_SLASH, ENCODED_NUL = b"%2f", b"%00"
NO_SUCH_NAME = (
    Refusal.NOT_FOUND,
    "There is nothing here: no name in a path has a slash in it",
)
NOTHING_HERE = (Refusal.NOT_FOUND, NO_SUCH_PATH)
NO_QUERY = (
    Refusal.INVALID_REQUEST,
    "Nothing stands behind a WebSocket's path, least of all a token: whoever reads a log would have"
    " it. Send it in a header, or in the first message",
)
FOREIGN_PAGE = (
    Refusal.FORBIDDEN,
    "A page of another site may not do this; the setting SANDPIT_CORS_ORIGINS allows its origin",
)


class Call:
    """One request on its way through: who asks, under which id, and what is left to them."""

    __slots__ = (
        *("address", "credentials", "claims", "kind", "late"),
        *(
            "app_token",
            "body_bytes",
            "body_bytes_max",
            "origin",
            "request_id",
            "started",
            "token_holder",
            "window",
        ),
    )

    def __init__(
        self, request_id: bytes, address: str, credentials: Credentials, origin: bytes | None
    ) -> None:
        self.request_id = request_id
        self.address = address
        self.credentials = credentials
        self.origin = origin
        self.claims: Claims | None = None
        self.app_token = app_token_prefix(credentials.bearer or "")
        self.token_holder: TokenHolder | None = None
        self.kind = RateKind.READ
        self.late = False
        self.window: Window | None = None
        self.body_bytes = self.body_bytes_max = 0
        self.started = False

    @property
    def principal(self) -> Principal:
        """Whom the rate limits count: the address, and the user of valid credentials. How a token
        of the explorer begins stands for its user before it is looked up: so none can be tried
        out faster than that."""
        return Principal(self.address, self.claims.user_id if self.claims else self.app_token)


class Front:
    """The layer itself."""

    def __init__(
        self, app: ASGIApp, services: Services, families: Families, bodies: BodyLimits
    ) -> None:
        self._app, self._families = app, families
        self._services = services
        self._bodies, self._large = bodies, FairTurns("large bodies", LARGE_AT_ONCE)
        self._hosts = Hosts(services.settings)
        self._origins = Origins(services.settings)
        self._crashes = CrashLog()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._open_socket({**scope, "method": SOCKET}, receive, send)
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        if scope["method"] == "HEAD":  # a GET; the server sends no body, for its own scope says so
            scope = {**scope, "method": "GET"}
        sent = looked_at(scope)
        call = scope["call"] = self._identify(scope, sent)
        status = 0

        async def counted() -> Message:
            message = await receive()
            call.body_bytes += len(message.get("body", b""))
            if call.body_bytes > call.body_bytes_max:
                raise too_large(call.body_bytes_max)
            return message

        async def stamped(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                call.started = True
                status = message["status"]
                own = self._origins.headers_for(call.origin)
                headers = [*message.get("headers", ()), *headers_of(call), *own]
                if call.credentials.cookie is not None and KEPT not in dict(headers):
                    headers.append((KEPT, b"private, no-store"))
                message["headers"] = headers
            elif len(message.get("body", b"")) > PIECE_BYTES:
                await send_in_pieces(message, send)
                return
            await send(message)

        try:
            await self._pass(call, sent, scope, counted, stamped)
        except ClientDisconnect:
            status = 499
        finally:
            observe(scope, status, time.perf_counter() - began)

    async def _open_socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A WebSocket's handshake passes what a request passes; then it is its endpoint's."""
        sent = looked_at(scope)
        call = scope["call"] = self._identify(scope, sent)

        async def noted(message: Message) -> None:
            call.started = call.started or message["type"] == "websocket.accept"
            if message["type"] == "websocket.http.response.start":
                message["headers"] = [*message.get("headers", ()), *headers_of(call)]
            await send(message)

        if scope["query_string"]:
            refused = Refused(*NO_QUERY)
            await self._families.of(scope).refuse(refused, scope)(scope, receive, noted)
            return
        await self._pass(call, sent, scope, receive, noted)

    async def _pass(
        self, call: Call, sent: dict[bytes, bytes], scope: Scope, receive: Receive, send: Send
    ) -> None:
        try:
            await self._admit(call, sent, scope)
            preflight = self._origins.preflight(scope["method"], sent)
            if preflight is not None:
                await send({"type": "http.response.start", "status": 204, "headers": preflight})
                await send({"type": "http.response.body", "body": b""})
                return
            if call.body_bytes_max > self._bodies.of_all_bytes:
                async with self._large.turn(call.address):
                    await self._app(scope, receive, send)
            else:
                await self._app(scope, receive, send)
        except ClientDisconnect:
            raise
        except (Refused, StorageError) as error:
            await self._families.of(scope).refuse(as_refused(error), scope)(scope, receive, send)
        except Exception:
            self._crashes.crashed(call.request_id.decode())
            if call.started:
                return  # the server closes a connection whose answer is not whole
            await self._families.of(scope).refuse(CRASHED, scope)(scope, receive, send)

    def _identify(self, scope: Scope, sent: dict[bytes, bytes]) -> Call:
        request_id = sent.get(b"x-request-id", b"")
        if REQUEST_ID_TEXT.fullmatch(request_id) is None:
            request_id = str(uuid_utils.uuid7()).encode()
        peer = scope["client"][0] if scope.get("client") else "-"
        client = self._services.proxies.client(peer, sent.get(b"x-forwarded-for", b""))
        family = self._families.of_path(scope["path"])
        takes_cookies = family.takes_cookies or scope["method"] == SOCKET
        cookies = sent.get(b"cookie") if takes_cookies else None
        credentials = credentials_in(
            sent.get(b"authorization"), sent.get(b"x-api-key"), cookie_in(cookies, TOKEN)
        )
        call = Call(request_id, address_group(client), credentials, sent.get(b"origin"))
        call.body_bytes_max = self._bodies.of_all_bytes
        call.kind = family.rate_kind(scope["method"], scope["path"])
        if credentials.token and not credentials.are_mixed:
            call.claims = self._services.tokens.verify(credentials.token)
        return call

    async def _admit(self, call: Call, sent: dict[bytes, bytes], scope: Scope) -> None:
        kind = call.kind
        if call.credentials.api_key and not call.credentials.are_mixed:
            await self._open_by_key(call, call.credentials.api_key, kind)
        self._count(call, call.principal, kind)
        if call.credentials.are_mixed:
            raise await self._mixed(call)
        if not self._hosts.serve(sent.get(b"host", b"localhost")):
            raise Refused(*UNKNOWN_HOST)
        if self._origins.refuse(scope["method"], sent):
            raise Refused(*FOREIGN_PAGE)
        path = scope["raw_path"].lower()
        if ENCODED_SLASH in path and not self._may_be_slashed(scope["path"]):
            raise Refused(*NO_SUCH_NAME)
        if ENCODED_NUL in path:
            raise Refused(*NOTHING_HERE)
        self._bound_body(call, sent.get(b"content-length", b"0"), scope)
        call.token_holder = await self._holder(call)

    def _bound_body(self, call: Call, length: bytes, scope: Scope) -> None:
        """Who does not say beforehand that a body is large may send none that is."""
        if not length.isdigit() or int(length) <= call.body_bytes_max:
            return
        most = self._bodies.bytes_max(scope["method"], scope["path"])
        if int(length) > most:
            raise too_large(most)
        call.body_bytes_max = most

    def _may_be_slashed(self, path: str) -> bool:
        return path.startswith(self._families.of_path(path).slashed)

    async def _holder(self, call: Call) -> TokenHolder | None:
        """Whose token of the explorer was sent."""
        if call.app_token is None or call.credentials.bearer is None:
            return None
        return await holder_of_token(self._services.pool, call.credentials.bearer)

    async def _mixed(self, call: Call) -> Refused:
        """Nobody falls back to a cookie with a token that is wrong."""
        sent = call.credentials
        is_wrong = sent.bearer is not None and self._services.tokens.verify(sent.bearer) is None
        if is_wrong and sent.cookie is not None and sent.api_key is None:
            if await self._holder(call) is not None:
                return Refused(Refusal.INVALID_REQUEST, MIXED)
            return unauthenticated(sent, Lack.INVALID)
        return Refused(Refusal.INVALID_REQUEST, MIXED)

    async def _open_by_key(self, call: Call, api_key: str, kind: RateKind) -> None:
        """Who asks by this key. One that is not remembered is counted before it is looked up:
        keys cannot be tried out faster than that."""
        prefix = prefix_of(api_key)
        if prefix is None:
            return
        claims = self._services.keys.recall(api_key)
        if claims is None:
            self._count(call, Principal(call.address, prefix), kind)
            claims = await self._services.keys.look_up(self._services.pool, api_key)
        call.late = claims is not None and claims.expires_at_s <= time.time()
        call.claims = None if call.late else claims

    def _count(self, call: Call, principal: Principal, kind: RateKind) -> None:
        call.window = self._services.rates.hit(kind, principal)
        if not call.window.allowed:
            raise too_many(call.window)


def too_large(bytes_max: int) -> Refused:
    """The refusal of a body over its limit."""
    return Refused(Refusal.PAYLOAD_TOO_LARGE, f"A body may have at most {bytes_max} bytes")


def looked_at(scope: Scope) -> dict[bytes, bytes]:
    """The headers that are of interest here; what is sent twice is one list."""
    found: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
        if name in LOOKED_AT:
            found[name] = found[name] + b", " + value if name in found else value
    return found


async def send_in_pieces(message: Message, send: Send) -> None:
    """A long part of a body, which the server lets wait piece by piece."""
    body, more = memoryview(message["body"]), message.get("more_body", False)
    for start in range(0, len(body), PIECE_BYTES):
        piece = bytes(body[start : start + PIECE_BYTES])
        is_last = start + PIECE_BYTES >= len(body)
        await send({**message, "body": piece, "more_body": more or not is_last})


def headers_of(call: Call) -> list[tuple[bytes, bytes]]:
    """What every response carries."""
    headers = [(b"x-request-id", call.request_id), (b"x-content-type-options", b"nosniff")]
    window = call.window
    if window is not None:
        headers += [
            (b"x-ratelimit-limit", b"%d" % window.limit),
            (b"x-ratelimit-remaining", b"%d" % window.remaining),
            (b"x-ratelimit-reset", b"%d" % window.resets_at_s),
        ]
    return headers


def call_of(scope: Any) -> Call:
    """The call that a request belongs to."""
    call: Call = scope["call"]
    return call
