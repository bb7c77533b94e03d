"""`sandpit market`: who runs the exchange halts, drains and resumes markets while it runs.

A command writes into the market's row; the market's actor looks there and does it.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from storage.errors import CorruptState
from storage.market import halts
from storage.market.halts import ListedStanding, Wish
from storage.postgres.database import Link, now_us
from storage.servers.kept_database import running_database
from storage.settings import ConfigurationError, Settings

ANSWER_WAIT_S = 30.0
PROJECTED_WAIT_S = 10.0
POLL_S = 0.1
REASON_DEFAULT = "an operator has halted it"

Found = TypeVar("Found")


def list_markets(settings: Settings) -> str:
    """Every market, how it stands and why. Raises ConfigurationError."""
    with _linked(settings) as link:
        return "\n".join(map(_line, halts.listed(link()))) or "No market is listed."


def halt_market(settings: Settings, market_id: str, reason: str | None) -> str:
    """Close a market for orders; cancels are still done. Raises ConfigurationError."""
    with _linked(settings) as link:
        before = _find(link, market_id).halt_reason
        if before is not None and reason is None:
            raise ConfigurationError(f"{market_id} is halted already: {before}.")
        told = reason or REASON_DEFAULT
        halts.command_halt(link(), market_id, told, now_us(), takes_cancels=True)
    instead = f" The reason was: {before}." if before is not None else ""
    return f"{market_id} is halted: orders are refused, cancels are done.{instead}"


def drain_market(settings: Settings, market_id: str) -> str:
    """End every order of a halted market. Raises ConfigurationError."""
    with _linked(settings) as link:
        answer = _wished(link, market_id, Wish.DRAIN)
        left = _awaited(
            lambda: True if _find(link, market_id).open_orders == 0 else None, PROJECTED_WAIT_S
        )
        if left is None:
            found = _find(link, market_id)
            raise ConfigurationError(
                f"{market_id} {answer}, but {found.open_orders} orders of clients are not told so"
                f" yet: {found.halt_reason or 'the recorder is behind'}."
            )
    return f"{market_id} {answer}; no order of a client is open, nothing is reserved for any."


def resume_market(settings: Settings, market_id: str) -> str:
    """Open a halted market again. Raises ConfigurationError."""
    with _linked(settings) as link:
        answer = _wished(link, market_id, Wish.RESUME)
        _awaited(lambda: halts.is_projected(link(), market_id) or None, PROJECTED_WAIT_S)
        found = _find(link, market_id)
        if found.halt_reason is not None:
            raise ConfigurationError(f"{market_id} halts again: {found.halt_reason}.")
    return f"{market_id} {answer}."


def _wished(link: Link, market_id: str, wish: Wish) -> str:
    """The actor's answer to a wish."""
    _find(link, market_id)
    wish_no = halts.make_wish(link(), market_id, wish)
    if wish_no is None:
        raise ConfigurationError(
            f"{market_id} is not halted; `sandpit market halt {market_id}` halts it."
        )
    answer = _awaited(lambda: halts.outcome(link(), market_id, wish_no), ANSWER_WAIT_S)
    if answer is None:
        raise ConfigurationError(
            f"The actor of {market_id} has not answered within {ANSWER_WAIT_S:.0f} s; it will do"
            " this when it runs."
        )
    if answer.startswith(halts.AGAIN):
        raise ConfigurationError(f"{market_id}: {answer}.")
    return answer


def _find(link: Link, market_id: str) -> ListedStanding:
    markets = {found.market_id: found for found in halts.listed(link())}
    if market_id not in markets:
        known = ", ".join(markets) or "none"
        raise ConfigurationError(f"There is no market {market_id}; there are {known}.")
    return markets[market_id]


def _awaited(look: Callable[[], Found | None], seconds_max: float) -> Found | None:
    """What `look` finds in time; None where it finds nothing."""
    deadline = time.monotonic() + seconds_max
    while (found := look()) is None and time.monotonic() < deadline:
        time.sleep(POLL_S)
    return found


def _line(found: ListedStanding) -> str:
    told = f": {found.halt_reason}" if found.halt_reason else ""
    wish = f" (to {found.wish.lower()})" if found.wish else ""
    orders = f"clients' open orders {found.open_orders}"
    return f"{found.market_id} {found.status.name}{wish}, {orders}{told}"


@contextmanager
def _linked(settings: Settings) -> Iterator[Link]:
    with running_database(settings) as url:
        link = Link(url, "market-command")
        try:
            yield link
        except CorruptState as error:
            raise ConfigurationError(f"{error}.") from None
        finally:
            link.close()
