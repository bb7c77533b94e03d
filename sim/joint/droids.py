"""A droid on a simulation's chain: what it sees of a block, what it wishes, how it stands."""

from typing import Any

from sim.chain.acts import Wish
from sim.chain.building import Block, Included
from sim.chain.known_pools import POOLS
from sim.chain.pool_host import PoolHost
from sim.chain.state import ChainState
from sim.chain.wallets import Wallets
from sim.droid.acts import Outcome, Result
from sim.droid.ladder import Rung
from sim.droid.memory import MindState
from sim.droid.mind import DroidMind, View
from sim.droid.session import BLOCKS_PATIENCE, GAS_WEI, DroidSession, Memory, Told, told_of
from sim.droid.signal import BlockEnd
from sim.droid.states import Active, Status
from sim.pool.words import Pair
from sim.record.chain import DROID, DroidRecord, rows_of
from sim.scenario.chain import DroidDescription


class JointDroid:
    """Its wallet begins with its funding in the quote, and ether for gas."""

    def __init__(self, about: DroidDescription, wallets: Wallets, state: ChainState) -> None:
        self._about, self._pool = about, POOLS[about.pool_id]
        self._wallet = f"droid-{about.name}"
        self._holder = wallets.address(self._wallet)
        mind = DroidMind(self._pool.terms)
        self._session = DroidSession(self._pool, self._wallet, self._holder, mind)
        self._memory, self._active = Memory(MindState()), Active.RUN
        self._waiting: dict[str, Wish] = {}
        self._known: set[str] = set()
        self._told: dict[str, Told] = {}
        self._rows: list[tuple[Any, ...]] = []
        self._open: dict[Pair, int] = {}
        self._bands: list[tuple[int, int, float, float]] = []
        self._quote = int(about.config.funding_usd * self._pool.terms.quote_unit)
        state.holdings[self._pool.quote.address, self._holder] = self._quote
        state.wei[self._holder] = GAS_WEI

    @property
    def wishes(self) -> list[Wish]:
        """For the next block."""
        return [*self._waiting.values()]

    def look(self, block: Block, state: ChainState, host: PoolHost, time_us: int) -> None:
        """A block's end."""
        self._learn(block, host.pool.state.sqrt_price_x96)
        view = self._view(block, state, host)
        before = self._memory
        step = self._session.step(before, view, self._told, 0)
        mind = step.memory.mind
        self._memory = step.memory
        if mind.active is not before.mind.active and mind.status is not Status.STOPPED:
            self._active = mind.active
        self._told = {label: one for label, one in self._told.items() if label in labels_of(mind)}
        for one in step.wishes:
            if one.label not in self._known:
                self._known.add(one.label)
                last = block.tip.number + BLOCKS_PATIENCE
                fees = one.max_fee_wei, one.priority_fee_wei
                label = self._label(one.label)
                self._waiting[one.label] = Wish(label, self._wallet, one.act, *fees, last)
        self._note(view, time_us)

    def _label(self, label: str) -> str:
        return f"{self._wallet}/{label}"

    def _learn(self, block: Block, sqrt_price_x96: int) -> None:
        """What of its transactions is in the block, and what will be in none."""
        included = {one.wish.label: one for one in block.transactions}
        for label, wish in [*self._waiting.items()]:
            found = included.get(self._label(label))
            if found is not None:
                self._told[label] = told_in(label, found, sqrt_price_x96)
            elif block.tip.number >= wish.last_block:
                self._told[label] = Told(Outcome(label, Result.DROPPED, 0, sqrt_price_x96))
            else:
                continue
            del self._waiting[label]

    def _view(self, block: Block, state: ChainState, host: PoolHost) -> View:
        token0, token1 = self._pool.tokens
        holder, config = self._holder, self._about.config
        lattice = config.lattice(self._pool.terms)
        rungs = sorted(
            Rung(lattice.bucket_of(lower), position.liquidity)
            for (pool_id, owner, lower, _), position in state.positions.items()
            if (pool_id, owner) == (self._pool.pool_id, holder)
        )
        return View(
            BlockEnd(host.pool, block.tip.time_s),
            block.tip.next_base_fee_wei,
            (
                state.holdings.get((token0.address, holder), 0),
                state.holdings.get((token1.address, holder), 0),
            ),
            state.wei.get(holder, 0),
            tuple(rungs),
            config,
            self._active,
        )

    def _note(self, view: View, time_us: int) -> None:
        figures, terms = self._session.figures(self._memory, view), self._pool.terms
        ether = terms.in_quote(terms.pair(GAS_WEI, 0), view.sqrt_price_x96)
        gas = terms.in_quote(terms.pair(self._memory.fee_wei, 0), view.sqrt_price_x96)
        worth = figures.aum, figures.fees_earned, gas, figures.impermanent_loss
        held = self._quote + int(ether)
        self._rows.append((time_us, *map(int, worth), held, len(view.rungs)))
        lattice = self._about.config.lattice(terms)
        ranges = {lattice.ticks(one.bucket) for one in view.rungs}
        for ticks in [*self._open]:
            if ticks not in ranges:
                self._bands.append(self._band(ticks, self._open.pop(ticks), time_us))
        for ticks in sorted(ranges):
            self._open.setdefault(ticks, time_us)

    def _band(self, ticks: Pair, begin_us: int, end_us: int) -> tuple[int, int, float, float]:
        edges = sorted(float(self._pool.terms.price_at_tick(tick)) for tick in ticks)
        return begin_us, end_us, edges[0], edges[1]

    def record(self) -> DroidRecord:
        mind = self._memory.mind
        end_us = self._rows[-1][0] if self._rows else 0
        still = [self._band(ticks, since, end_us) for ticks, since in self._open.items()]
        return DroidRecord(
            self._about.name,
            self._pool.pool_id,
            mind.status.value,
            mind.note.value if mind.note else "",
            mind.completed,
            rows_of(self._rows, DROID),
            (*self._bands, *still),
        )


def labels_of(mind: MindState) -> set[str]:
    return {act.label for act in mind.pending}


def told_in(label: str, included: Included, sqrt_price_x96: int) -> Told:
    """What became of a transaction that is in a block."""
    result = Result.DONE if included.effect.revert is None else Result.FAILED
    outcome = Outcome(label, result, included.fee_wei, sqrt_price_x96)
    return told_of(outcome, included.effect.told)
