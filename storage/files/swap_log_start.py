"""How a pool stood before its log: the file beside it, JSON, plain or gzipped."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sim.chain.addresses import ADDRESS_BYTES, WETH, Token, address_of_text
from sim.chain.known_pools import POOLS, TOKENS, KnownPool
from sim.keccak import keccak256
from sim.pool.fields import Fields, SequenceError, refusal
from sim.pool.positions import PositionKey
from sim.pool.sequences import TICK_SPACING_MAX
from sim.pool.swap_math import PIPS
from sim.pool.tick_math import MAX_SQRT_RATIO, MAX_TICK, MIN_SQRT_RATIO, MIN_TICK
from storage.files.sequences_file import SequencesFileError, read_sequences, sequences_in

FIELDS = ("pool", "fee", "tickSpacing", "token0", "token1", "source", "start")
TOKEN_FIELDS = ("address", "symbol", "decimals")
START_FIELDS = ("sqrtPriceX96", "tick", "liquidity", "positions")
POSITION = "[owner, lower tick, upper tick, liquidity as a decimal string]"
POSITIONS_MAX = 100_000
NO_POOL_OF_OURS = 0


class SwapLogError(ValueError):
    """The log cannot be used. The message is one sentence with its file and the place in it."""


@dataclass(frozen=True)
class Start:
    """positions   with their liquidity; `tick` and `liquidity` are the pool's, as the file says"""

    path: Path | str
    pool: KnownPool
    sqrt_price_x96: int
    tick: int
    liquidity: int
    positions: tuple[tuple[PositionKey, int], ...]


def read_start(path: Path) -> Start:
    """Raises SwapLogError."""
    return _about(path, lambda: read_sequences(path))


def start_in(text: str, called: str) -> Start:
    """Of the file's text, as errors call it. Raises SwapLogError."""
    return _about(called, lambda: sequences_in(text.encode(), called))


def _about(path: Path | str, read: Callable[[], object]) -> Start:
    try:
        return _start(path, Fields(read(), ""))
    except SequencesFileError as error:
        raise SwapLogError(str(error)) from error
    except SequenceError as error:
        raise SwapLogError(f"{path}: {error}.") from error


def _start(path: Path | str, said: Fields) -> Start:
    said.only(FIELDS)
    fee_pips = said.number("fee", 1, PIPS - 1)
    spacing = said.number("tickSpacing", 1, TICK_SPACING_MAX)
    tokens = _token(said, "token0"), _token(said, "token1")
    if WETH not in tokens or tokens[0].address >= tokens[1].address:
        raise refusal("token0, token1", [one.symbol for one in tokens], "WETH and a dollar, the"
                      " lower address first")  # fmt: skip
    start = Fields(said.found("start", "an object"), "start")
    start.only(START_FIELDS)
    price_x96 = start.decimal("sqrtPriceX96", 160)
    if not MIN_SQRT_RATIO <= price_x96 < MAX_SQRT_RATIO:
        raise start.refuse("sqrtPriceX96", f"from {MIN_SQRT_RATIO} to {MAX_SQRT_RATIO - 1}")
    return Start(
        path,
        _pool(tokens, fee_pips, spacing),
        price_x96,
        start.number("tick", MIN_TICK, MAX_TICK),
        start.decimal("liquidity", 128),
        _positions(start, spacing),
    )


def _token(said: Fields, name: str) -> Token:
    token = Fields(said.found(name, "a token"), name)
    token.only(TOKEN_FIELDS)
    known = {one.address: one for one in TOKENS.values()}
    allowed = f"the address of one of {', '.join(TOKENS)} on Ethereum"
    try:
        found = known[address_of_text(str(token.found("address", allowed)))]
    except (ValueError, KeyError):
        raise token.refuse("address", allowed) from None
    token.number("decimals", found.decimals, found.decimals)
    return found


def _pool(tokens: tuple[Token, Token], fee_pips: int, spacing: int) -> KnownPool:
    """With the number that it has here, if it has one."""
    for known in POOLS.values():
        if known == KnownPool(known.pool_id, tokens, fee_pips, spacing):
            return known
    return KnownPool(NO_POOL_OF_OURS, tokens, fee_pips, spacing)


def _positions(start: Fields, spacing: int) -> tuple[tuple[PositionKey, int], ...]:
    many = start.many("positions")
    if len(many) > POSITIONS_MAX:
        raise SequenceError(f"start.positions: more than {POSITIONS_MAX}")
    return tuple(_position(one, f"start.positions[{at}]", spacing) for at, one in enumerate(many))


def _position(found: Any, place: str, spacing: int) -> tuple[PositionKey, int]:
    if not isinstance(found, list) or len(found) != len(POSITION.split(", ")):
        raise refusal(place, found, POSITION)
    fields = Fields(dict(zip(("owner", "lower", "upper", "liquidity"), found, strict=True)), place)
    ticks = fields.number("lower", MIN_TICK, MAX_TICK), fields.number("upper", MIN_TICK, MAX_TICK)
    if ticks[0] >= ticks[1] or ticks[0] % spacing or ticks[1] % spacing:
        raise refusal(place, found, f"a lower and an upper tick, multiples of {spacing}")
    liquidity = fields.decimal("liquidity", 127)
    if liquidity == 0:
        raise refusal(place, found, "liquidity above 0")
    owner = fields.found("owner", "a name or an address")
    if not isinstance(owner, str) or not owner:
        raise fields.refuse("owner", "a name or an address")
    return PositionKey(_address(owner), *ticks), liquidity


def _address(owner: str) -> bytes:
    """Of who is called by a name, an address that nobody else has."""
    try:
        return address_of_text(owner)
    except ValueError:
        return keccak256(owner.encode())[-ADDRESS_BYTES:]
