"""Amounts as the explorer shows them, and what they are worth in USD."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from sim.chain.addresses import POSITION_MANAGER, USDC, USDT, WETH, Token
from sim.units import format_scaled

ETH_DECIMALS = 18
GWEI_DECIMALS = 9
DECIMALS_SHOWN_MIN = 2
CENT_DECIMALS = 2
DOLLARS = frozenset({USDC.address, USDT.address})
"""Tokens that are worth a dollar."""


@dataclass(frozen=True)
class NamedToken:
    """A token and its whole name."""

    token: Token
    name: str


TOKENS: Mapping[bytes, NamedToken] = {
    named.token.address: named
    for named in (
        NamedToken(USDC, "USD Coin"),
        NamedToken(WETH, "Wrapped Ether"),
        NamedToken(USDT, "Tether USD"),
        NamedToken(Token("UNI-V3-POS", POSITION_MANAGER, 0), "Uniswap V3 Positions NFT-V1"),
    )
}
"""Those that are on this chain. Of others it is not known what one is."""


def amount_text(units: int, decimals: int) -> str:
    """With all its digits, and two behind the point even where they are 0, if it has so many."""
    whole, _, fraction = format_scaled(units, decimals).partition(".")
    fraction = fraction.ljust(min(DECIMALS_SHOWN_MIN, decimals), "0")
    return f"{whole}.{fraction}" if fraction else whole


def amount_of_token(token: bytes, units: int) -> str:
    """An amount with its symbol; of an unknown token in its smallest unit."""
    named = TOKENS.get(token)
    if named is None:
        return amount_text(units, 0)
    return f"{amount_text(units, named.token.decimals)} {named.token.symbol}"


def usd_of_token(token: bytes, units: int, eth_price_usd: float) -> Decimal | None:
    """To the cent; None where no price is known."""
    if token in DOLLARS:
        return usd(units, TOKENS[token].token.decimals, 1.0)
    return usd_of_eth(units, eth_price_usd) if token == WETH.address else None


def usd_of_eth(wei: int, eth_price_usd: float) -> Decimal:
    """To the cent, at this price of one ETH."""
    return usd(wei, ETH_DECIMALS, eth_price_usd)


def usd(units: int, decimals: int, price: float) -> Decimal:
    """To the cent of the exact price that the double is, halves to the even one."""
    numerator, denominator = price.as_integer_ratio()
    whole = 10**decimals * denominator
    cents, rest = divmod(units * numerator * 10**CENT_DECIMALS, whole)
    if 2 * rest > whole or (2 * rest == whole and cents % 2):
        cents += 1
    return Decimal(amount_text(cents, CENT_DECIMALS))
