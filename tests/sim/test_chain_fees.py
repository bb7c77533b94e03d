"""Base fees and gas prices, as py-evm and EIP-1559 have them."""

from itertools import pairwise

from sim.chain.fees import effective_gas_price, next_base_fee
from tests.sim.chain_vectors import vectors

GAS_LIMIT = 60_000_000


def test_the_base_fee_follows_the_gas_used() -> None:
    for one in vectors("base_fee")["next_base_fee"]:
        parent = (int(one["parentBaseFee"]), one["parentGasUsed"], one["parentGasLimit"])
        assert next_base_fee(*parent) == int(one["baseFee"]), one


def test_a_hundred_blocks_in_a_row_have_the_base_fees_of_py_evm() -> None:
    rows = [tuple(map(int, row)) for row in vectors("base_fee")["chain_60M"]["rows"]]
    for gas_used, base_fee, following in rows:
        assert next_base_fee(base_fee, gas_used, GAS_LIMIT) == following
    assert all(before[2] == after[1] for before, after in pairwise(rows))


def test_a_gas_price_is_base_fee_and_priority_up_to_the_most() -> None:
    for one in vectors("base_fee")["effective_price"]:
        base_fee, fee_max, priority = (
            int(one[name]) for name in ("baseFee", "maxFeePerGas", "maxPriorityFeePerGas")
        )
        price = effective_gas_price(base_fee, fee_max, priority)
        assert (price is not None) == one["includable"]
        if price is not None:
            assert price == int(one["effectiveGasPrice"])
            assert price - base_fee == int(one["priorityPerGas"])
