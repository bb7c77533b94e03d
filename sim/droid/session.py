"""A droid at work: its mind, what it has put in and earned, and its money's way home.

`step` is shown a block's end and what became of its transactions, and says what to remember, what
to wish of the chain, which positions came and went. It is the same for whoever keeps that: the
droid's actor, or a backtest.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from sim.chain.acts import Act as ChainAct
from sim.chain.acts import Close, Mint, Send, SwapIn, Transfer
from sim.chain.gas import SEND_GAS, TRANSFER_TO_NEW_GAS
from sim.chain.known_pools import KnownPool
from sim.chain.wallets import BRIDGE
from sim.droid.acts import Act, CloseRung, MintRung, Outcome, Result, SwapExactIn
from sim.droid.gas import is_too_dear, ticks_within_slippage
from sim.droid.memory import MindState
from sim.droid.mind import DroidMind, View
from sim.droid.states import Active, Note, Status, is_reset_due
from sim.droid.valuation import Holdings, impermanent_loss, positions_held, uncollected
from sim.pool.positions import PositionKey
from sim.pool.words import Pair

HOUR_S = 3_600
GAS_WEI = 2 * 10**17
"""What a simulated wallet begins with for gas; of the exchange's droids it is a setting."""

BLOCKS_PATIENCE = 3
"""A transaction that is in none of so many blocks is decided anew."""

ETHER_ATOM_WEI = 10**10
"""An account counts ether in hundred-millionths: what is less stays in the wallet."""

ADVANCE_WEI = 5 * 10**16
"""What a wallet without ether is lent for its way home; it is kept back in the end."""

NOTHING: Pair = (0, 0)


@dataclass(frozen=True, slots=True)
class Leaving:
    """A transaction that brings something home. `token` is "" for ether."""

    label: str
    token: str
    amount: int


@dataclass(frozen=True, slots=True)
class Memory:
    """What a droid at work remembers.

    resets       how many resets it has done
    put_in       what its open positions took, by bucket
    collected    fees of positions that are closed, in the chain's order of tokens
    fee_wei      paid for gas, in all
    hour         of the last row of its history
    leaving      under way home; `home` what has come there, in atoms of the account, by asset
    advance_wei  lent to it
    """

    mind: MindState
    resets: int = 0
    put_in: tuple[tuple[int, Pair], ...] = ()
    collected: Pair = NOTHING
    fee_wei: int = 0
    hour: int = 0
    leaving: tuple[Leaving, ...] = ()
    home: tuple[tuple[str, int], ...] = ()
    advance_wei: int = 0
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Told:
    """What became of a transaction: `amounts` a mint took or a close gave as principal, `collected`
    what it gave in all."""

    outcome: Outcome
    amounts: Pair = NOTHING
    collected: Pair = NOTHING


def told_of(outcome: Outcome, told: Mapping[str, Any]) -> Told:
    """With the amounts that the chain has told of it: see sim.chain.execution.Effect."""
    amounts = told.get("amounts") or told.get("principal") or ("0", "0")
    return Told(outcome, _pair(amounts), _pair(told.get("collected", ("0", "0"))))


def _pair(texts: Sequence[str]) -> Pair:
    return int(texts[0]), int(texts[1])


@dataclass(frozen=True, slots=True)
class Wished:
    """A transaction to be wished for; by the droid's own wallet, or by the bridge's."""

    label: str
    act: ChainAct
    max_fee_wei: int
    priority_fee_wei: int
    is_bridge: bool = False


@dataclass(frozen=True, slots=True)
class Figures:
    """How a droid stands at a block's end: amounts in base units of the quote.

    aum         positions, their fees and the wallet, with its ether
    positions   without fees, in the chain's order
    """

    aum: Fraction
    positions: Pair
    fees_earned: Fraction
    gas_spent: int
    impermanent_loss: Fraction


@dataclass(frozen=True, slots=True)
class Step:
    """What came of a look at a block's end.

    opened, closed   positions by their buckets, with their liquidity
    begins_anew      whether this is a new session, after a reset
    writes_history   whether how it stands is worth a row
    home             what its account has back, in atoms by asset, once all is done; else None
    """

    memory: Memory
    wishes: tuple[Wished, ...] = ()
    opened: tuple[MintRung, ...] = ()
    closed: tuple[int, ...] = ()
    begins_anew: bool = False
    writes_history: bool = False
    home: tuple[tuple[str, int], ...] | None = None


class DroidSession:
    """One droid's work on one pool.

    wallet   its name, and the address `holder`
    """

    def __init__(self, pool: KnownPool, wallet: str, holder: bytes, mind: DroidMind) -> None:
        self._pool = pool
        self._wallet, self._holder, self._mind = wallet, holder, mind

    def step(self, memory: Memory, view: View, told: Mapping[str, Told], resets: int) -> Step:
        """A look at a block's end.

        told     what became of what is under way, as far as that is known, by label
        resets   how often it was asked to begin anew
        """
        if memory.leaving or (memory.mind.status is Status.STOPPED and memory.mind.session):
            return self._leave(memory, view, told)
        before, opened, closed = self._learnt(memory, view, told)
        asked = replace(view, active=self._asked(before, view, resets))
        decision = self._mind.decide(before.mind, asked)
        after = replace(before, mind=decision.state)
        begins_anew = 0 < before.mind.session < after.mind.session
        if begins_anew:
            after = replace(after, resets=resets, put_in=(), collected=NOTHING, fee_wei=0)
        elif after.mind.session > before.mind.session:
            after = replace(after, resets=resets)
        hour = view.end.time_s // HOUR_S
        writes = (
            after.mind.session > before.mind.session
            or after.mind.completed > memory.mind.completed
            or hour > memory.hour
            or (after.mind.status is Status.STOPPED and before.mind.status is not Status.STOPPED)
        )
        wishes = tuple(self._wished(act) for act in decision.acts)
        if after.mind.status is Status.CLOSING and after.mind.note is Note.NO_ETH:
            after, lent = self._lent(after, view)
            wishes = (*wishes, *lent)
        step = Step(replace(after, hour=hour), wishes, opened, closed, begins_anew, writes)
        if after.mind.status is Status.STOPPED and (
            after.mind.session or asked.active is Active.CLOSE
        ):
            leaving = self._leave(step.memory, view, {})
            return replace(step, memory=leaving.memory, wishes=leaving.wishes, home=leaving.home)
        return step

    def _asked(self, memory: Memory, view: View, resets: int) -> Active:
        """A reset is asked as long as it is not done; a droid that pauses by itself has it wait."""
        is_due = is_reset_due(memory.mind.session, memory.resets, resets)
        return Active.RESET if is_due and view.active is Active.RUN else view.active

    def _learnt(
        self, memory: Memory, view: View, told: Mapping[str, Told]
    ) -> tuple[Memory, tuple[MintRung, ...], tuple[int, ...]]:
        """With what became of all that was under way, once it is known of all."""
        pending = memory.mind.pending
        if not pending or any(act.label not in told for act in pending):
            return memory, (), ()
        put_in, collected = dict(memory.put_in), memory.collected
        opened: list[MintRung] = []
        closed: list[int] = []
        for act in pending:
            found = told[act.label]
            if found.outcome.result is not Result.DONE:
                continue
            if isinstance(act, MintRung):
                put_in[act.bucket] = found.amounts
                opened.append(act)
            elif isinstance(act, CloseRung):
                put_in.pop(act.bucket, None)
                closed.append(act.bucket)
                collected = plus(collected, found.collected, found.amounts)
        outcomes = [told[act.label].outcome for act in pending]
        after = replace(
            memory,
            mind=self._mind.after(memory.mind, outcomes),
            put_in=tuple(sorted(put_in.items())),
            collected=collected,
            fee_wei=memory.fee_wei + sum(one.fee_wei for one in outcomes),
        )
        return after, tuple(opened), tuple(closed)

    def _wished(self, act: Act) -> Wished:
        fees = act.offer.fee_per_gas_wei_max, act.offer.priority_per_gas_wei
        return Wished(act.label, self._chain_act(act), *fees)

    def _chain_act(self, act: Act) -> ChainAct:
        pool_id, within_x96 = self._pool.pool_id, act.offer.within_x96
        if isinstance(act, MintRung):
            return Mint(pool_id, *act.ticks, act.liquidity, within_x96, act.may_be_in_range)
        if isinstance(act, CloseRung):
            return Close(pool_id, *act.ticks, within_x96)
        assert isinstance(act, SwapExactIn)
        order = act.zero_for_one, act.amount_in, act.sqrt_price_limit_x96
        crossed_max = ticks_within_slippage(self._pool.tick_spacing)
        return SwapIn(pool_id, *order, within_x96, crossed_max)

    def _leave(self, memory: Memory, view: View, told: Mapping[str, Told]) -> Step:
        """What is in the wallet goes home: tokens first, then the ether that is left."""
        if any(one.label not in told for one in memory.leaving):
            return Step(memory)
        home = dict(memory.home)
        for one in memory.leaving:
            if told[one.label].outcome.result is Result.DONE:
                asset = self._asset(one.token)
                unit = ETHER_ATOM_WEI if asset == "ETH" else 1
                home[asset] = home.get(asset, 0) + one.amount // unit
        memory = replace(memory, leaving=(), home=tuple(sorted(home.items())))
        if is_too_dear(view.config, view.next_base_fee_wei):
            return Step(remarked(memory, Note.GAS_PRICE))
        tokens = self._tokens_to_send(view)
        fee_wei = view.next_base_fee_wei + view.config.priority_per_gas_wei
        if view.ether_wei < fee_wei * (TRANSFER_TO_NEW_GAS * len(tokens) + SEND_GAS):
            if not tokens:
                return Step(memory, home=self._settled(memory))
            return Step(*self._lent(memory, view))
        return self._sent_home(memory, view, tokens, fee_wei)

    def _sent_home(
        self, memory: Memory, view: View, tokens: Sequence[tuple[str, int]], fee_wei: int
    ) -> Step:
        wei = (view.ether_wei - fee_wei * SEND_GAS) // ETHER_ATOM_WEI * ETHER_ATOM_WEI
        sums = tokens or ([("", wei)] if wei else [])
        if not sums:
            return Step(memory, home=self._settled(memory))
        attempts = memory.attempts + 1
        leaving = tuple(
            Leaving(f"home/{attempts}/{token or 'ether'}", token, amount) for token, amount in sums
        )
        wishes = tuple(
            Wished(
                one.label,
                Transfer(one.token, BRIDGE, one.amount) if one.token else Send(BRIDGE, one.amount),
                fee_wei,
                view.config.priority_per_gas_wei,
            )
            for one in leaving
        )
        return Step(remarked(replace(memory, leaving=leaving, attempts=attempts), None), wishes)

    def _tokens_to_send(self, view: View) -> list[tuple[str, int]]:
        """Whole atoms of what an account has."""
        found = []
        for token, amount in zip(self._pool.tokens, view.wallet, strict=True):
            unit = ETHER_ATOM_WEI if self._asset(token.symbol) == "ETH" else 1
            if amount >= unit:
                found.append((token.symbol, amount // unit * unit))
        return found

    def _asset(self, token: str) -> str:
        """What an account calls it."""
        return "ETH" if token in ("", "WETH") else token

    def _settled(self, memory: Memory) -> tuple[tuple[str, int], ...]:
        """What the account gets: without what was lent, as far as there is so much."""
        home = dict(memory.home)
        lent = -(-memory.advance_wei // ETHER_ATOM_WEI)
        if "ETH" in home:
            home["ETH"] = max(home["ETH"] - lent, 0)
        return tuple(sorted((asset, atoms) for asset, atoms in home.items() if atoms))

    def _lent(self, memory: Memory, view: View) -> tuple[Memory, tuple[Wished, ...]]:
        """Ether for gas: once a wallet has none, nothing of what is in it could move."""
        attempts = memory.attempts + 1
        lent = Leaving(f"advance/{attempts}", "", 0)
        after = replace(
            memory,
            attempts=attempts,
            leaving=(lent,) if memory.mind.status is Status.STOPPED else (),
            advance_wei=memory.advance_wei + ADVANCE_WEI,
        )
        fee_wei = view.next_base_fee_wei * 2
        wish = Wished(lent.label, Send(self._wallet, ADVANCE_WEI), fee_wei, 0, is_bridge=True)
        return after, (wish,)

    def figures(self, memory: Memory, view: View) -> Figures:
        """How it stands."""
        terms, price_x96 = self._pool.terms, view.sqrt_price_x96
        lattice = view.config.lattice(terms)
        positions = positions_held(lattice, view.rungs, price_x96)
        keys = [PositionKey(self._holder, *lattice.ticks(one.bucket)) for one in view.rungs]
        fees = uncollected(view.end.pool, keys, view.end.time_s)
        held = Holdings(positions, fees, view.wallet, view.ether_wei)
        put_in = NOTHING
        for _, amounts in memory.put_in:
            put_in = (put_in[0] + amounts[0], put_in[1] + amounts[1])
        earned = (memory.collected[0] + fees[0], memory.collected[1] + fees[1])
        return Figures(
            held.worth(terms, price_x96),
            positions,
            terms.in_quote(earned, price_x96),
            memory.mind.gas_spent,
            impermanent_loss(terms, price_x96, put_in, positions),
        )


def plus(before: Pair, all_: Pair, principal: Pair) -> Pair:
    """With the fees of a position that was closed."""
    return before[0] + all_[0] - principal[0], before[1] + all_[1] - principal[1]


def remarked(memory: Memory, note: Note | None) -> Memory:
    return replace(memory, mind=replace(memory.mind, note=note))
