"""How often one user, and all users behind one address, may ask."""

import time
from enum import StrEnum
from typing import NamedTuple

from limits import RateLimitItem, parse_many

from sim.refusals import Refusal, Refused
from storage.settings import Settings

COUNTERS_MAX = 100_000
"""Counters kept at a time; when there are more, those of past windows go."""


class RateKind(StrEnum):
    """What is counted separately. Cancels are: whoever may not order any more can still get out."""

    READ = "read"
    WRITE = "write"
    ORDER = "order"
    CANCEL = "cancel"


class Principal(NamedTuple):
    """Whom a request counts for: its address, and the user (or what stands for one) if known."""

    address: str
    user: int | str | None = None


class Window(NamedTuple):
    """A counter after a hit: allowed or not, and what the X-RateLimit headers say."""

    allowed: bool
    limit: int
    remaining: int
    resets_at_s: int


class Counter(NamedTuple):
    """One thing that is counted: the key of its count, how much it allows, in how many seconds."""

    key: tuple[str, int, bool, int | str]
    amount: int
    length_s: int


class RateLimits:
    """Fixed windows counted in this process, for the user and for the address.

    A user has the rate of the settings, an address that of `users_an_address`
    users, however many tokens it holds; a stranger counts as one user of its
    address. Only what is admitted is counted, so nobody uses up what belongs to
    others behind the same address by knocking in vain.

    The rates are written and parsed as the `limits` library has them; its
    in-memory storage starts a thread per hundred hits, so the counting is here.
    Each API process counts for itself.
    """

    def __init__(self, settings: Settings) -> None:
        self._items: dict[RateKind, list[RateLimitItem]] = {
            RateKind.READ: parse_many(settings.read_rate),
            RateKind.WRITE: parse_many(settings.write_rate),
            RateKind.ORDER: parse_many(settings.order_rate),
            RateKind.CANCEL: parse_many(settings.cancel_rate),
        }
        self._users_an_address = settings.users_an_address
        self._counts: dict[tuple[str, int, bool, int | str], tuple[int, int]] = {}

    def hit(self, kind: RateKind, principal: Principal, cost: int = 1) -> Window:
        """Count one request, or `cost` of them; the tightest of the windows answers."""
        now = int(time.time())
        counters = self._counters(kind, principal)
        windows = [self._look(counter, cost, now) for counter in counters]
        tightest = min(windows, key=lambda window: (window.allowed, window.remaining))
        if tightest.allowed:
            for counter in counters:
                self._count(counter, cost, now)
        return tightest

    def most(self, kind: RateKind) -> int:
        """How many a user may ask for at once, with a whole window before them."""
        return min(item.amount for item in self._items[kind])

    def _counters(self, kind: RateKind, principal: Principal) -> list[Counter]:
        address, user = principal
        if user is None:
            user = address
        found = []
        for item in self._items[kind]:
            amount, length_s = item.amount, item.get_expiry()
            whole = amount * self._users_an_address
            found.append(Counter((kind, length_s, True, user), amount, length_s))
            found.append(Counter((kind, length_s, False, address), whole, length_s))
        return found

    def _look(self, counter: Counter, cost: int, now: int) -> Window:
        number = now // counter.length_s
        known_number, count = self._counts.get(counter.key, (number, 0))
        left = counter.amount - (count if known_number == number else 0) - cost
        resets_at_s = (number + 1) * counter.length_s
        return Window(left >= 0, counter.amount, max(0, left), resets_at_s)

    def _count(self, counter: Counter, cost: int, now: int) -> None:
        number = now // counter.length_s
        known_number, count = self._counts.get(counter.key, (number, 0))
        if len(self._counts) >= COUNTERS_MAX and counter.key not in self._counts:
            self._forget_past_windows(now)
        self._counts[counter.key] = (number, (count if known_number == number else 0) + cost)

    def _forget_past_windows(self, now: int) -> None:
        current = {key: value for key, value in self._counts.items() if value[0] == now // key[1]}
        self._counts = current if len(current) < COUNTERS_MAX else {}


def too_many(window: Window) -> Refused:
    """The refusal of a request over its rate."""
    wait_s = max(1, window.resets_at_s - int(time.time()))
    return Refused(
        Refusal.RATE_LIMITED,
        f"At most {window.limit} requests are allowed; try again in {wait_s} s",
        {"retryAfter": wait_s},
    )
