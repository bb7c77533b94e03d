"""A pool, others who trade on it, and a droid whose transactions come into the next block.

After every block the tokens are counted: what the pool, the droid and the others have together
never changes. What the droid remembers goes through JSON every time.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

from sim.chain.gas import close_gas, mint_gas, swap_gas
from sim.droid.acts import Act, CloseRung, MintRung, Outcome, Result, SwapExactIn
from sim.droid.config import DroidConfig, patched
from sim.droid.ladder import Rung, rung_amounts
from sim.droid.memory import MindState
from sim.droid.mind import DroidMind, View
from sim.droid.signal import BlockEnd
from sim.droid.states import Active
from sim.droid.written import read_as, written
from sim.pool.pool import Pool
from sim.pool.positions import PositionKey
from sim.pool.reverts import Reverted
from sim.pool.swapping import Order
from sim.pool.words import Pair
from tests.sim.droid_facts import POOLS, calm
from tests.sim.pool_lives import EVERYTHING

BLOCK_S = 12
GWEI = 10**9
OTHERS = b"\2" * 20
PLENTY = 2**120


@dataclass
class World:
    """fails        by act: whether it fails though nothing stands against it
    background   the others' liquidity: lower tick, upper tick, how much
    is_full      blocks take no transaction of the droid's, which wait
    """

    config: DroidConfig = field(default_factory=calm)
    price: str = "3215.5"
    pool_id: int = 42
    base_fee_wei: int = 12 * GWEI
    ether_wei: int = 2 * 10**17
    owner: bytes = b"\1" * 20
    active: Active = Active.RUN
    fails: Callable[[Act], bool] = lambda _: False
    state: MindState = field(default_factory=MindState)
    rungs: dict[int, int] = field(default_factory=dict)
    sent: list[Act] = field(default_factory=list)
    labels: set[str] = field(default_factory=set)
    fees_wei: list[int] = field(default_factory=list)
    background: tuple[tuple[int, int, int], ...] = ((-887220, 887220, 10**18),)
    is_full: bool = False
    time_s: int = 1_700_000_000

    def __post_init__(self) -> None:
        self.terms = POOLS[self.pool_id]
        self.pool = Pool(self.terms.fee_pips, self.terms.tick_spacing)
        self.pool.initialize(self.time_s, self.terms.sqrt_price_x96(Decimal(self.price)))
        self.wallet = self.terms.pair(0, int(self.config.funding_usd * self.terms.quote_unit))
        self.others = (PLENTY, PLENTY)
        for lower, upper, liquidity in self.background:
            key = PositionKey(OTHERS, lower, upper)
            self.pay_others(self.pool.mint(self.time_s, key, liquidity))
        self.tokens = self.counted()

    @property
    def mind(self) -> DroidMind:
        """Another every time: it is no loss when one is killed."""
        return DroidMind(self.terms)

    def counted(self) -> Pair:
        balances = self.pool.state.balances
        amounts = zip(balances, self.wallet, self.others, strict=True)
        first, second = (sum(three) for three in amounts)
        return first, second

    def pay_others(self, amounts: Pair) -> None:
        self.others = self.others[0] - amounts[0], self.others[1] - amounts[1]

    def pay(self, amounts: Pair) -> None:
        self.wallet = self.wallet[0] - amounts[0], self.wallet[1] - amounts[1]

    def key(self, bucket: int) -> PositionKey:
        return PositionKey(self.owner, *self.config.lattice(self.terms).ticks(bucket))

    def fund(self, quote: int) -> None:
        """From outside, into the droid's wallet."""
        amounts = self.terms.pair(0, quote)
        self.pay((-amounts[0], -amounts[1]))
        self.tokens = self.counted()

    def patch(self, **changes: object) -> None:
        self.config = patched(self.config, changes, self.terms)

    def others_move_to(self, price: str) -> None:
        limit_x96 = self.terms.sqrt_price_x96(Decimal(price))
        now_x96 = self.pool.state.sqrt_price_x96
        if limit_x96 != now_x96:
            order = Order(limit_x96 < now_x96, 2**110, limit_x96)
            self.pay_others(self.pool.swap(self.time_s, order))

    def view(self) -> View:
        rungs = tuple(Rung(*one) for one in sorted(self.rungs.items()))
        end = BlockEnd(self.pool, self.time_s)
        wallet, config = self.wallet, self.config
        return View(end, self.base_fee_wei, wallet, self.ether_wei, rungs, config, self.active)

    def block(self, price: str | None = None, price_before: str | None = None) -> list[Act]:
        """Others trade before the droid's transactions and after them; what it then decides."""
        self.time_s += BLOCK_S
        if price_before:
            self.others_move_to(price_before)
        self.settle()
        if price:
            self.others_move_to(price)
        self.decide()
        self.check()
        return list(self.state.pending)

    def blocks(self, count: int, price: str | None = None) -> None:
        for _ in range(count):
            self.block(price)

    def until_quiet(self, blocks_max: int = 20) -> None:
        for _ in range(blocks_max):
            if not self.block():
                return
        raise AssertionError("the droid does not come to rest")

    def decide(self) -> None:
        view, before = self.view(), self.state
        if not before.pending:
            self.decided_with = self.config
        decision = self.mind.decide(before, view)
        assert decision == self.mind.decide(before, view)
        kept = json.loads(json.dumps(written(decision.state)))
        assert read_as(MindState, kept) == decision.state
        if decision.acts:
            assert self.mind.decide(decision.state, view) == decision
        self.state = read_as(MindState, kept)
        if self.state.active is not before.active:
            self.active = self.state.active

    def settle(self) -> None:
        """The block takes what was sent, if it pays for its gas."""
        if not self.state.pending or self.is_full:
            return
        outcomes = [self.outcome(act) for act in self.state.pending]
        self.sent += self.state.pending
        active = self.state.active
        self.state = self.mind.after(self.state, outcomes)
        if self.state.active is not active:
            self.active = self.state.active

    def outcome(self, act: Act) -> Outcome:
        assert act.label not in self.labels, "no label comes twice"
        self.labels.add(act.label)
        offer, gas = act.offer, self.gas(act)
        gas_price = self.base_fee_wei + offer.priority_per_gas_wei
        if gas_price > offer.fee_per_gas_wei_max:
            return self.told(act, Result.DROPPED, 0)
        low, high = offer.within_x96
        is_within = low <= self.pool.state.sqrt_price_x96 <= high
        assert gas <= offer.gas_limit or not is_within
        fee_wei = gas_price * min(gas, offer.gas_limit)
        self.ether_wei -= fee_wei
        self.fees_wei.append(fee_wei)
        if self.fails(act) or not is_within:
            return self.told(act, Result.FAILED, fee_wei)
        try:
            self.execute(act)
        except Reverted:
            return self.told(act, Result.FAILED, fee_wei)
        return self.told(act, Result.DONE, fee_wei)

    def told(self, act: Act, result: Result, fee_wei: int) -> Outcome:
        return Outcome(act.label, result, fee_wei, self.pool.state.sqrt_price_x96)

    def gas(self, act: Act) -> int:
        if isinstance(act, SwapExactIn):
            return swap_gas(0)
        lower, upper = act.ticks
        is_in_range = lower <= self.pool.state.tick < upper
        if isinstance(act, CloseRung):
            return close_gas(is_in_range)
        ticks = self.pool.store.ticks
        return mint_gas(is_in_range, sum(not ticks[tick].initialized for tick in act.ticks))

    def execute(self, act: Act) -> None:
        if isinstance(act, SwapExactIn):
            order = Order(act.zero_for_one, act.amount_in, act.sqrt_price_limit_x96)
            self.pay(self.pool.swap(self.time_s, order))
        elif isinstance(act, CloseRung):
            key = PositionKey(self.owner, *act.ticks)
            assert self.rungs.pop(act.bucket) == act.liquidity
            self.pool.burn(self.time_s, key, act.liquidity)
            paid = self.pool.collect(key, EVERYTHING)
            self.pay((-paid[0], -paid[1]))
        else:
            self.mint(act)

    def mint(self, act: MintRung) -> None:
        decided_with = self.decided_with
        assert act.bucket not in self.rungs
        assert len(self.rungs) < decided_with.max_bots
        assert act.bucket in decided_with.eligible(self.terms)
        assert act.ticks == self.config.lattice(self.terms).ticks(act.bucket)
        key = PositionKey(self.owner, *act.ticks)
        owed = self.pool.mint(self.time_s, key, act.liquidity, pay=self.wallet_or(act))
        self.pay(owed)
        self.rungs[act.bucket] = act.liquidity

    def wallet_or(self, act: MintRung) -> Pair | None:
        """Nothing where the wallet cannot pay, so that the pool refuses."""
        lattice = self.config.lattice(self.terms)
        price_x96 = self.pool.state.sqrt_price_x96
        asked = rung_amounts(lattice, Rung(act.bucket, act.liquidity), price_x96, round_up=True)
        assert all(one <= most for one, most in zip(asked, act.amounts_max, strict=True))
        can = all(one <= have for one, have in zip(asked, self.wallet, strict=True))
        return None if can else (0, 0)

    def check(self) -> None:
        assert self.counted() == self.tokens
        assert min(*self.wallet, self.ether_wei) >= 0
