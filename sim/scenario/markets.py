"""A market of a world: its specification, and the process that makes its reference price."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain
from typing import Any

from sim.market import (
    COLLATERAL,
    MARKET_ID_PATTERN,
    QUANTITY_LOTS_MAX,
    SPOT_TERMS,
    MarketKind,
    MarketSpec,
)
from sim.prices.processes import YEAR_US
from sim.scenario.fields import Fields, ScenarioError
from sim.units import PPM, asset_decimals

PRICE_TICKS_MAX = 2**31 - 1
SECOND_US = 1_000_000
REVERSION_S_DEFAULT = 129_600
SIZES = ("tick_size", "lot_size", "max_quantity")
MARKET_FIELDS = ("id", "kind", "base", "quote", *SIZES, "price")
PRICE_FIELDS = {
    "synthetic": ("start", "volatility_ppm_per_year", "reversion_s"),
    "constant": ("price",),
    "replay": ("file", "loop"),
    "same": ("market",),
    "candles": ("digest",),
}
"""Of each price process, besides its name."""

ASSET_PATTERN = r"[A-Z0-9]{2,12}"
FILE_PATTERN = r"[^\0\n]{1,4096}"
DIGEST_PATTERN = r"[0-9a-f]{32}"


@dataclass(frozen=True)
class Synthetic:
    """A seeded synthetic process (sim.prices.processes.SyntheticPrice)."""

    start_ticks: int
    volatility_ppm_per_year: int
    reversion_us: int


@dataclass(frozen=True)
class Constant:
    """One price for ever."""

    price_ticks: int


@dataclass(frozen=True)
class Replay:
    """The trades of a file, read by whoever runs the world; "" where that one must name it.

    digest   tells files of other content apart; "" where nobody has looked
    """

    file: str
    loop: bool
    digest: str = ""


@dataclass(frozen=True)
class Same:
    """The index of another market of the world, tick for tick."""

    market_id: str


@dataclass(frozen=True)
class CandlePath:
    """The candles of a market that somebody else keeps: of a backtest, beside its text.

    digest   tells candles of other content apart
    """

    digest: str


PriceProcess = Synthetic | Constant | Replay | Same | CandlePath


@dataclass(frozen=True)
class MarketDescription:
    """A market and where its index comes from."""

    spec: MarketSpec
    price: PriceProcess


def read_market(fields: Fields) -> MarketDescription:
    fields.only(*MARKET_FIELDS, *SPEC_OPTIONS)
    kind = MarketKind.PERPETUAL
    if fields.has("kind"):
        kind = MarketKind(fields.choice("kind", [one.lower() for one in MarketKind]).upper())
    if kind == MarketKind.SPOT:
        fields.only(*MARKET_FIELDS, *(name for name in SPEC_OPTIONS if name not in PERPETUAL_ONLY))
    spec = _spec(fields, kind)
    price = _price(fields.table("price"), spec)
    return MarketDescription(spec, price)


def _spec(fields: Fields, kind: MarketKind) -> MarketSpec:
    market_id = fields.text("id", MARKET_ID_PATTERN, "a name such as BTC-PERP or BTC_USDC")
    base = fields.text("base", ASSET_PATTERN, "an asset such as BTC")
    quote = fields.text("quote", ASSET_PATTERN, f"an asset such as {COLLATERAL}")
    tick_size, lot_size = fields.decimal("tick_size"), fields.decimal("lot_size")
    max_quantity_lots = steps_of(fields, "max_quantity", lot_size, QUANTITY_LOTS_MAX)
    options: dict[str, Any] = {
        name: fields.integer(name, minimum, maximum, getattr(MarketSpec, name))
        for name, (minimum, maximum) in SPEC_OPTIONS.items()
        if kind == MarketKind.PERPETUAL or name not in PERPETUAL_ONLY
    }
    if kind == MarketKind.SPOT:
        options |= SPOT_TERMS
        if base == quote:
            raise fields.refuse("base", "another asset than the quote")
        if lot_size.scaleb(asset_decimals(base)) % 1:
            raise fields.refuse("lot_size", f"a size of at most {asset_decimals(base)} decimals")
    options["kind"] = kind
    try:
        return MarketSpec(market_id, base, quote, tick_size, lot_size, max_quantity_lots, **options)
    except ValueError as error:
        allowed = "a size that makes tick × lot a whole number of millionths of the quote asset"
        raise fields.refuse("tick_size", allowed) from error


SPEC_OPTIONS = {
    "max_leverage": (1, 125),
    "initial_margin_ppm": (1, PPM),
    "maintenance_margin_ppm": (1, PPM),
    "maker_fee_ppm": (-PPM // 100, PPM // 10),
    "taker_fee_ppm": (0, PPM // 10),
    "funding_interval_hours": (1, 24),
    "funding_cap_ppm": (0, PPM // 10),
    "price_band_ppm": (1, PPM - 1),
}
"""Fields of a MarketSpec that a scenario may leave to their defaults, and their ranges."""

PERPETUAL_ONLY = (*SPOT_TERMS, "funding_interval_hours")
"""Those of them that a spot market has no use for."""


def _price(fields: Fields, spec: MarketSpec) -> PriceProcess:
    fields.only("process", *chain(*PRICE_FIELDS.values()))
    process = fields.choice("process", PRICE_FIELDS)
    fields.only("process", *PRICE_FIELDS[process])
    price: PriceProcess
    if process == "synthetic":
        price = _synthetic(fields, spec)
    elif process == "same":
        price = Same(fields.text("market", MARKET_ID_PATTERN, "the id of another market"))
    elif process == "constant":
        price = Constant(steps_of(fields, "price", spec.tick_size, PRICE_TICKS_MAX))
    elif process == "candles":
        price = CandlePath(fields.text("digest", DIGEST_PATTERN, "32 hex digits"))
    else:
        file = fields.text("file", FILE_PATTERN, "a file name") if fields.has("file") else ""
        price = Replay(file, fields.flag("loop", True))
    return price


def _synthetic(fields: Fields, spec: MarketSpec) -> Synthetic:
    return Synthetic(
        steps_of(fields, "start", spec.tick_size, PRICE_TICKS_MAX // 10),
        fields.integer("volatility_ppm_per_year", 0, 10 * PPM, PPM // 2),
        fields.integer("reversion_s", 1, YEAR_US // SECOND_US, REVERSION_S_DEFAULT) * SECOND_US,
    )


def steps_of(fields: Fields, name: str, step: Decimal, most: int) -> int:
    """A decimal as a whole number of steps from 1 to `most`."""
    steps = fields.decimal(name) / step
    if steps != int(steps) or not 1 <= steps <= most:
        raise fields.refuse(name, f"a multiple of {step}, {most * step} at most")
    return int(steps)


def refuse_other_index(
    place: int, market: MarketDescription, markets: Sequence[MarketDescription]
) -> None:
    """An index that is another market's is one of the same asset, in the same ticks."""
    if not isinstance(market.price, Same):
        return
    path, spec = f"markets[{place}].price.market", market.spec
    allowed = [
        other.spec.market_id
        for other in markets
        if not isinstance(other.price, Same)
        and (other.spec.base_asset, other.spec.tick_size) == (spec.base_asset, spec.tick_size)
    ]
    if market.price.market_id not in allowed:
        known = ", ".join(allowed) or "none here"
        raise ScenarioError(
            f"{path}: found {market.price.market_id!r}, allowed is a market of {spec.base_asset}"
            f" with a price process of its own and the same tick_size: {known}",
            path,
        )
