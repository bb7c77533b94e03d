"""`sandpit db verify`: whether every market's journal is what was written, from start to end,
whether the chain is what was built, whether all money adds up."""

import os
import sys
from typing import TextIO

from sim.printable import printable
from storage.chain.verifying import VerifiedChain, verify_chain
from storage.market.markets import load_specs
from storage.postgres.database import connect
from storage.reading.verification import Verified, verify_market
from storage.reading.whole_books import WholeBooks, add_up
from storage.servers.kept_database import running_database
from storage.settings import Settings

NICENESS = 10
"""The exchange on the same machine goes first."""


def verify(settings: Settings) -> int:
    """Print one line a market, and one for money, each as soon as it is known; the exit code is 1
    where something is wrong.

    Raises ConfigurationError.
    """
    os.nice(NICENESS)
    with running_database(settings) as url, connect(url, "verify") as connection:
        specs, is_wrong = load_specs(connection).values(), False
        names = ", ".join(spec.market_id for spec in specs)
        say(f"all that {names} have done since their first batch is done again", sys.stderr)
        for spec in specs:
            verified = verify_market(connection, spec)
            is_wrong |= verified.fault is not None
            say(told(verified), sys.stdout)
        chain = verify_chain(connection)
        if chain is not None:
            is_wrong |= chain.fault is not None
            say(chain_told(chain), sys.stdout)
        books = add_up(connection)
        say(money_told(books), sys.stdout)
    return int(is_wrong or bool(books.faults))


def say(line: str, stream: TextIO) -> None:
    """At once, also into a pipe."""
    print(printable(line), file=stream, flush=True)


def money_told(books: WholeBooks) -> str:
    """Whether money adds up, in one line."""
    if books.faults:
        return f"money: WRONG: {'; '.join(books.faults)}"
    if not books.assets:
        return "money: none has moved yet"
    assets = ", ".join(books.assets)
    return f"money: all transactions and balances add up, each asset by itself: {assets}"


def chain_told(verified: VerifiedChain) -> str:
    """What was checked of the chain, in one line."""
    if verified.fault is not None:
        return f"chain: WRONG: {verified.fault}"
    if verified.first is None:
        return "chain: no block is built yet"
    return (
        f"chain: blocks {verified.first:,} to {verified.last:,} are what was built, pools come to"
        " the same, ether and tokens add up"
    )


def told(verified: Verified) -> str:
    """What was checked of a market, in one line."""
    name, first, last = verified.market_id, verified.first, verified.last
    if verified.fault is not None:
        sound = f"batches {first:,} to {last:,} are sound" if first and last >= first else ""
        return f"{name}: WRONG: {verified.fault}{'; ' if sound else ''}{sound}"
    if first is None:
        return f"{name}: nothing is journalled yet"
    checked = f"{name}: batches {first:,} to {last:,} are what was written"
    if verified.replayed_from is None:
        return f"{checked}; no kept snapshot to replay them from"
    since = f" from {verified.replayed_from + 1:,} on" if verified.replayed_from >= first else ""
    count = verified.snapshots
    states = f"{count} snapshot{'' if count == 1 else 's'} and the head agree"
    return f"{checked} and replay as they were{since}; {states}"
