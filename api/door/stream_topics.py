"""What can be listened to, what clients wish of it, and what they are told: no family's words."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple, Protocol

from sim.market import MarketSpec
from sim.refusals import Refused


class Channel(StrEnum):
    """What a topic is about."""

    TRADES = "trades"
    BOOK = "book"
    CANDLES = "candles"
    MARK_PRICE = "mark_price"
    FUNDING = "funding"
    ORDERS = "orders"
    FILLS = "fills"
    POSITIONS = "positions"
    BALANCES = "balances"
    AGENTS = "agents"
    SESSIONS = "sessions"
    DECISIONS = "decisions"

    @property
    def is_private(self) -> bool:
        """True where it is about an account, and not read by one reader for everybody."""
        return self in PRIVATE


PRIVATE = frozenset({Channel.ORDERS, Channel.FILLS, Channel.POSITIONS, Channel.BALANCES})


class Topic(NamedTuple):
    """One thing to listen to: of a market, or of an account."""

    channel: Channel
    market_id: str = ""
    interval: str = ""
    account_id: int = 0


@dataclass(frozen=True)
class Wish:
    """To listen, or no longer to. `account_id` is None for the main account.

    after   the last number that the client has seen; None for from now on
    """

    channel: Channel
    ends: bool = False
    market_id: str | None = None
    interval: str | None = None
    account_id: int | None = None
    after: int | None = None


@dataclass(frozen=True)
class Login:
    """To be known by a token or an API key."""

    text: str


@dataclass(frozen=True)
class Ping:
    """To hear that we are there."""


class Levels(NamedTuple):
    """What of a book is as it is told: all of it, or what differs from the one before.

    Levels are (ticks, lots, orders), best first; no lots: there is none any more.
    """

    before_seq: int
    at_us: int
    bids: list[list[int]]
    asks: list[list[int]]


class Told(NamedTuple):
    """Something to tell of a topic.

    row          the view that a read of the same has, of trades a list of them; of a position that
                 is closed, its market
    is_whole     what a client begins with, not what has changed since
    """

    topic: Topic
    sequence: int
    row: Any
    spec: MarketSpec | None = None
    is_whole: bool = False


class Dialect(Protocol):
    """How a family reads what clients send over its WebSocket, and words what they are told."""

    needs_login: bool
    greets: bool
    """Whether who is known by the handshake is told so."""
    """Whether a client that has not said who it is is sent away."""

    def read(self, text: str) -> Wish | Login | Ping:
        """A message. Raises Refused."""

    def listening(self, topic: Topic, sequence: int | None) -> str:
        """From now on the topic is told, what comes after this number."""

    def silent(self, topic: Topic) -> str:
        """The topic is told no longer."""

    def told(self, told: Told, user_id: int | None) -> str:
        """What a topic tells."""

    def gap(self, topic: Topic, sequence: int) -> str:
        """What came before this number is not told: read it by other means."""

    def logged_in(self, user_id: int) -> str:
        """Who the client is."""

    def pong(self) -> str:
        """We are there."""

    def refused(self, refused: Refused) -> str:
        """No, and why."""


class Listener(Protocol):
    """Who has asked for a topic."""

    topic: Topic
    position: int
    after: int | None

    def tell(self, told: Told) -> None:
        """What is new, unless it was told before."""

    def lost(self, sequence: int) -> None:
        """What came before this number is not told."""

    async def room(self) -> None:
        """Wait until much can be told at once."""


def tell_all(listeners: Sequence[Listener], told: Sequence[Told]) -> None:
    """Tell everybody everything, in order."""
    for listener in listeners:
        for one in told:
            listener.tell(one)
