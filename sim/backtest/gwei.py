"""What a unit of gas costs in every block, as people write it."""

from sim.units import NotDecimal, OffGrid, parse_scaled

GWEI_DECIMALS, BASE_FEE_WEI_MAX = 9, 10**18
ALLOWED = "a number of gwei from 0 to 10^9 with at most 9 decimals, such as 12.5"


def base_fee_wei(text: str) -> int:
    """Of gwei. Raises ValueError for what is not ALLOWED."""
    try:
        wei = parse_scaled(text, GWEI_DECIMALS)
    except (NotDecimal, OffGrid):
        raise ValueError(ALLOWED) from None
    if wei > BASE_FEE_WEI_MAX:
        raise ValueError(ALLOWED)
    return wei
