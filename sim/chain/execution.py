"""What one transaction does: to its sender, to tokens and pools, and what it leaves to be read."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from sim.chain import calldata, events
from sim.chain.acts import Act, Close, Mint, PoolAct, Send, SwapIn, Transfer, Work
from sim.chain.addresses import NOBODY, POSITION_MANAGER, SWAP_ROUTER
from sim.chain.gas import (
    REVERTED_GAS,
    SEND_GAS,
    TRANSFER_GAS,
    TRANSFER_TO_NEW_GAS,
    pool_gas,
)
from sim.chain.known_pools import POOLS, TOKENS, KnownPool
from sim.chain.logs import Log
from sim.chain.pool_host import CLOSE, MINT, SWAP, PoolAnswer, PoolCall, PoolStand, Purses
from sim.chain.state import Draft, Position
from sim.chain.wallets import WORKLOAD, Wallets
from sim.pool.amounts import amounts_at
from sim.pool.words import Pair


class PoolPort(Protocol):
    """A pool in which a block is under way: PoolHost, or the actor of one."""

    def run(self, time_s: int, purses: Purses, calls: Sequence[PoolCall]) -> list[PoolAnswer]: ...
    def stand(self) -> PoolStand: ...


@dataclass(frozen=True, slots=True)
class Effect:
    """What a transaction came to. A revert leaves nothing but the gas that it has used.

    told   for whoever wished it, of values that JSON has
    """

    gas_used: int
    logs: tuple[Log, ...] = ()
    revert: str | None = None
    told: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Target:
    """Where a transaction goes, with how much ether, and what it asks there."""

    to: bytes
    value_wei: int = 0
    data: bytes = b""


class Executor:
    """Does acts in one block, whose changes are the draft's.

    calls   what pools were asked in it, in order: pool, purse, call
    """

    def __init__(
        self, draft: Draft, pools: Mapping[int, PoolPort], wallets: Wallets, time_s: int
    ) -> None:
        self._draft, self._pools, self._wallets, self._time_s = draft, pools, wallets, time_s
        self.calls: list[tuple[int, Pair, PoolCall]] = []

    def target(self, sender: bytes, act: Act) -> Target:
        """What a wallet has to sign for an act."""
        found: Target = TARGETS[type(act)](self, sender, act)
        return found

    def effect(self, sender: bytes, act: Act) -> Effect:
        """Do it. What it costs is not taken here."""
        done: Effect = EFFECTS[type(act)](self, sender, act)
        return done

    def _transfer_target(self, _sender: bytes, act: Transfer) -> Target:
        to = self._wallets.address(act.to)
        return Target(TOKENS[act.token].address, 0, calldata.transfer(to, act.amount))

    def _send_target(self, _sender: bytes, act: Send) -> Target:
        return Target(self._wallets.address(act.to), act.wei)

    def _work_target(self, _sender: bytes, act: Work) -> Target:
        return Target(WORKLOAD, 0, act.gas.to_bytes(32) + act.salt.to_bytes(32))

    def _mint_target(self, sender: bytes, act: Mint) -> Target:
        """The position manager is told amounts, of which the liquidity follows: here those of the
        liquidity, at the price before the transaction."""
        pool = POOLS[act.pool_id]
        ticks = act.tick_lower, act.tick_upper
        tokens = pool.tokens[0].address, pool.tokens[1].address
        price_x96 = self._pools[act.pool_id].stand().sqrt_price_x96
        amounts = amounts_at(price_x96, ticks, act.liquidity, round_up=True)
        wanted = calldata.Mint(*tokens, pool.fee_pips, *ticks, *amounts, 0, 0, sender, self._time_s)
        return Target(POSITION_MANAGER, 0, calldata.mint(wanted))

    def _close_target(self, sender: bytes, act: Close) -> Target:
        position = self._draft.positions[place(sender, act)]
        token_id, liquidity = (position.token_id, position.liquidity) if position else (0, 0)
        data = calldata.close_position(token_id, liquidity, sender, self._time_s)
        return Target(POSITION_MANAGER, 0, data)

    def _swap_target(self, sender: bytes, act: SwapIn) -> Target:
        pool = POOLS[act.pool_id]
        given, got = pool.tokens if act.zero_for_one else pool.tokens[::-1]
        wanted = calldata.Swap(
            given.address,
            got.address,
            pool.fee_pips,
            sender,
            self._time_s,
            act.amount_in,
            0,
            act.sqrt_limit_x96,
        )
        return Target(SWAP_ROUTER, 0, calldata.exact_input_single(wanted))

    def _transfer(self, sender: bytes, act: Transfer) -> Effect:
        token, to = TOKENS[act.token].address, self._wallets.address(act.to)
        gas = TRANSFER_GAS if self._draft.holdings[token, to] else TRANSFER_TO_NEW_GAS
        if self._draft.holdings[token, sender] < act.amount:
            return Effect(gas, revert="ERC20: transfer amount exceeds balance")
        return Effect(gas, (self._moved(token, sender, to, act.amount),))

    def _send(self, sender: bytes, act: Send) -> Effect:
        self._draft.give_wei(sender, -act.wei)
        self._draft.give_wei(self._wallets.address(act.to), act.wei)
        return Effect(SEND_GAS)

    def _work(self, _sender: bytes, act: Work) -> Effect:
        return Effect(act.gas)

    def _mint(self, sender: bytes, act: Mint) -> Effect:
        pool = POOLS[act.pool_id]
        answer = self._asked(pool, pool_call(sender, act))
        if answer.revert is not None:
            return reverted(answer.revert)
        logs = self._paid(pool, sender, answer.amounts)
        ticks = act.tick_lower, act.tick_upper
        minted = (act.liquidity, *answer.amounts)
        logs.append(events.POOL_MINT.log(pool.address, POSITION_MANAGER, sender, *ticks, *minted))
        token_id = self._booked(place(sender, act), act.liquidity, logs)
        logs.append(events.LIQUIDITY_INCREASED.log(POSITION_MANAGER, token_id, *minted))
        told = {"token_id": token_id, "amounts": texts(answer.amounts)}
        return Effect(pool_gas(act, answer), tuple(logs), told=told)

    def _booked(self, where: tuple[int, bytes, int, int], liquidity: int, logs: list[Log]) -> int:
        """The NFT of a position, a new one where none stands for it."""
        position = self._draft.positions[where]
        if position is None:
            self._draft.last_token_id += 1
            position = Position(self._draft.last_token_id, where, 0)
            born = NOBODY, where[1], position.token_id
            logs.append(events.NFT_TRANSFER.log(POSITION_MANAGER, *born))
        self._draft.positions[where] = Position(
            position.token_id, where, position.liquidity + liquidity
        )
        return position.token_id

    def _close(self, sender: bytes, act: Close) -> Effect:
        pool, position = POOLS[act.pool_id], self._draft.positions[place(sender, act)]
        if position is None:
            return reverted("Invalid token ID")
        ticks = act.tick_lower, act.tick_upper
        answer = self._asked(pool, pool_call(sender, act))
        if answer.revert is not None:
            return reverted(answer.revert)
        principal, token_id = (-answer.amounts[0], -answer.amounts[1]), position.token_id
        burnt = (answer.liquidity, *principal)
        logs = [
            events.POOL_BURN.log(pool.address, sender, *ticks, *burnt),
            events.LIQUIDITY_DECREASED.log(POSITION_MANAGER, token_id, *burnt),
            *self._got(pool, sender, answer.collected),
            events.POOL_COLLECT.log(pool.address, sender, sender, *ticks, *answer.collected),
            events.POSITION_COLLECTED.log(POSITION_MANAGER, token_id, sender, *answer.collected),
            events.NFT_APPROVAL.log(POSITION_MANAGER, sender, NOBODY, token_id),
            events.NFT_TRANSFER.log(POSITION_MANAGER, sender, NOBODY, token_id),
        ]
        self._draft.positions[position.place] = None
        told = {"principal": texts(principal), "collected": texts(answer.collected)}
        return Effect(pool_gas(act, answer), tuple(logs), told=told)

    def _swap(self, sender: bytes, act: SwapIn) -> Effect:
        pool = POOLS[act.pool_id]
        answer = self._asked(pool, pool_call(sender, act))
        if answer.revert is not None:
            return reverted(answer.revert)
        out = max(-answer.amounts[0], 0), max(-answer.amounts[1], 0)
        paid = max(answer.amounts[0], 0), max(answer.amounts[1], 0)
        after = answer.sqrt_price_x96, answer.liquidity, answer.tick
        logs = (
            *self._got(pool, sender, out),
            *self._paid(pool, sender, paid),
            events.POOL_SWAP.log(pool.address, SWAP_ROUTER, sender, *answer.amounts, *after),
        )
        told = {"amounts": texts(answer.amounts)}
        return Effect(pool_gas(act, answer), logs, told=told)

    def _asked(self, pool: KnownPool, call: PoolCall) -> PoolAnswer:
        purse = self._purse(pool, call.owner)
        self.calls.append((pool.pool_id, purse, call))
        (answer,) = self._pools[pool.pool_id].run(self._time_s, {call.owner: purse}, [call])
        return answer

    def _purse(self, pool: KnownPool, holder: bytes) -> Pair:
        token0, token1 = pool.tokens
        holdings = self._draft.holdings
        return holdings[token0.address, holder], holdings[token1.address, holder]

    def _paid(self, pool: KnownPool, sender: bytes, amounts: Pair) -> list[Log]:
        """Into the pool, token by token."""
        return self._both(pool, sender, pool.address, amounts)

    def _got(self, pool: KnownPool, recipient: bytes, amounts: Pair) -> list[Log]:
        """Out of the pool."""
        return self._both(pool, pool.address, recipient, amounts)

    def _both(self, pool: KnownPool, giver: bytes, taker: bytes, amounts: Pair) -> list[Log]:
        return [
            self._moved(token.address, giver, taker, amount)
            for token, amount in zip(pool.tokens, amounts, strict=True)
            if amount
        ]

    def _moved(self, token: bytes, giver: bytes, taker: bytes, amount: int) -> Log:
        self._draft.give(token, giver, -amount)
        self._draft.give(token, taker, amount)
        return events.ERC20_TRANSFER.log(token, giver, taker, amount)


TARGETS: Mapping[type[Any], Callable[..., Target]] = {
    Transfer: Executor._transfer_target,
    Send: Executor._send_target,
    Work: Executor._work_target,
    Mint: Executor._mint_target,
    Close: Executor._close_target,
    SwapIn: Executor._swap_target,
}
EFFECTS: Mapping[type[Any], Callable[..., Effect]] = {
    Transfer: Executor._transfer,
    Send: Executor._send,
    Work: Executor._work,
    Mint: Executor._mint,
    Close: Executor._close,
    SwapIn: Executor._swap,
}


def pool_call(sender: bytes, act: PoolAct) -> PoolCall:
    """What an act asks of its pool."""
    if isinstance(act, SwapIn):
        return PoolCall(
            SWAP,
            sender,
            act.sqrt_prices_x96,
            act.amount_in,
            zero_for_one=act.zero_for_one,
            sqrt_limit_x96=act.sqrt_limit_x96,
            crossed_max=act.crossed_max,
        )
    ticks = act.tick_lower, act.tick_upper
    if isinstance(act, Close):
        return PoolCall(CLOSE, sender, act.sqrt_prices_x96, 0, *ticks)
    return PoolCall(MINT, sender, act.sqrt_prices_x96, act.liquidity, *ticks)


def reverted(reason: str) -> Effect:
    return Effect(REVERTED_GAS, revert=reason)


def place(sender: bytes, act: Mint | Close) -> tuple[int, bytes, int, int]:
    return act.pool_id, sender, act.tick_lower, act.tick_upper


def texts(pair: Pair) -> list[str]:
    return [str(amount) for amount in pair]
