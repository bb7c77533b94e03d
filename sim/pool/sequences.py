"""The lives of pools as files have them: what is asked of a pool, one operation after another.

A sequence has its pool's fee and tick spacing, the owners' names and addresses, and steps. Names
of fields and operations are the contract's own.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sim.pool.fields import Fields, SequenceError, refusal
from sim.pool.pool import Pool
from sim.pool.positions import PositionKey
from sim.pool.swap_math import PIPS
from sim.pool.swapping import Order
from sim.pool.words import Pair

Answer = dict[str, Any]

SEQUENCE_FIELDS = ("id", "theme", "seed", "fee", "tickSpacing", "startTime", "owners", "steps")
ASKED_FIELDS = ("time", "op", "in")
ANSWER_FIELDS = ("out", "revert", "state", "ticks", "positions", "observations")
"""Those that a step is given; what it had of them before is replaced."""

TICK_SPACING_MAX = 16_383
INT24_MAX = 2**23 - 1
TIME_MAX_S = 2**53 - 1
ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
POSITION = ("owner", "tickLower", "tickUpper")
REQUESTED = ("amount0Requested", "amount1Requested")
LENT, REPAID = ("amount0", "amount1"), ("repay0", "repay1")


@dataclass
class Life:
    """A pool, who has positions in it, and the time of the step."""

    pool: Pool
    owners: dict[str, bytes]
    names: dict[bytes, str]
    time_s: int

    def key(self, asked: Fields) -> PositionKey:
        name = asked.text("owner", self.owners)
        return PositionKey(self.owners[name], _tick(asked, "tickLower"), _tick(asked, "tickUpper"))


@dataclass(frozen=True)
class Operation:
    """What a step may ask: its fields, and how it is answered."""

    fields: tuple[str, ...]
    answer: Callable[[Life, Fields], Answer]
    writes: bool = True


def life_of(sequence: Fields) -> Life:
    """The pool at its birth. Raises SequenceError."""
    sequence.only(SEQUENCE_FIELDS)
    fee_pips = sequence.number("fee", 0, PIPS - 1)
    tick_spacing = sequence.number("tickSpacing", 1, TICK_SPACING_MAX)
    start_s = sequence.number("startTime", 0, TIME_MAX_S)
    owners = Fields(sequence.found("owners", "names and addresses"), sequence.place("owners"))
    names = _names(owners)
    addresses = {name: address for address, name in names.items()}
    return Life(Pool(fee_pips, tick_spacing), addresses, names, start_s)


def _names(owners: Fields) -> dict[bytes, str]:
    """By their addresses."""
    names: dict[bytes, str] = {}
    for name, address in owners.value.items():
        if not isinstance(address, str) or not ADDRESS.fullmatch(address):
            raise refusal(owners.place(name), address, "0x and 40 hex digits")
        plain = bytes.fromhex(address[2:])
        if plain in names:
            raise SequenceError(f"{owners.place(name)}: {names[plain]} has the same address")
        names[plain] = name
    return names


def operation_of(step: Fields, life: Life) -> Operation:
    """What the step asks, at whose time the pool is then. Raises SequenceError."""
    step.only((*ASKED_FIELDS, *ANSWER_FIELDS))
    life.time_s = step.number("time", life.time_s, TIME_MAX_S)
    return OPERATIONS[step.text("op", OPERATIONS)]


def _tick(asked: Fields, name: str) -> int:
    return asked.number(name, -INT24_MAX - 1, INT24_MAX)


def _pay(asked: Fields) -> Pair | None:
    if "pay" not in asked.value:
        return None
    pay = asked.decimals("pay", 256)
    if len(pay) != 2:
        raise asked.refuse("pay", "two amounts")
    return pay[0], pay[1]


def _pair(asked: Fields, names: tuple[str, str], bits: int) -> Pair:
    return asked.decimal(names[0], bits), asked.decimal(names[1], bits)


def _amounts(amounts: Pair, name: str = "amount") -> Answer:
    return {f"{name}{token}": str(amount) for token, amount in enumerate(amounts)}


def _initialize(life: Life, asked: Fields) -> Answer:
    life.pool.initialize(life.time_s, asked.decimal("sqrtPriceX96", 160))
    return {}


def _mint(life: Life, asked: Fields) -> Answer:
    key = life.key(asked)
    owed = life.pool.mint(life.time_s, key, asked.decimal("amount", 128), _pay(asked))
    return {**_amounts(owed), "key": f"0x{key.hashed().hex()}"}


def _burn(life: Life, asked: Fields) -> Answer:
    return _amounts(life.pool.burn(life.time_s, life.key(asked), asked.decimal("amount", 128)))


def _collect(life: Life, asked: Fields) -> Answer:
    requested = _pair(asked, REQUESTED, 128)
    return _amounts(life.pool.collect(life.key(asked), requested))


def _swap(life: Life, asked: Fields) -> Answer:
    order = Order(
        asked.flag("zeroForOne"),
        asked.decimal("amountSpecified", 256, is_signed=True),
        asked.decimal("sqrtPriceLimitX96", 160),
    )
    return _amounts(life.pool.swap(life.time_s, order, _pay(asked)))


def _flash(life: Life, asked: Fields) -> Answer:
    lent, repaid = _pair(asked, LENT, 256), _pair(asked, REPAID, 256)
    return _amounts(life.pool.flash(lent, repaid), "paid")


def _set_fee_protocol(life: Life, asked: Fields) -> Answer:
    parts = asked.number("feeProtocol0", 0, 255), asked.number("feeProtocol1", 0, 255)
    life.pool.set_fee_protocol(parts)
    return {}


def _collect_protocol(life: Life, asked: Fields) -> Answer:
    requested = _pair(asked, REQUESTED, 128)
    return _amounts(life.pool.collect_protocol(requested))


def _increase_cardinality(life: Life, asked: Fields) -> Answer:
    cardinality_next = asked.number("observationCardinalityNext", 0, 2**16 - 1)
    life.pool.increase_observation_cardinality_next(cardinality_next)
    return {}


def _observe(life: Life, asked: Fields) -> Answer:
    seen = life.pool.observe(life.time_s, asked.numbers("secondsAgos", 0, 2**32 - 1))
    return {
        "tickCumulatives": [str(one.tick_cumulative) for one in seen],
        "secondsPerLiquidityCumulativeX128s": [str(one.seconds_per_liquidity_x128) for one in seen],
    }


def _snapshot(life: Life, asked: Fields) -> Answer:
    lower, upper = _tick(asked, "tickLower"), _tick(asked, "tickUpper")
    inside = life.pool.snapshot_cumulatives_inside(life.time_s, lower, upper)
    return {
        "tickCumulativeInside": str(inside.tick_cumulative),
        "secondsPerLiquidityInsideX128": str(inside.seconds_per_liquidity_x128),
        "secondsInside": inside.seconds,
    }


OPERATIONS = {
    "initialize": Operation(("sqrtPriceX96",), _initialize),
    "mint": Operation((*POSITION, "amount", "pay"), _mint),
    "burn": Operation((*POSITION, "amount"), _burn),
    "collect": Operation((*POSITION, *REQUESTED), _collect),
    "swap": Operation(("zeroForOne", "amountSpecified", "sqrtPriceLimitX96", "pay"), _swap),
    "flash": Operation((*LENT, *REPAID), _flash),
    "setFeeProtocol": Operation(("feeProtocol0", "feeProtocol1"), _set_fee_protocol),
    "collectProtocol": Operation(REQUESTED, _collect_protocol),
    "increaseObservationCardinalityNext": Operation(
        ("observationCardinalityNext",), _increase_cardinality
    ),
    "observe": Operation(("secondsAgos",), _observe, writes=False),
    "snapshotCumulativesInside": Operation(("tickLower", "tickUpper"), _snapshot, writes=False),
}
