"""The auditor: compares what is accepted, journalled and shown, as long as the exchange runs.

A part of the supervisor's process: who finds that work does not move is who replaces the actor
whose work it is, and one process less is one less to keep alive.
"""

import time
from collections.abc import Callable, Mapping

import structlog

from actors.loop import Loop
from actors.silence import Silence
from sim.market import MarketSpec
from storage.chain.books import differences
from storage.chain.node import command_chain_halt, read_head
from storage.errors import StorageError
from storage.market.chain_walk import BrokenChain, ChainWalk
from storage.market.halts import command_halt
from storage.market.markets import load_specs
from storage.postgres.database import Link, now_us
from storage.reading.audit_readings import Reading, kept_readings, write_readings
from storage.reading.books import add_up_accounts, compare_trades
from storage.reading.movement import Cursors, Unnumbered, read_cursors, read_unnumbered

LOOK_EVERY_S = 2.0
BOOKS_EVERY_S = 60.0
STALL_S_MAX = 15.0
"""Something waits and its cursor has not moved: whose work it is gets replaced."""

GAP_S_MAX = 30.0
"""What has stood still for longer is told: it has not healed."""

WALK_BATCHES_MAX = 100
"""Batches of each market that are hashed anew a look; the journal grows by ten or twenty."""

ACCOUNTS_MAX = 200
"""Accounts that are added up a minute; the next ones the minute after."""

COMPARISONS_MAX = 20
"""Parts of a market's journal that are compared with its fills a minute."""

COMPARED_AT_FIRST = 1_000
"""Batches before an auditor's first look that are compared; what is older may be pruned."""

STOP_WAIT_S = 3.0

log = structlog.get_logger()


class Auditor:
    """Reads and compares; writes its readings, and closes a market whose trades are not shown.

    market_actors   the actor of each market
    chain_seed      of the world, where it has a chain; else None
    """

    def __init__(
        self,
        database_url: str,
        market_actors: Mapping[str, str],
        relay: str = "relay",
        recorder: str = "recorder",
        clock: Callable[[], float] = time.monotonic,
        chain_seed: int | None = None,
    ) -> None:
        self._link = Link(database_url, "auditor")
        self._chain_seed = chain_seed
        self._market_actors = dict(market_actors)
        self._relay, self._recorder = relay, recorder
        self._clock = clock
        self._loop: Loop | None = None
        self._still: dict[tuple[str, str], _Still] = {}
        self._walks: dict[str, ChainWalk] = {}
        self._broken: dict[str, BrokenChain] = {}
        self._wrong_accounts: dict[int, str] = {}
        self._kept: dict[tuple[str, str], Reading] = {}
        self._specs: dict[str, MarketSpec] = {}
        self._books_at: float | None = None

    def start(self) -> None:
        """Begin to audit in a thread. A second call does nothing."""
        if self._loop is None:
            self._loop = Loop("auditor", self._run)
            self._loop.start()

    def stop(self) -> None:
        """Finish the look under way and end."""
        if self._loop is not None:
            self._loop.stop(STOP_WAIT_S)
        self._link.close()

    def stalled(self) -> dict[str, str]:
        """Actors whose work waits and has not moved for long, and what it is that waits."""
        return {
            still.actor: f"{still.what} for {still.silence.seconds:.0f} s"
            for still in list(self._still.values())
            if still.silence.seconds > STALL_S_MAX
        }

    def _run(self) -> None:
        assert self._loop is not None
        while not self._loop.stopping.wait(LOOK_EVERY_S):
            self._loop.beat()
            try:
                self.look()
            except StorageError as error:  # where we cannot write nobody can
                log.warning("audit_waits", error=str(error))
                self._still.clear()

    def look(self) -> None:
        """Read the cursors, hash a part of the journal, and once a minute the books.

        Raises StorageError.
        """
        connection = self._link()
        if not self._specs:
            self._specs, self._kept = load_specs(connection), kept_readings(connection)
        markets = read_cursors(connection)
        readings = self._unnumbered(read_unnumbered(connection))
        for market in markets:
            readings += self._movement(market) + self._walk(market)
        now = self._clock()
        if self._books_at is None or now - self._books_at >= BOOKS_EVERY_S:
            self._books_at = now
            readings += self._accounts() + self._chain()
            for market in markets:
                readings += self._trades(market)
        write_readings(connection, readings, now_us())
        self._kept |= {(one.name, one.market_id): one for one in readings}

    def _unnumbered(self, found: Unnumbered) -> list[Reading]:
        about = f"{found.count} accepted commands have no number"
        gap = self._stands_still("relay", "", found.oldest_id, self._relay, about)
        return [
            Reading("unnumbered_commands", "", found.count, gap),
            Reading("unnumbered_age_us", "", age_us(found.oldest_us)),
        ]

    def _movement(self, market: Cursors) -> list[Reading]:
        name = market.market_id
        commands = market.numbered - market.applied
        batches = market.batch_no - market.projected_batch
        actor = self._market_actors.get(name, name)
        waits = None if commands <= 0 or market.is_halted else market.applied
        about = f"{name}: {commands} numbered commands are not applied"
        unapplied = self._stands_still("market", name, waits, actor, about)
        waits = None if batches <= 0 or market.is_halted else market.projected_batch
        about = f"{name}: {batches} batches are not in the tables"
        unprojected = self._stands_still("recorder", name, waits, self._recorder, about)
        return [
            Reading("unapplied_commands", name, commands, unapplied),
            Reading("unapplied_age_us", name, age_us(market.unapplied_since_us)),
            Reading("unprojected_batches", name, batches, unprojected),
            Reading("unprojected_age_us", name, age_us(market.unprojected_since_us)),
        ]

    def _stands_still(
        self, kind: str, market_id: str, waits_at: int | None, actor: str, what: str
    ) -> str | None:
        """Note where something waits, None where nothing does; a sentence once it is a gap."""
        now = self._clock()
        still = self._still.get((kind, market_id))
        if waits_at is None:
            self._still.pop((kind, market_id), None)
            return None
        if still is None or still.waits_at != waits_at:
            self._still[kind, market_id] = _Still(actor, what, waits_at, Silence(now))
            return None
        still.what = what
        seconds = still.silence.listened(now)
        return f"{what} and have not moved for {seconds:.0f} s" if seconds > GAP_S_MAX else None

    def _walk(self, market: Cursors) -> list[Reading]:
        """A part of the journal; from its start again when the head is reached."""
        name = market.market_id
        walk = self._walks.get(name) or ChainWalk(self._specs[name])
        try:
            rows = walk.next_rows(self._link(), WALK_BATCHES_MAX)
            if not rows and walk.batch_no < market.batch_no:
                raise BrokenChain(walk.batch_no + 1, f"batch {walk.batch_no + 1} is missing")
            self._walks[name] = walk
            if walk.batch_no >= market.batch_no:
                del self._walks[name]
                self._broken.pop(name, None)
        except BrokenChain as error:
            self._walks.pop(name, None)
            if name not in self._broken:
                log.error("journal_is_broken", market=name, batch_no=error.batch_no)
            self._broken[name] = error
        broken = self._broken.get(name)
        gap = f"{name}: the journal's {broken}" if broken is not None else None
        return [
            Reading("chain_batch", name, walk.batch_no),
            Reading("chain_is_broken", name, int(broken is not None), gap),
        ]

    def _accounts(self) -> list[Reading]:
        """The next accounts, and those that were wrong before."""
        connection = self._link()
        for account_id in list(self._wrong_accounts):
            again = add_up_accounts(connection, account_id - 1, 1)
            if account_id not in again.wrong:
                del self._wrong_accounts[account_id]
        found = add_up_accounts(connection, self._kept_value("compared_account", ""), ACCOUNTS_MAX)
        for account_id, sentence in found.wrong.items():
            log.error("account_does_not_add_up", account=account_id, difference=sentence)
        self._wrong_accounts |= found.wrong
        wrong = len(self._wrong_accounts)
        gap = f"{wrong} accounts' holds or balances are not what their rows add up to"
        return [
            Reading("compared_account", "", found.last or 0),
            Reading("wrong_accounts", "", wrong, gap if wrong else None),
        ]

    def _trades(self, market: Cursors) -> list[Reading]:
        """Trades since the last time; where they are not in the tables nobody may trade on."""
        name, missing, unbalanced = market.market_id, 0, 0
        first = max(0, market.projected_batch - COMPARED_AT_FIRST)
        batch_no = self._kept_value("compared_batch", name, first)
        for _ in range(COMPARISONS_MAX):
            compared = compare_trades(self._link(), name, batch_no, market.projected_batch)
            missing, unbalanced = compared.missing_fills, compared.unbalanced
            if missing or unbalanced:
                break
            if compared.batch_no == batch_no:
                break
            batch_no = compared.batch_no
        gap = None
        if missing:
            gap = f"{name}: {missing} fills of the journal after batch {batch_no} are not shown"
            log.error("trades_are_not_shown", market=name, missing=missing, after=batch_no)
            command_halt(self._link(), name, gap, now_us(), takes_cancels=False)
        made = None
        if unbalanced:
            made = f"{name}: {unbalanced} ledger transactions after batch {batch_no} make money"
            log.error("ledger_does_not_balance", market=name, wrong=unbalanced, after=batch_no)
            command_halt(self._link(), name, made, now_us(), takes_cancels=False)
        return [
            Reading("compared_batch", name, batch_no),
            Reading("missing_fills", name, missing, gap),
            Reading("unbalanced_transactions", name, unbalanced, made),
        ]

    def _chain(self) -> list[Reading]:
        """Tokens, pools and the bridge; where something came from nowhere there are no more
        blocks."""
        if self._chain_seed is None:
            return []
        head = read_head(self._link())
        halted = head.halt_reason if head is not None else None
        found = differences(self._link(), self._chain_seed)
        gap = "; ".join(found) or None
        if gap is not None:
            log.error("chain_does_not_add_up", differences=found)
            command_chain_halt(self._link(), gap)
        told_halt = f"the chain is halted: {halted}" if halted and not gap else None
        return [
            Reading("chain_differences", "", len(found), gap),
            Reading("chain_is_halted", "", int(halted is not None), told_halt),
        ]

    def _kept_value(self, name: str, market_id: str, otherwise: int = 0) -> int:
        kept = self._kept.get((name, market_id))
        return kept.value if kept is not None else otherwise


class _Still:
    """Something that waits: behind which cursor, whose work it is, since when it has not moved."""

    def __init__(self, actor: str, what: str, waits_at: int, silence: Silence) -> None:
        self.actor, self.what, self.waits_at, self.silence = actor, what, waits_at, silence


def age_us(since_us: int | None) -> int:
    """How old something is; 0 where there is nothing."""
    return max(0, now_us() - since_us) if since_us is not None else 0
