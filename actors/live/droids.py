"""Actors of droids: each looks at every block's end for its droids, and does what they decide.

All that comes of a look is one transaction, with the transactions that are wished of the chain in
it: whoever is killed at any point goes on from what was kept.
"""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

import structlog

from actors.live.droid_places import placed
from actors.loop import Loop
from sim.chain.acts import Wish, WishStatus
from sim.chain.addresses import checksummed
from sim.chain.known_pools import POOLS
from sim.chain.pool_host import PoolHost
from sim.chain.wallets import BRIDGE, Wallets, droid_wallet
from sim.droid.acts import MintRung, Outcome, Result
from sim.droid.ladder import Rung
from sim.droid.memory import MindState
from sim.droid.mind import DroidMind, View
from sim.droid.session import (
    BLOCKS_PATIENCE,
    DroidSession,
    Figures,
    Memory,
    Step,
    Told,
    remarked,
    told_of,
)
from sim.droid.signal import BlockEnd
from sim.droid.states import Active, Note, Status
from sim.droid.written import read_as, written
from sim.pool.positions import PositionKey
from storage.chain.pools import as_it_was, followed
from storage.droids import working
from storage.droids.working import History, Opened, OpenSession, Sight, Taken, Work
from storage.errors import StorageError, Superseded, told
from storage.postgres.database import AsyncPool, Link, open_pool

LOOK_S_MIN, LOOK_S_MAX = 0.01, 0.25
"""Between two looks: longer and longer while there is no new block."""

RETRY_S = 0.2
STOP_WAIT_S = 4.0
CONNECTIONS = 2
RESULTS = {
    WishStatus.MINED: Result.DONE,
    WishStatus.FAILED: Result.FAILED,
    WishStatus.DROPPED: Result.DROPPED,
}

BEFORE_IT_BEGINS = {
    Active.PAUSE: Status.PAUSED,
    Active.RUN: Status.RUNNING,
    Active.RESET: Status.RUNNING,
    Active.CLOSE: Status.CLOSING,
}
"""A session's status while nothing was placed in it."""

log = structlog.get_logger()


@dataclass
class Worker:
    """A droid's session in our hands."""

    session: OpenSession
    taken: Taken
    memory: Memory


class DroidHost:
    """Works for the droids that have their place under its name."""

    def __init__(self, name: str, database_url: str, seed: int, run: bool = False) -> None:
        self._name, self._database_url = name, database_url
        self._wallets = Wallets(seed)
        self._link = Link(database_url, name)
        self._workers: dict[int, Worker] = {}
        self._pools: dict[int, PoolHost] = {}
        self._loop = Loop(name, self._run)
        if run:
            self.start()

    def start(self) -> None:
        """Begin to look at blocks. A second call does nothing."""
        self._loop.start()

    def stop(self) -> None:
        """Finish the look under way, and end."""
        self._loop.stop(STOP_WAIT_S)
        self._link.close()

    def health(self) -> dict[str, int]:
        """Its droids, and the newest block that it has looked at."""
        numbers = [host.number for host in self._pools.values()]
        return {"droids": len(self._workers), "block": max(numbers, default=0)}

    def _run(self) -> None:
        asyncio.run(self._work())

    async def _work(self) -> None:
        pool = await open_pool(self._database_url, CONNECTIONS)
        try:
            pause_s = LOOK_S_MIN
            while not self._loop.stopping.is_set():
                self._loop.beat()
                try:
                    is_new = await self.look(pool)
                    pause_s = LOOK_S_MIN if is_new else min(2 * pause_s, LOOK_S_MAX)
                    await asyncio.sleep(pause_s)
                except StorageError as error:
                    log.warning("droids_wait", host=self._name, error=told(error))
                    self._workers.clear()  # what was kept is not known: it is read again
                    await asyncio.sleep(RETRY_S)
        finally:
            await pool.close()

    async def look(self, pool: AsyncPool) -> bool:
        """Take note of whose work is ours, and look at all blocks that are new. Whether there were
        any."""
        await self._man(pool)
        is_new = False
        for pool_id in {one.session.pool_id for one in self._workers.values()}:
            host = self._follower(pool_id)
            for time_s in followed(self._link(), pool_id, host):
                self._loop.beat()
                is_new = True
                for worker in [*self._workers.values()]:
                    if worker.session.pool_id == pool_id:
                        await self._guarded(pool, worker, host, time_s)
        return is_new

    async def _man(self, pool: AsyncPool) -> None:
        """Begin with new sessions, leave those that are others'."""
        ours = placed(working.open_sessions(self._link())).get(self._name, [])
        ids = {one.session_id for one in ours}
        for session_id in self._workers.keys() - ids:
            del self._workers[session_id]
        for one in ours:
            if one.session_id not in self._workers:
                await self._take(pool, one)
        used = {one.pool_id for one in ours}
        self._pools = {pool_id: host for pool_id, host in self._pools.items() if pool_id in used}

    async def _take(self, pool: AsyncPool, session: OpenSession) -> None:
        taken = await working.take(pool, session.session_id)
        memory = read_as(Memory, json.loads(taken.mind)) if taken.mind else Memory(MindState())
        self._workers[session.session_id] = Worker(session, taken, memory)
        host = self._pools.get(session.pool_id)
        if host is not None and taken.block_number < host.number:
            del self._pools[session.pool_id]  # the newcomer has not seen what we have
        log.info("droid_taken", droid=session.droid_id, session=session.session_id)

    def _follower(self, pool_id: int) -> PoolHost:
        """The pool as the droid that is furthest behind has seen it; of those that have seen no
        block, none is behind."""
        if pool_id not in self._pools:
            workers = [one for one in self._workers.values() if one.session.pool_id == pool_id]
            numbers = [one.taken.block_number for one in workers if one.taken.block_number]
            newest = 1 << 62
            self._pools[pool_id] = as_it_was(self._link(), pool_id, min(numbers, default=newest))
        return self._pools[pool_id]

    async def _guarded(self, pool: AsyncPool, worker: Worker, host: PoolHost, time_s: int) -> None:
        """One droid that another host has taken, or that has a fault, holds up no other."""
        if host.number <= worker.taken.block_number:
            return
        try:
            await self._see(pool, worker, host, time_s)
        except Superseded:
            log.info("droid_left", droid=worker.session.droid_id)
            self._workers.pop(worker.session.session_id, None)

    async def _see(self, pool: AsyncPool, worker: Worker, host: PoolHost, time_s: int) -> None:
        """A block's end: the newest is acted on, those before it are only noted."""
        wallet = droid_wallet(worker.session.droid_id)
        holder = self._wallets.address(wallet)
        session_id, pending = worker.session.session_id, labels_of(worker.memory)
        names = {working.session_label(session_id, label): label for label in pending}
        sight = await working.look(pool, session_id, holder, [*names])
        end = BlockEnd(host.pool, time_s)
        view = view_of(sight, end)
        mind = DroidMind(sight.droid.pool.terms)
        if sight.number != host.number:
            seen = mind.seeing(worker.memory.mind, view)
            worker.memory = replace(worker.memory, mind=seen)
            return
        droid_session = DroidSession(POOLS[worker.session.pool_id], wallet, holder, mind)
        if sight.is_funded:
            outcomes = told_by_label(sight, names, worker.session.pool_id)
            step = droid_session.step(worker.memory, view, outcomes, sight.droid.resets)
        else:
            step = Step(unlacking(worker.memory))
        work = self._worked(sight, view, step, droid_session, holder)
        kept = await working.keep(pool, worker.taken, sight, work)
        worker.memory = step.memory
        epoch = worker.taken.epoch if kept == session_id else 1
        worker.taken = Taken(kept, epoch, sight.number, "")
        if kept != session_id:
            self._workers.pop(session_id, None)
            worker.session = replace(worker.session, session_id=kept)
            self._workers[kept] = worker

    def _worked(
        self, sight: Sight, view: View, step: Step, droid_session: DroidSession, holder: bytes
    ) -> Work:
        mind, terms = step.memory.mind, sight.droid.pool.terms
        figures = droid_session.figures(step.memory, view)
        base, quote = terms.base_and_quote(figures.positions)
        price = terms.nearest_double(view.sqrt_price_x96)
        row = History(price, int(figures.aum), base, quote, sight.wei)
        wallet = droid_wallet(sight.droid.droid_id)
        return Work(
            mind=json.dumps(written(step.memory)),
            figures=json.dumps(shown(figures, terms.quote_unit, checksummed(holder))),
            status=standing(step, Active(sight.droid.active)),
            note=mind.note,
            wishes=[
                Wish(
                    one.label,
                    BRIDGE if one.is_bridge else wallet,
                    one.act,
                    one.max_fee_wei,
                    one.priority_fee_wei,
                    sight.number + BLOCKS_PATIENCE,
                )
                for one in step.wishes
            ],
            opened=[opened(act, holder) for act in step.opened],
            closed=step.closed,
            history=row if step.writes_history else None,
            begins_anew=step.begins_anew,
            pauses=mind.status is Status.PAUSED and sight.droid.active == Active.RUN,
            home=None if step.home is None else dict(step.home),
        )


def labels_of(memory: Memory) -> list[str]:
    """Of all that is under way."""
    return [one.label for one in (*memory.mind.pending, *memory.leaving)]


def view_of(sight: Sight, end: BlockEnd) -> View:
    droid = sight.droid
    lattice = droid.config.lattice(droid.pool.terms)
    rungs = tuple(
        Rung(lattice.bucket_of(lower), int(liquidity)) for lower, _, liquidity in sight.positions
    )
    return View(
        end,
        sight.next_base_fee_wei,
        sight.wallet,
        sight.wei,
        rungs,
        droid.config,
        Active(droid.active),
    )


def told_by_label(sight: Sight, names: Mapping[str, str], pool_id: int) -> dict[str, Told]:
    """What is known of what is under way, by its own labels."""
    found = {}
    for name, label in names.items():
        if name in sight.outcomes:
            one = sight.outcomes[name]
            price_x96 = int(one.prices.get(str(pool_id), 0))
            fee_wei = int(one.told.get("gas_fee_wei", 0))
            outcome = Outcome(label, RESULTS[WishStatus(one.status)], fee_wei, price_x96 or 1)
            found[label] = told_of(outcome, one.told)
    return found


def opened(act: MintRung, holder: bytes) -> Opened:
    key = PositionKey(holder, *act.ticks)
    return Opened(key.hashed(), act.bucket, act.ticks, act.liquidity)


def unlacking(memory: Memory) -> Memory:
    """While money is on its way it is not known whether any ether will be lacking."""
    return remarked(memory, None) if memory.mind.note is Note.NO_ETH else memory


def standing(step: Step, asked: Active) -> Status:
    """What its session is: one that has not begun is what was asked, one that leaves closes until
    all is home."""
    mind = step.memory.mind
    if step.home is not None:
        return Status.STOPPED
    if mind.session == 0:
        return BEFORE_IT_BEGINS[asked]
    return Status.CLOSING if mind.status is Status.STOPPED else mind.status


def shown(figures: Figures, quote_unit: int, address: str) -> dict[str, str]:
    """For whoever asks how a droid stands: USD to cents."""

    def usd(amount: Fraction | int) -> str:
        return f"{round(Fraction(amount) / quote_unit * 100) / 100:.2f}"

    return {
        "wallet_address": address,
        "equity_usd": usd(figures.aum),
        "fees_earned_usd": usd(figures.fees_earned),
        "gas_spent_usd": usd(figures.gas_spent),
        "impermanent_loss_usd": usd(figures.impermanent_loss),
    }
