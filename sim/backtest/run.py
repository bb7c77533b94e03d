"""A backtest: each block of the log happens again, then the droid's transactions that it decided
at the end of the block before, then it decides anew.

Its transactions come last in their block: with the priority that droids pay nobody lets them in
front, and what they were decided at is then as old as it is on the chain.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sim.backtest.beside import FullRange, Held
from sim.backtest.earning import Earning
from sim.backtest.hand import Hand, Sent
from sim.backtest.log import LogBlock, LoggedSwap, PoolLog, blocks_of
from sim.backtest.market import Market
from sim.backtest.result import Done, Rebalance, Setting, Standing, SwapFees
from sim.backtest.result import Result as Backtested
from sim.chain.acts import NAMES, Close, Mint, PoolAct, SwapIn
from sim.chain.pool_host import PoolAnswer
from sim.chain.wallets import Wallets, droid_wallet
from sim.droid.acts import Outcome, Result
from sim.droid.memory import MindState, Plan
from sim.droid.mind import DroidMind, View
from sim.droid.session import DroidSession, Memory, Step, Told, Wished, plus
from sim.droid.signal import BlockEnd
from sim.droid.states import Active, Status
from sim.droid.valuation import impermanent_loss
from sim.pool.words import Pair

DROID_ID = 1
OWN_SWAP = -1
NOTHING: Pair = (0, 0)


@dataclass
class Undertaking:
    """A plan that is being carried out, and what has come of it so far."""

    plan: Plan
    begun_s: int
    closed: tuple[Pair, ...] = ()
    opened: tuple[Pair, ...] = ()
    gas: int = 0


class Backtest:
    """One droid on one log."""

    def __init__(self, log: PoolLog, setting: Setting) -> None:
        self._log, self._setting = log, setting
        self._terms = log.pool.terms
        self._lattice = setting.config.lattice(self._terms)
        wallet = droid_wallet(DROID_ID)
        holder = Wallets(setting.seed).address(wallet)
        quote = int(setting.config.funding_usd * self._terms.quote_unit)
        self._market = Market(log, setting.replays)
        tokens = self._terms.pair(0, quote)
        self._hand = Hand(holder, self._lattice, tokens, setting.ether_wei)
        self._session = DroidSession(log.pool, wallet, holder, DroidMind(self._terms))
        self._memory, self._active = Memory(MindState()), Active.RUN
        self._wishes: tuple[Wished, ...] = ()
        self._earning = Earning(self._market.pool)
        self._held, self._halves = Held(log, tokens), Held.halves(log, quote)
        self._full_range = FullRange(log, setting.replays, holder, quote)
        self._gas = self._lost = self._blocks = self._swaps = 0
        self._undertaking: Undertaking | None = None
        self._standings: list[Standing] = []
        self._swap_fees: list[SwapFees] = []
        self._done: list[Done] = []
        self._rebalances: list[Rebalance] = []

    def run(self, called: Callable[[int], bool | None] | None = None) -> Backtested:
        """To the log's end; sooner where `called` says so, which is told before each block how
        many there were."""
        last = self._log.first
        self._look(last, {})
        for block in blocks_of(self._log):
            if called is not None and called(self._blocks):
                break
            last = block
            self._blocks += 1
            self._happen(last)
            self._look(last, self._settle(last))
        if self._standings[-1].block != last.number:
            self._standings.append(self._standing(last))
        return self._result()

    def _happen(self, block: LogBlock) -> None:
        """What is logged of the block, in the droid's pool and in that without it."""
        for row in block.rows:
            self._market.happen(row)
            self._full_range.happen(row)
            if isinstance(row.what, LoggedSwap):
                self._swaps += 1
                self._earn(block, row.index)

    def _earn(self, block: LogBlock, index: int) -> None:
        fees = self._earning.swapped(self._hand.keys, block.time_s)
        if fees != NOTHING:
            self._swap_fees.append(SwapFees(block.number, index, fees))

    def _settle(self, block: LogBlock) -> dict[str, Told]:
        """What was decided a block ago happens; what became of it, by label."""
        pool, hand = self._market.pool, self._hand
        sent: list[Sent] = []
        for wished in self._wishes:
            sent.append(hand.send(pool, block.time_s, self._setting.base_fee_wei, wished))
            if isinstance(wished.act, SwapIn):
                self._earn(block, OWN_SWAP)
            else:
                self._earning.placed(hand.keys, block.time_s)
        self._wishes = ()
        for one in sent:
            self._account(block, one)
        return {one.wished.label: self._told(one) for one in sent}

    def _account(self, block: LogBlock, sent: Sent) -> None:
        """A transaction with its gas, at the price that the block leaves."""
        price_x96, act = self._market.pool.state.sqrt_price_x96, sent.wished.act
        assert isinstance(act, Mint | Close | SwapIn)
        fee = self._terms.in_quote(self._terms.pair(sent.fee_wei, 0), price_x96)
        gas = -(-fee.numerator // fee.denominator)
        self._gas += gas
        ticks = NOTHING if isinstance(act, SwapIn) else (act.tick_lower, act.tick_upper)
        answer = sent.answer or PoolAnswer()
        amounts, fees = answer.amounts, NOTHING
        if isinstance(act, Close) and sent.result is Result.DONE:
            principal = given(answer)
            amounts = -answer.collected[0], -answer.collected[1]
            fees = plus(NOTHING, answer.collected, principal)
            put_in = dict(self._memory.put_in).get(self._lattice.bucket_of(ticks[0]), NOTHING)
            self._lost += int(impermanent_loss(self._terms, price_x96, put_in, principal))
        self._undertake(act, ticks, sent.result, gas)
        liquidity = 0 if isinstance(act, SwapIn) else answer.liquidity
        done = Done(
            block.number,
            block.time_s,
            sent.wished.label,
            NAMES[type(act)],
            ticks,
            liquidity,
            sent.result,
            answer.revert,
            amounts,
            fees,
            sent.gas_used,
            sent.fee_wei,
            price_x96,
        )
        self._done.append(done)

    def _undertake(self, act: PoolAct, ticks: Pair, result: Result, gas: int) -> None:
        work = self._undertaking
        if work is None:
            return
        work.gas += gas
        if result is Result.DONE and isinstance(act, Close):
            work.closed = (*work.closed, ticks)
        elif result is Result.DONE and isinstance(act, Mint):
            work.opened = (*work.opened, ticks)

    def _told(self, sent: Sent) -> Told:
        price_x96 = self._market.pool.state.sqrt_price_x96
        outcome = Outcome(sent.wished.label, sent.result, sent.fee_wei, price_x96)
        if sent.answer is None:
            return Told(outcome)
        is_close = isinstance(sent.wished.act, Close)
        amounts = given(sent.answer) if is_close else sent.answer.amounts
        return Told(outcome, amounts, sent.answer.collected)

    def _look(self, block: LogBlock, told: dict[str, Told]) -> None:
        """The droid sees the block's end."""
        before = self._memory
        step = self._session.step(before, self._view(block), told, 0)
        self._memory, self._wishes = step.memory, step.wishes
        mind = step.memory.mind
        if mind.active is not before.mind.active and mind.status is not Status.STOPPED:
            self._active = mind.active
        self._follow(block, before, step)
        if block.rows or told or step.writes_history or not self._standings:
            self._standings.append(self._standing(block))

    def _follow(self, block: LogBlock, before: Memory, step: Step) -> None:
        """Plans, as they begin and come to their end."""
        mind, work = step.memory.mind, self._undertaking
        if work is not None and mind.completed > before.mind.completed:
            self._rebalances.append(completed(work, block))
            self._undertaking = work = None
        plan = mind.plan if step.wishes else None
        if plan is not None and (work is None or work.plan.number != plan.number):
            self._undertaking = Undertaking(plan, block.time_s)

    def _view(self, block: LogBlock) -> View:
        hand, setting = self._hand, self._setting
        end = BlockEnd(self._market.pool, block.time_s)
        wallet = hand.tokens, hand.ether_wei, hand.rungs
        return View(end, setting.base_fee_wei, *wallet, setting.config, self._active)

    def _standing(self, block: LogBlock) -> Standing:
        figures = self._session.figures(self._memory, self._view(block))
        price_x96, signal = self._market.pool.state.sqrt_price_x96, self._memory.mind.signal
        ether = int(self._terms.in_quote(self._terms.pair(self._setting.ether_wei, 0), price_x96))
        return Standing(
            block.number,
            block.time_s,
            price_x96,
            signal.value if signal else self._terms.nearest_double(price_x96),
            self._hand.ranges,
            int(figures.aum),
            int(figures.fees_earned),
            self._gas,
            self._lost + int(figures.impermanent_loss),
            self._held.worth(price_x96) + ether,
            self._halves.worth(price_x96) + ether,
            self._full_range.worth(block.time_s) + ether,
        )

    def _result(self) -> Backtested:
        return Backtested(
            self._log,
            self._setting,
            tuple(self._standings),
            tuple(self._swap_fees),
            tuple(self._done),
            tuple(self._rebalances),
            self._blocks,
            self._swaps,
            self._market.refused,
            self._memory.mind.note,
            self._earning.earned,
            self._full_range.fees(self._standings[-1].time_s),
            self._hand.tokens,
            self._hand.ether_wei,
        )


def completed(work: Undertaking, block: LogBlock) -> Rebalance:
    """In the block at whose end that is known."""
    plan, end = work.plan, (block.number, block.time_s)
    begun = plan.number, plan.whys, work.begun_s
    return Rebalance(*begun, *end, plan.signal, work.closed, work.opened, work.gas)


def given(closed: PoolAnswer) -> Pair:
    """What a close gave without the fees."""
    return -closed.amounts[0], -closed.amounts[1]
