"""Gas of a droid's transactions, and how many of them may be sent."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from sim.chain.gas import close_gas, mint_gas, swap_gas
from sim.droid.acts import Act, ActKind
from sim.droid.config import DroidConfig
from sim.droid.states import Note
from sim.pool.terms import PoolTerms

TICKS_WITHIN_SLIPPAGE = 101
"""In one per cent of a price, downwards, rounded up."""


def gas_limit(kind: ActKind, tick_spacing: int, may_be_in_range: bool = True) -> int:
    """The most that a transaction may need, whatever others do before it.

    may_be_in_range   whether the price may be in the rung's range when it is minted
    """
    if kind is ActKind.MINT:
        return mint_gas(may_be_in_range, new_ticks=2)
    if kind is ActKind.CLOSE:
        return close_gas(is_in_range=True)
    return swap_gas(ticks_within_slippage(tick_spacing))


def ticks_within_slippage(tick_spacing: int) -> int:
    """The most that a swap may cross before its price limit."""
    return TICKS_WITHIN_SLIPPAGE // tick_spacing + 1


def is_too_dear(config: DroidConfig, next_base_fee_wei: int) -> bool:
    """Whether the next block asks for more than the droid pays for a unit of gas."""
    return next_base_fee_wei + config.priority_per_gas_wei > config.fee_per_gas_wei_max


@dataclass(frozen=True)
class Purse:
    """What gas may cost. Transactions count by the worst case, gas limit · the most a unit may be.

    budget_left   in base units of the quote; None without a limit
    """

    terms: PoolTerms
    fee_per_gas_wei_max: int
    sqrt_price_x96: int
    ether_wei: int
    budget_left: Fraction | None

    def affords(self, gas_limits: Sequence[int]) -> tuple[int, Note | None]:
        """How many transactions of these limits, in their order, and why not the next."""
        spent_wei = 0
        for count, limit in enumerate(gas_limits):
            spent_wei += limit * self.fee_per_gas_wei_max
            if self.budget_left is not None and self._in_quote(spent_wei) > self.budget_left:
                return count, Note.GAS_BUDGET
            if spent_wei > self.ether_wei:
                return count, Note.NO_ETH
        return len(gas_limits), None

    def _in_quote(self, ether_wei: int) -> Fraction:
        return self.terms.in_quote(self.terms.pair(ether_wei, 0), self.sqrt_price_x96)


def affordable(acts: Sequence[Act], purse: Purse) -> tuple[tuple[Act, ...], Note | None]:
    """As many as the purse is good for, each offering no more than it counts with."""
    count, note = purse.affords([act.offer.gas_limit for act in acts])
    fee_wei = purse.fee_per_gas_wei_max
    offered = [
        replace(act, offer=replace(act.offer, fee_per_gas_wei_max=fee_wei)) for act in acts[:count]
    ]
    return tuple(offered), note
