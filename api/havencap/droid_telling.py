"""Rows of droids, sessions, positions, history and pools as the trading app's numbers."""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

from api.havencap.droid_answers import (
    BLOCK_CHAIN,
    HistoryEntry,
    ShownBot,
    ShownDroid,
    ShownFigures,
    ShownPool,
    ShownSession,
)
from api.havencap.spelling import iso_milliseconds
from sim.chain.addresses import address_of_text, checksummed
from sim.chain.hexadecimal import as_hex
from sim.chain.known_pools import KnownPool
from sim.droid.config import DroidConfig
from sim.pool.terms import PoolTerms
from sim.units import format_scaled
from storage.droids.readings import (
    QUOTE_DECIMALS,
    BotView,
    Figures,
    HistoryView,
    PoolView,
    SessionView,
)
from storage.droids.rows import Droid

ETHER_DECIMALS = 18


def shown_droid(droid: Droid, figures: Figures) -> ShownDroid:
    """A droid; one without figures has spent nothing."""
    config = droid.config
    budget = config.gas_budget_usd
    return ShownDroid(
        id=droid.droid_id,
        block_chain=BLOCK_CHAIN,
        active=droid.active,
        pool_id=droid.pool_id,
        funding_usd=plain(config.funding_usd),
        trigger_type=config.trigger_type,
        tick_buckets=config.tick_buckets,
        bucket_offset=config.bucket_offset,
        funding_curve_type=config.funding_curve,
        max_bots=config.max_bots,
        max_price=plain(config.max_price),
        min_price=plain(config.min_price),
        falling_rebalance_trigger=plain(config.falling_trigger),
        rising_rebalance_trigger=plain(config.rising_trigger),
        max_gas_price=plain(config.max_gas_price_gwei),
        tx_priority=plain(config.priority_gwei),
        derivative_threshold=plain(config.derivative_threshold),
        ladder_perc_margin=plain(config.ladder_margin),
        created_at=iso_milliseconds(droid.created_at_us),
        gas_budget_limit=None if budget is None else plain(budget),
        gas_spent_usd=shown_figures(figures).gas_spent_usd or Decimal(0),
    )


def shown_session(session: SessionView) -> ShownSession:
    """A session; one that has not stopped has no time of that."""
    stopped = session.stopped_at_us
    return ShownSession(
        id=session.session_id,
        started_at=iso_milliseconds(session.started_at_us),
        stopped_at=None if stopped is None else iso_milliseconds(stopped),
        status=session.status,
        note=session.note,
    )


def shown_bot(bot: BotView, terms: PoolTerms, now: PoolView | None) -> ShownBot:
    """A position; whether it is in range is not known before the chain's first block."""
    low, high = sorted(terms.price_at_tick(tick) for tick in (bot.tick_lower, bot.tick_upper))
    return ShownBot(
        id=bot.bot_id,
        position_id=as_hex(bot.position_id),
        status=bot.status,
        bucket=bot.bucket,
        lower_tick=bot.tick_lower,
        upper_tick=bot.tick_upper,
        lower_price=nearest_double(low),
        upper_price=nearest_double(high),
        liquidity=bot.liquidity,
        in_range=None if now is None else bot.is_in_range(now.tick),
    )


def shown_figures(figures: Figures) -> ShownFigures:
    """What an actor has written; null what it has not."""

    def number(name: str) -> Decimal | None:
        value = figures.get(name)
        return None if value is None else plain(Decimal(str(value)))

    address = figures.get("wallet_address")
    return ShownFigures(
        status=figures.get("status"),
        note=figures.get("note"),
        wallet_address=None if address is None else checksummed(address_of_text(address)),
        equity_usd=number("equity_usd"),
        fees_earned_usd=number("fees_earned_usd"),
        gas_spent_usd=number("gas_spent_usd"),
        impermanent_loss_usd=number("impermanent_loss_usd"),
    )


def history_entry(row: HistoryView) -> HistoryEntry:
    """How a droid stood: token0 means the base here, token1 the quote."""
    return HistoryEntry(
        id=row.history_id,
        time_stamp=iso_milliseconds(row.time_s * 1_000_000),
        aum=scaled(row.aum_quote_atoms, QUOTE_DECIMALS),
        price=plain(Decimal(repr(row.price))),
        token0_positions=scaled(row.base_positions, ETHER_DECIMALS),
        token1_positions=scaled(row.quote_positions, QUOTE_DECIMALS),
        eth_wallet=scaled(row.wallet_wei, ETHER_DECIMALS),
    )


def shown_pool(pool: KnownPool, now: PoolView | None) -> ShownPool:
    """A pool; before the chain's first block nothing moves in it."""
    return ShownPool(
        id=pool.pool_id,
        pool_address=as_hex(pool.address),
        fee_tier=pool.fee_pips,
        token0=pool.tokens[0].symbol,
        token1=pool.tokens[1].symbol,
        price=None if now is None else plain(Decimal(repr(now.price))),
        tick=None if now is None else now.tick,
        liquidity=None if now is None else now.liquidity,
        tvl_usd=None if now is None else usd(pool.terms, now.amounts, now.sqrt_price_x96),
    )


def changed_fields(config: DroidConfig, names: Mapping[str, object]) -> dict[str, Any]:
    """Of a config what was sent, by the names that it has there."""
    values = {name: getattr(config, name) for name in names}
    return {
        name: plain(value) if isinstance(value, Decimal) else value
        for name, value in values.items()
    }


def usd(terms: PoolTerms, amounts: tuple[int, int], sqrt_price_x96: int) -> Decimal:
    """What both tokens are worth at a pool's price, to the cent, halves to even."""
    worth = terms.in_quote(amounts, sqrt_price_x96) / terms.quote_unit
    return plain(Decimal(round(worth * 100)).scaleb(-2))


def scaled(amount: int, decimals: int) -> Decimal:
    """Base units of a token as a number of it."""
    return Decimal(format_scaled(amount, decimals))


def nearest_double(exact: Fraction) -> Decimal:
    """A price in the fewest digits that tell it from its neighbours."""
    return plain(Decimal(repr(float(exact))))


def plain(value: Decimal) -> Decimal:
    """The same without zeros that say nothing, however many digits it has."""
    whole, point, fraction = f"{value:f}".partition(".")
    fraction = fraction.rstrip("0")
    return Decimal(f"{whole}{point}{fraction}" if fraction else whole)
