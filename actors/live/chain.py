"""The chain's actor: blocks every twelve seconds of its time, durable before anybody knows them."""

import random
import time
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import structlog

from actors.loop import Loop
from sim.chain.building import BLOCK_S, Block, replaced
from sim.chain.world import BlockPool, ChainWorld
from storage.chain import node
from storage.chain.mining import is_asked
from storage.chain.node import Head
from storage.chain.spot import ether_price
from storage.chain.wished import droids_are_behind, waiting
from storage.errors import CorruptState, DatabaseUnavailable, Superseded, patiently, told
from storage.postgres.database import Link

LOOK_EVERY_S = 0.1
DROIDS_LOOK_S = 0.01
RETRY_S = 0.2
STOP_WAIT_S = 4.0
DROIDS_WAIT_S = 2.0
"""How long a block waits for droids that have not looked at the one before."""

REORG_ONCE_IN_BLOCKS = 700
REORG_DEPTH_MAX = 3

log = structlog.get_logger()


class PoolUnavailable(Exception):
    """A pool's actor is away: the block under way is forgotten, and built again."""


class Chain:
    """One a deployment. Constructing it takes the chain over from whoever had it before.

    pools   by id, as they are reached from here
    speed   seconds of the chain's time in one of ours
    """

    def __init__(
        self,
        database_url: str,
        pools: Mapping[int, BlockPool],
        seed: int,
        speed: float = 1.0,
        is_quiet: bool = False,
        run: bool = False,
    ) -> None:
        self._link = Link(database_url, "chain")
        self._pools, self._seed, self._is_quiet = pools, seed, is_quiet
        self._interval_s = BLOCK_S / speed
        self._keeps_time = speed == 1
        self._head: Head | None = None
        self._world: ChainWorld | None = None
        self._newest: list[Block] = []
        self._halt_reason: str | None = None
        self._due_at = time.monotonic()
        self._dice = random.Random(seed)
        self._loop = Loop("chain", self._run)
        patiently(self._acquire)
        if run:
            self.start()

    def _acquire(self) -> None:
        head = node.acquire(self._link())
        if head is None:
            raise CorruptState("the chain was not founded")
        self._head, self._halt_reason, self._world = head, head.halt_reason, None

    def start(self) -> None:
        """Begin to build. A second call does nothing."""
        self._loop.start()

    def stop(self) -> None:
        """Finish the block under way, and end."""
        self._loop.stop(STOP_WAIT_S)
        self._link.close()

    def health(self) -> dict[str, Any]:
        """The newest block, and why there are no more."""
        tip = self._world.tip if self._world is not None else None
        number = tip.number if tip is not None else 0
        return {"block": number, "halt_reason": self._halt_reason}

    def _run(self) -> None:
        pause_s = 0.0
        while not self._loop.stopping.wait(pause_s):
            self._loop.beat()
            pause_s = min(LOOK_EVERY_S, self._interval_s)
            try:
                if self.look():
                    pause_s = 0.0
            except Superseded:
                raise
            except (DatabaseUnavailable, PoolUnavailable) as error:
                log.warning("chain_waits", error=told(error))
                self._world = None  # whether the block is there is not known: read it all again
                self._loop.stopping.wait(RETRY_S)
            except Exception as error:  # never goes on with a state that it cannot trust
                log.exception("chain_halted")
                self._halt(told(error))

    def _halt(self, reason: str) -> None:
        self._halt_reason, self._world = reason, None
        try:
            if self._head is not None:
                node.halt(self._link(), self._head.epoch, reason)
        except DatabaseUnavailable as error:
            log.warning("halt_not_noted", error=told(error))

    def look(self) -> bool:
        """A block where one is due or wished for. Whether more are wished for at once."""
        head = node.read_head(self._link())
        if head is None or self._head is None or head.epoch != self._head.epoch:
            raise Superseded("another process builds the chain's blocks")
        self._halt_reason = head.halt_reason
        if head.halt_reason is not None:
            return False
        world = self._ready(head)
        if head.reorg_wish:
            self._reorganise(head, min(head.reorg_wish, REORG_DEPTH_MAX))
        is_wished = head.mine_to > world.tip.number and is_asked(self._link())
        if is_wished or time.monotonic() >= self._due_at:
            self._build(is_wished)
            self._due_at = time.monotonic() + self._interval_s
            self._reorganise_by_chance(head)
        return is_wished and head.mine_to > world.tip.number

    def _ready(self, head: Head) -> ChainWorld:
        if self._world is None:
            state = node.load_state(self._link())
            self._world = ChainWorld(self._seed, state, head.tip, self._pools, self._is_quiet)
            self._newest = []
            log.info("chain_ready", block=head.tip.number)
        return self._world

    def _build(self, is_wished: bool) -> Block:
        """The next block, of what is wished. It is durable when this returns.

        Raises DatabaseUnavailable, PoolUnavailable, Superseded, AssertionError.
        """
        assert self._world is not None, "the chain was read"
        assert self._head is not None, "the chain was taken over"
        self._wait_for_droids(self._world.tip.number)
        draughted = self._world.built(
            self._time_s(is_wished), waiting(self._link()), self._spot_price()
        )
        node.commit_block(self._link(), self._head.epoch, draughted)
        self._world.keep(draughted)
        self._newest = [*self._newest, draughted.block][-REORG_DEPTH_MAX:]
        return draughted.block

    def _time_s(self, is_wished: bool) -> int:
        """Twelve seconds later, or as many times twelve as nobody has built for."""
        assert self._world is not None
        before = self._world.tip.time_s
        slots = 1
        if self._keeps_time and not is_wished:
            slots = max(1, (int(time.time()) - before) // BLOCK_S)
        return before + slots * BLOCK_S

    def _spot_price(self) -> Fraction | None:
        return None if self._is_quiet else ether_price(self._link())

    def _wait_for_droids(self, number: int) -> None:
        """They decide at a block's end what is in the next."""
        until = time.monotonic() + DROIDS_WAIT_S
        while droids_are_behind(self._link(), number) and time.monotonic() < until:
            self._loop.beat()
            if self._loop.stopping.wait(DROIDS_LOOK_S):
                return

    def _reorganise_by_chance(self, head: Head) -> None:
        if self._dice.random() < 1 / REORG_ONCE_IN_BLOCKS:
            self._reorganise(head, self._dice.randint(1, REORG_DEPTH_MAX))

    def _reorganise(self, head: Head, depth: int) -> None:
        """The newest blocks become others: what outsiders did in them, they did otherwise."""
        blocks = self._newest[-depth:]
        if not blocks or self._world is None:
            return
        parent_hash, turned, salt = blocks[0].header.parent_hash, [], self._dice.getrandbits(32)
        for block in blocks:
            turned.append(replaced(block, parent_hash, salt, self._world.wallets))
            parent_hash = turned[-1].header.hash
        node.replace_blocks(self._link(), head.epoch, turned)
        self._world.tip = turned[-1].tip
        self._newest[-len(turned) :] = turned
        log.info("chain_reorganised", blocks=[block.tip.number for block in turned])
