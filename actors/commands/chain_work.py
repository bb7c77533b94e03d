"""What `sandpit chain` does: it writes wishes into the chain's head, and waits for its actor."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from actors.ctrl_c import interruptible
from actors.simulate.droid_progress import counted
from sim.chain.building import BLOCK_S
from storage.chain import node
from storage.chain.mining import is_asked, wish_blocks, withdraw
from storage.chain.node import Head
from storage.errors import CorruptState
from storage.postgres.database import Link
from storage.servers.kept_database import running_database
from storage.settings import ConfigurationError, Settings

POLL_S = 0.1
BLOCK_WAIT_S = 30.0
"""How long one block may take before whoever waits for it is told so."""


def status_of(settings: Settings) -> str:
    """Raises ConfigurationError."""
    with _linked(settings) as link:
        head = _head(link)
        is_mined_for = is_asked(link())
    fee_gwei = head.tip.next_base_fee_wei / 10**9
    at = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(head.tip.time_s))
    lines = [f"block {head.tip.number} of {at} UTC, next base fee {fee_gwei:.3f} gwei"]
    if is_mined_for and _pending(head):
        lines.append(f"pending: {_pending(head):,} blocks that somebody mines")
    if head.reorg_wish:
        lines.append(f"pending: the newest {head.reorg_wish} blocks are to become others")
    if head.halt_reason:
        lines.append(f"halted: {head.halt_reason}")
    return "\n".join(lines)


def mined(settings: Settings, count: int) -> str:
    """Waits until they are there. Raises ConfigurationError, also on Ctrl-C: what is not built
    then is withdrawn."""
    with _linked(settings) as link, interruptible() as interrupted:
        last = wish_blocks(link(), count)
        if last is None:
            raise ConfigurationError(
                f"Somebody mines already, {_pending(_head(link)):,} blocks are pending: wait until"
                " they are there, or end that command."
            )
        try:
            _await_blocks(link, count, last, interrupted)
        except KeyboardInterrupt:
            pass
        finally:
            withdraw(link())
        newest = _head(link).tip.number
    if newest < last:
        raise ConfigurationError(
            f"Interrupted: {count - (last - newest):,} of {count:,} blocks were mined, the others"
            f" are withdrawn; the newest is {newest}."
        )
    return f"{count} blocks, {count * BLOCK_S} s of the chain's time; the newest is {newest}"


def _await_blocks(link: Link, count: int, last: int, interrupted: Callable[[], bool]) -> None:
    """Raises ConfigurationError where they do not come, KeyboardInterrupt on Ctrl-C."""
    number, since = last - count, time.monotonic()
    with counted(count, "blocks", quiet=False) as show:
        while number < last:
            if interrupted():
                raise KeyboardInterrupt
            time.sleep(POLL_S)
            head = _head(link)
            if head.halt_reason is not None:
                raise ConfigurationError(f"The chain is halted: {head.halt_reason}.")
            if head.tip.number > number:
                number, since = head.tip.number, time.monotonic()
                show(count - _pending(head))
            elif time.monotonic() - since > BLOCK_WAIT_S:
                raise ConfigurationError(
                    f"No block after {number} within {BLOCK_WAIT_S:.0f} s: see the chain's log."
                )


def _pending(head: Head) -> int:
    return max(0, head.mine_to - head.tip.number)


def reorganised(settings: Settings, depth: int) -> str:
    """Raises ConfigurationError."""
    with _linked(settings) as link:
        before = _head(link).tip
        node.wish_reorg(link(), depth)
        until = time.monotonic() + BLOCK_WAIT_S
        while (head := _head(link)).reorg_wish and time.monotonic() < until:
            time.sleep(POLL_S)
        if head.reorg_wish:
            raise ConfigurationError("The chain's actor does not answer: see its log.")
    return f"the newest {depth} blocks up to {before.number} are others now"


def resumed(settings: Settings) -> str:
    """Raises ConfigurationError."""
    with _linked(settings) as link:
        before = _head(link).halt_reason
        node.resume(link())
    return f"the chain goes on; it was halted: {before}" if before else "the chain is not halted"


def _head(link: Link) -> Head:
    head = node.read_head(link())
    if head is None:
        raise ConfigurationError("The world of this exchange has no chain.")
    return head


@contextmanager
def _linked(settings: Settings) -> Iterator[Link]:
    """A connection to the database of the exchange that runs. Raises ConfigurationError."""
    with running_database(settings) as url:
        link = Link(url, "chain-command")
        try:
            yield link
        except CorruptState as error:
            raise ConfigurationError(f"{error}.") from error
        finally:
            link.close()
