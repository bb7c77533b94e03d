"""The WebSocket: what clients send, and how they are told."""

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BeforeValidator, Field, StrictStr, ValidationError
from starlette.websockets import WebSocket

from api.desk.identifiers import NOBODYS_ACCOUNT, parse_account_id
from api.door.errors import as_refused
from api.door.routing import invalid
from api.door.stream_session import Session
from api.door.stream_topics import Channel, Login, Ping, Told, Topic, Wish
from api.door.wire import Sent
from api.exact_json import NotJson, read_json, whole_number
from api.flux import stream_words
from api.flux.stream_words import CHANNELS
from sim.refusals import Refusal, Refused

MESSAGE_BYTES_MAX = 4_096
SOCKETS = {"/ws": MESSAGE_BYTES_MAX}
SEQUENCE_MAX = 2**53 - 1
"""The largest whole number that every reader of JSON reads exactly."""

Text = Annotated[StrictStr, Field(min_length=1, max_length=64)]


class StreamSent(Sent):
    """A client's message."""

    op: Literal["subscribe", "unsubscribe", "auth", "ping"]
    channel: Text | None = None
    market: Text | None = None
    interval: Text | None = None
    account: Text | None = None
    token: Annotated[StrictStr, Field(min_length=1, max_length=2_048)] | None = None
    from_sequence: (
        Annotated[int, BeforeValidator(whole_number), Field(ge=0, le=SEQUENCE_MAX)] | None
    ) = None


class FluxDialect:
    """Flux over its WebSocket."""

    needs_login = False
    greets = True

    def read(self, text: str) -> Wish | Login | Ping:
        """A message. Raises Refused."""
        try:
            sent = StreamSent.model_validate(read_json(text.encode()))
        except NotJson as error:
            raise Refused(Refusal.INVALID_REQUEST, str(error)) from None
        except ValidationError as error:
            raise as_refused(invalid(error)) from None
        if sent.op == "ping":
            return Ping()
        if sent.op == "auth":
            if sent.token is None:
                raise Refused(Refusal.INVALID_REQUEST, "token: is needed to authenticate")
            return Login(sent.token)
        account = sent.account
        return Wish(
            channel_of(sent.channel),
            ends=sent.op == "unsubscribe",
            market_id=sent.market,
            interval=sent.interval,
            account_id=(parse_account_id(account) or NOBODYS_ACCOUNT) if account else None,
            after=sent.from_sequence,
        )

    def listening(self, topic: Topic, sequence: int | None) -> str:
        """`sequence` is missing where a snapshot follows, which has one."""
        return stream_words.message("subscribed", topic, sequence)

    def silent(self, topic: Topic) -> str:
        """The topic is told no longer."""
        return stream_words.message("unsubscribed", topic)

    def told(self, told: Told, user_id: int | None) -> str:
        """A snapshot, or an update of it."""
        kind = "snapshot" if told.is_whole else "update"
        data = stream_words.data_of(told, user_id)
        return stream_words.message(kind, told.topic, told.sequence, data)

    def gap(self, topic: Topic, sequence: int) -> str:
        """Read it by REST; what follows comes after `sequence`."""
        return stream_words.message("resync", topic, sequence)

    def logged_in(self, user_id: int) -> str:
        """Who the client is."""
        return stream_words.authenticated(user_id)

    def pong(self) -> str:
        """We are there."""
        return '{"type":"pong"}'

    def refused(self, refused: Refused) -> str:
        """No, and why."""
        return stream_words.error(refused)


def channel_of(name: str | None) -> Channel:
    """A channel by Flux's name for it. Raises Refused."""
    channel = CHANNELS.get(name or "")
    if channel is None:
        known = ", ".join(CHANNELS)
        raise Refused(Refusal.INVALID_REQUEST, f"channel: must be one of {known}")
    return channel


DIALECT = FluxDialect()

router = APIRouter()


@router.websocket("/ws")
async def get_ws(websocket: WebSocket) -> None:
    """What happens, as it happens."""
    await Session(websocket, websocket.app.state.services, DIALECT).run()
