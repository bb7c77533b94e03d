"""What gas costs, by EIP-1559. Prices are wei for a unit of gas."""

ELASTICITY = 2
"""A block may use so many times the gas that leaves the base fee as it is."""
BASE_FEE_MOVE_DIVISOR = 8


def next_base_fee(base_fee: int, gas_used: int, gas_limit: int) -> int:
    """Of the block that follows one with this base fee: at most an eighth more or less."""
    target = gas_limit // ELASTICITY
    if gas_used == target:
        return base_fee
    move = base_fee * abs(gas_used - target) // target // BASE_FEE_MOVE_DIVISOR
    return base_fee + max(move, 1) if gas_used > target else base_fee - move


def effective_gas_price(
    base_fee: int, max_fee_per_gas: int, max_priority_fee_per_gas: int
) -> int | None:
    """What is paid, base fee included; None where no block with this base fee may hold it."""
    if max_fee_per_gas < base_fee or max_priority_fee_per_gas > max_fee_per_gas:
        return None
    return min(base_fee + max_priority_fee_per_gas, max_fee_per_gas)
