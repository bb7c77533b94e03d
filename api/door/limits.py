"""How often one user, and all users behind one address, may ask."""

import time
from enum import StrEnum
from operator import itemgetter
from typing import NamedTuple

from limits import parse_many

from sim.refusals import Refusal, Refused
from storage.settings import Settings

COUNTERS_MAX = 100_000
"""Counters that a budget keeps at a time; when there are more, those of past windows go."""

ROWS_A_REQUEST = 100
"""What one request may ask for: a page of more counts as several, for it costs as much."""

DEAR_ROW = 5
"""As how many rows one counts whose telling is arithmetic: a transaction of the explorer, a droid.
So whoever asks for the dearest pages has half a second of a processor in a second at the most."""

LEFT = itemgetter(0)


class RateKind(StrEnum):
    """What is counted separately. Cancels are: whoever may not order any more can still get out."""

    READ = "read"
    WRITE = "write"
    ORDER = "order"
    CANCEL = "cancel"
    PROBE = "probe"


class Principal(NamedTuple):
    """Whom a request counts for: its address, and the user (or what stands for one) if known."""

    address: str
    user: int | str | None = None


class Window(NamedTuple):
    """A counter after a hit: allowed or not, and what the X-RateLimit headers say."""

    allowed: bool
    limit: int
    remaining: int
    length_s: int
    resets_at_s: int


class Budget:
    """So much in so many seconds, and what everybody has used of it in the present window."""

    __slots__ = ("_used", "amount", "length_s")

    def __init__(self, amount: int, length_s: int) -> None:
        self.amount = amount
        self.length_s = length_s
        self._used: dict[int | str, tuple[int, int]] = {}

    def left(self, who: int | str, now: int) -> int:
        """What they may still use."""
        window, used = self._used.get(who, (0, 0))
        return self.amount - used if window == now // self.length_s else self.amount

    def keep(self, who: int | str, left: int, now: int) -> None:
        """Note what they may still use."""
        if len(self._used) >= COUNTERS_MAX and who not in self._used:
            self._forget_past_windows(now)
        self._used[who] = (now // self.length_s, self.amount - left)

    def _forget_past_windows(self, now: int) -> None:
        window = now // self.length_s
        current = {who: used for who, used in self._used.items() if used[0] == window}
        self._used = current if len(current) < COUNTERS_MAX else {}


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
        rates = {
            RateKind.READ: settings.read_rate,
            RateKind.WRITE: settings.write_rate,
            RateKind.ORDER: settings.order_rate,
            RateKind.CANCEL: settings.cancel_rate,
            RateKind.PROBE: settings.probe_rate,
        }
        self._of_users = {kind: budgets_of(rate, 1) for kind, rate in rates.items()}
        self._of_addresses = {
            kind: budgets_of(rate, settings.users_an_address) for kind, rate in rates.items()
        }

    def hit(self, kind: RateKind, principal: Principal, cost: int = 1) -> Window:
        """Count one request, or `cost` of them; the tightest of the windows answers."""
        now = int(time.time())
        address, user = principal
        asked: list[tuple[int, Budget, int | str]] = []
        whom = address if user is None else user
        for budgets, who in ((self._of_addresses[kind], address), (self._of_users[kind], whom)):
            for budget in budgets:
                asked.append((budget.left(who, now) - cost, budget, who))
        left, tightest, _ = min(asked, key=LEFT)
        if left >= 0:
            for still, budget, who in asked:
                budget.keep(who, still, now)
        resets_at_s = (now // tightest.length_s + 1) * tightest.length_s
        return Window(left >= 0, tightest.amount, max(0, left), tightest.length_s, resets_at_s)

    def most(self, kind: RateKind) -> int:
        """How many a user may ask for at once, with a whole window before them."""
        return min(budget.amount for budget in self._of_users[kind])

    def requests_of(self, rows: int) -> int:
        """As how many reads so many rows count; never as more than a user may ask for at once, for
        no waiting would let those pass."""
        return min(-(-rows // ROWS_A_REQUEST), self.most(RateKind.READ))


def budgets_of(rate: str, users: int) -> list[Budget]:
    """A rate, of so many users together."""
    return [Budget(item.amount * users, item.get_expiry()) for item in parse_many(rate)]


def too_many(window: Window) -> Refused:
    """The refusal of a request over its rate."""
    wait_s = max(1, window.resets_at_s - int(time.time()))
    return Refused(
        Refusal.RATE_LIMITED,
        f"At most {window.limit} requests in {window.length_s} s are allowed; try again in"
        f" {wait_s} s",
        {"retry_after": wait_s},
    )
