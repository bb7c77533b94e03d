"""How a block comes to be: wishes in their order, signed, done, and what is written of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sim.chain.acts import Send, Wish, WishStatus, Work
from sim.chain.execution import Effect, Executor, PoolPort
from sim.chain.fees import effective_gas_price, next_base_fee
from sim.chain.gas import gas_limit
from sim.chain.headers import Header, root_of
from sim.chain.logs import union_of_blooms
from sim.chain.pool_host import PoolCall
from sim.chain.receipts import FAILED, SUCCEEDED, Receipt
from sim.chain.state import ChainState, Draft
from sim.chain.transactions import SignedTransaction, Transaction, signed
from sim.chain.wallets import Wallets
from sim.keccak import keccak256
from sim.pool.words import Pair

BLOCK_S = 12
BLOCK_GAS_LIMIT = 60_000_000
PROPOSERS = 8
"""Who builds blocks, each in its turn, and has the tips."""


@dataclass(frozen=True, slots=True)
class Tip:
    """The newest block, as far as the next needs it."""

    number: int
    hash: bytes
    time_s: int
    next_base_fee_wei: int
    state_hash: bytes


@dataclass(frozen=True, slots=True)
class Included:
    """A transaction in a block, and the wish that it was."""

    wish: Wish
    signed: SignedTransaction
    receipt: Receipt
    gas_used: int
    effect: Effect
    fee_wei: int

    @property
    def status(self) -> WishStatus:
        return WishStatus.MINED if self.effect.revert is None else WishStatus.FAILED

    def outcome(self) -> dict[str, Any]:
        """For whoever wished it: of values that JSON has, integers as text."""
        told = dict(self.effect.told)
        if self.effect.revert is not None:
            told["revert"] = self.effect.revert
        return {**told, "gas_used": str(self.gas_used), "gas_fee_wei": str(self.fee_wei)}


@dataclass(frozen=True, slots=True)
class Block:
    """A block, and what it leaves. `calls` are pools', in order, each with its caller's purse."""

    header: Header
    transactions: tuple[Included, ...]
    calls: tuple[tuple[int, Pair, PoolCall], ...]
    tip: Tip


@dataclass
class Builder:
    """One block under way. Pools have begun it before."""

    state: ChainState
    pools: Mapping[int, PoolPort]
    wallets: Wallets
    tip: Tip
    time_s: int
    included: list[Included] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.draft = Draft(self.state)
        self._executor = Executor(self.draft, self.pools, self.wallets, self.time_s)
        self._gas_used = 0
        proposer = f"proposer-{(self.tip.number + 1) % PROPOSERS}"
        self._coinbase = self.wallets.address(proposer)

    @property
    def gas_left(self) -> int:
        return BLOCK_GAS_LIMIT - self._gas_used

    def take_all(self, wishes: Iterable[Wish]) -> None:
        """Those that fit and pay, best first; each wallet's in the order in which they came."""
        waiting: dict[str, list[Wish]] = {}
        for wish in wishes:
            waiting.setdefault(wish.wallet, []).append(wish)
        while waiting:
            name = max(waiting, key=lambda one: waiting[one][0].priority_fee_wei)
            wish = waiting[name].pop(0)
            if not self._take(wish) or not waiting[name]:
                del waiting[name]  # what comes later from a wallet waits for what is before it

    def _take(self, wish: Wish) -> bool:
        """Whether the block has it now."""
        base_fee = self.tip.next_base_fee_wei
        price = effective_gas_price(base_fee, wish.max_fee_wei, wish.priority_fee_wei)
        limit = gas_limit(wish.act)
        if price is None or limit > self.gas_left:
            return False
        sender = self.wallets.address(wish.wallet)
        value = wish.act.wei if isinstance(wish.act, Send) else 0
        if self.draft.wei[sender] < value + limit * wish.max_fee_wei:
            return False
        transaction = self._signed(wish, sender, limit)
        assert transaction.transaction.intrinsic_gas() <= limit, "it has gas to begin with"
        effect = self._executor.effect(sender, wish.act)
        self._pay(sender, effect.gas_used, price)
        self._gas_used += effect.gas_used
        status = SUCCEEDED if effect.revert is None else FAILED
        receipt = Receipt(status, self._gas_used, effect.logs)
        fee_wei = effect.gas_used * price
        self.included.append(Included(wish, transaction, receipt, effect.gas_used, effect, fee_wei))
        return True

    def _signed(self, wish: Wish, sender: bytes, limit: int) -> SignedTransaction:
        target = self._executor.target(sender, wish.act)
        fees = wish.priority_fee_wei, wish.max_fee_wei
        nonce = self.draft.nonces[sender]
        self.draft.nonces[sender] = nonce + 1
        transaction = Transaction(nonce, *fees, limit, target.to, target.value_wei, target.data)
        return signed(transaction, self.wallets.key(wish.wallet))

    def _pay(self, sender: bytes, gas_used: int, price: int) -> None:
        """The base fee is burnt, the rest is for whoever builds the block."""
        base_fee = self.tip.next_base_fee_wei
        self.draft.give_wei(sender, -gas_used * price)
        self.draft.give_wei(self._coinbase, gas_used * (price - base_fee))
        self.draft.burnt_wei += gas_used * base_fee

    def sealed(self, pool_hashes: Mapping[int, bytes]) -> Block:
        """The block as it is now."""
        self.draft.checked()
        number, base_fee = self.tip.number + 1, self.tip.next_base_fee_wei
        state_hash = self._state_hash(pool_hashes)
        header = Header(
            parent_hash=self.tip.hash,
            coinbase=self._coinbase,
            state_root=state_hash,
            transaction_root=root_of(one.signed.raw for one in self.included),
            receipt_root=root_of(one.receipt.raw for one in self.included),
            bloom=union_of_blooms(one.receipt.bloom for one in self.included),
            block_number=number,
            gas_limit=BLOCK_GAS_LIMIT,
            gas_used=self._gas_used,
            timestamp=self.time_s,
            extra_data=b"sandpit",
            mix_hash=keccak256(self.tip.state_hash),
            base_fee_per_gas=base_fee,
        )
        next_fee = next_base_fee(base_fee, self._gas_used, BLOCK_GAS_LIMIT)
        tip = Tip(number, header.hash, self.time_s, next_fee, state_hash)
        return Block(header, tuple(self.included), tuple(self._executor.calls), tip)

    def _state_hash(self, pool_hashes: Mapping[int, bytes]) -> bytes:
        """Of the state before and all that the block changes: our own, no trie's."""
        draft = self.draft
        changed = [
            repr(sorted((key, after) for key, _, after in overlay.changed())).encode()
            for overlay in (draft.wei, draft.nonces, draft.holdings)
        ]
        positions = repr(
            sorted((place, repr(one)) for place, one in draft.positions.changes.items())
        )
        pools = b"".join(pool_hashes[pool_id] for pool_id in sorted(pool_hashes))
        return keccak256(b"".join([self.tip.state_hash, *changed, positions.encode(), pools]))


def replaced(block: Block, parent_hash: bytes, salt: int, wallets: Wallets) -> Block:
    """Another block in the place of this one: what others do in it is something else, of the same
    gas, so that everybody here has the same after it."""
    included = tuple(_replaced(one, salt, wallets) for one in block.transactions)
    header = replace(
        block.header,
        parent_hash=parent_hash,
        transaction_root=root_of(one.signed.raw for one in included),
        extra_data=b"sandpit/" + str(salt).encode(),
    )
    tip = replace(block.tip, hash=header.hash)
    return replace(block, header=header, transactions=included, tip=tip)


def _replaced(one: Included, salt: int, wallets: Wallets) -> Included:
    if not isinstance(one.wish.act, Work):
        return one
    act = replace(one.wish.act, salt=one.wish.act.salt + salt)
    data = act.gas.to_bytes(32) + act.salt.to_bytes(32)
    transaction = replace(one.signed.transaction, data=data)
    resigned = signed(transaction, wallets.key(one.wish.wallet))
    return replace(one, wish=replace(one.wish, act=act), signed=resigned)
