"""What the data service and the script runner tell. They read, and reckon; they change nothing."""

from decimal import Decimal
from typing import Any, NamedTuple

from api.havencap.devbe_schemas import (
    DroidAsked,
    GasAsked,
    PoolAsked,
    PositionAsked,
    PriceAsked,
    SignatureAsked,
    TickAsked,
    WalletAsked,
)
from api.havencap.droid_telling import (
    ETHER_DECIMALS,
    nearest_double,
    plain,
    scaled,
    shown_figures,
    shown_pool,
    usd,
)
from sim.chain.addresses import address_of_text
from sim.chain.hexadecimal import as_hex, bytes_of_hex
from sim.chain.known_pools import POOLS, TOKENS, KnownPool
from sim.chain.signatures import verify_signature
from sim.droid.ladder import Rung
from sim.droid.lattice import Lattice
from sim.droid.valuation import positions_held
from sim.pool.tick_math import MAX_SQRT_RATIO, MIN_SQRT_RATIO, tick_at_sqrt_ratio
from sim.refusals import Refusal, Refused
from storage.droids import readings, rows, summaries
from storage.droids.readings import ACTIVE, QUOTE_DECIMALS, PoolView
from storage.droids.rows import Onlooker
from storage.postgres.database import AsyncPool

POSITION_ID_BYTES = 32


class Reader(NamedTuple):
    """Where somebody reads, and whose droids they see."""

    pool: AsyncPool
    onlooker: Onlooker


async def wallet_summary(reader: Reader, asked: WalletAsked) -> dict[str, Any]:
    """What is in a droid's wallet; nothing, while it has none on the chain."""
    await rows.find(reader.pool, reader.onlooker, asked.wallet_id)
    figures = await summaries.newest_figures(reader.pool, asked.wallet_id)
    address = shown_figures(figures).wallet_address
    told: dict[str, Any] = {"walletId": asked.wallet_id, "address": address}
    if address is None:
        return told | {"ether": 0, "transactionsSent": 0, "tokens": [], "positions": []}
    tokens = {token.address: token for token in TOKENS.values()}
    found = await summaries.wallet(reader.pool, address_of_text(address), list(tokens))
    held = [
        {"symbol": token.symbol, "amount": scaled(found.holdings[address], token.decimals)}
        for address, token in tokens.items()
        if found.holdings.get(address)
    ]
    positions = [
        {
            "tokenId": one.token_id,
            "poolId": one.pool_id,
            "lowerTick": one.tick_lower,
            "upperTick": one.tick_upper,
            "liquidity": one.liquidity,
        }
        for one in found.positions
    ]
    ether = scaled(found.wei, ETHER_DECIMALS)
    return told | {
        "ether": ether,
        "transactionsSent": found.nonce,
        "tokens": held,
        "positions": positions,
    }


async def pool_summary(reader: Reader, asked: PoolAsked) -> dict[str, Any]:
    """A pool after the newest block."""
    pool = pool_of(asked)
    now = await readings.pool_now(reader.pool, pool.pool_id)
    shown = shown_pool(pool, now).model_dump(by_alias=True, exclude={"id"})
    return {
        "poolId": pool.pool_id,
        **shown,
        "blockNumber": None if now is None else now.block_number,
        "sqrtPriceX96": None if now is None else str(now.sqrt_price_x96),
        "amounts": None if now is None else amounts_of(pool, now.amounts),
    }


async def droid_performance(reader: Reader, asked: DroidAsked) -> dict[str, Any]:
    """What has become of a droid's funding."""
    droid = await rows.find(reader.pool, reader.onlooker, asked.droid_id)
    figures = (await readings.figures(reader.pool, [droid.droid_id])).get(droid.droid_id, {})
    count = await summaries.counts(reader.pool, droid.droid_id)
    funded = count.funded_quote_atoms
    return {
        "droidId": droid.droid_id,
        "active": droid.active,
        "fundedUSD": None if funded is None else scaled(funded, QUOTE_DECIMALS),
        **shown_figures(figures).model_dump(by_alias=True, exclude={"wallet_address"}),
        "sessions": count.sessions,
        "bots": count.bots,
        "openBots": count.open_bots,
    }


async def gas_summary(reader: Reader, asked: GasAsked) -> dict[str, Any]:
    """What a droid's transactions have cost."""
    await rows.find(reader.pool, reader.onlooker, asked.number)
    paid = await summaries.gas(reader.pool, asked.number, *asked.seconds)
    return {
        "walletId": asked.number,
        "transactions": paid.transactions,
        "failed": paid.failed,
        "gasFeeETH": scaled(paid.wei, ETHER_DECIMALS),
        "gasFeeUSD": plain(round(paid.usd.scaleb(-ETHER_DECIMALS), 2)),
    }


async def verified_signature(reader: Reader, asked: SignatureAsked) -> dict[str, Any]:
    """Whether an address has signed a message; what is no signature is not valid."""
    return {
        "valid": verify_signature(asked.address, asked.message, asked.signature),
        "address": asked.address,
        "message": asked.message,
    }


async def tick_of_price(reader: Reader, asked: PriceAsked) -> dict[str, Any]:
    """The tick that a pool is at with this price."""
    pool, price = pool_of(asked), Decimal(asked.price)
    sqrt_price_x96 = pool.terms.sqrt_price_x96(price) if price else 0
    if not MIN_SQRT_RATIO <= sqrt_price_x96 < MAX_SQRT_RATIO:
        raise Refused(Refusal.INVALID_REQUEST, "price: must be one that a pool can have")
    return {
        "poolId": pool.pool_id,
        "price": plain(price),
        "tick": tick_at_sqrt_ratio(sqrt_price_x96),
        "sqrtPriceX96": str(sqrt_price_x96),
    }


async def price_of_tick(reader: Reader, asked: TickAsked) -> dict[str, Any]:
    """The price at the tick itself."""
    pool = pool_of(asked)
    price = nearest_double(pool.terms.price_at_tick(asked.tick))
    return {"poolId": pool.pool_id, "tick": asked.tick, "price": price}


async def position_value(reader: Reader, asked: PositionAsked) -> dict[str, Any]:
    """What a position would give at the pool's price, without fees."""
    position_id = bytes_of_hex(asked.position_id, POSITION_ID_BYTES)
    if position_id is None:
        raise Refused(Refusal.INVALID_REQUEST, "positionId: must be 0x and 64 hexadecimal digits")
    bot = await summaries.position(reader.pool, reader.onlooker, position_id)
    if bot is None:
        raise Refused(Refusal.NOT_FOUND, "No such position")
    pool = (await rows.find(reader.pool, reader.onlooker, bot.droid_id)).pool
    now = await readings.pool_now(reader.pool, pool.pool_id)
    liquidity = bot.liquidity if bot.status == ACTIVE else 0
    lattice = Lattice(bot.tick_upper - bot.tick_lower, bot.tick_lower)
    return {
        "positionId": as_hex(position_id),
        "id": bot.bot_id,
        "droidId": bot.droid_id,
        "poolId": pool.pool_id,
        "status": bot.status,
        "inRange": None if now is None else bot.is_in_range(now.tick),
        **value_of(pool, now, lattice, Rung(0, liquidity)),
    }


def value_of(pool: KnownPool, now: PoolView | None, lattice: Lattice, rung: Rung) -> dict[str, Any]:
    """Amounts and their worth; null before the chain's first block."""
    if now is None:
        return {"token0Positions": None, "token1Positions": None, "valueUSD": None}
    amounts = positions_held(lattice, [rung], now.sqrt_price_x96)
    base, quote = pool.terms.base_and_quote(amounts)
    return {
        "token0Positions": scaled(base, ETHER_DECIMALS),
        "token1Positions": scaled(quote, QUOTE_DECIMALS),
        "valueUSD": usd(pool.terms, amounts, now.sqrt_price_x96),
    }


def amounts_of(pool: KnownPool, amounts: tuple[int, int]) -> dict[str, Decimal]:
    """Amounts in a pool, by the tokens' symbols."""
    return {
        token.symbol: scaled(amount, token.decimals)
        for token, amount in zip(pool.tokens, amounts, strict=True)
    }


def pool_of(asked: PoolAsked) -> KnownPool:
    """The pool that is meant. Raises Refused that names those that there are."""
    if asked.pool_id not in POOLS:
        known = ", ".join(map(str, POOLS))
        raise Refused(Refusal.INVALID_REQUEST, f"poolId: must be one of {known}")
    return POOLS[asked.pool_id]
