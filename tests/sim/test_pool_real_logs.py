"""Two pools of the chain, lived again: each logged amount, price, liquidity and tick to the wei."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.sim.pool_vectors import answered, log_rows, start_of

LOGS = {
    "usdc-weth-500-2024-01-05-first": {"swap": 3027, "mint": 27, "burn": 29, "collect": 17},
    "usdc-weth-3000-2024-01-05": {"swap": 266, "mint": 4, "burn": 12},
}
Step = dict[str, Any]
ALL_OF_IT = str(2**128 - 1)


def named(owner: str) -> str:
    return owner.lower()


def opening(start: dict[str, Any], time: int, fillers: dict[str, str]) -> Iterator[Step]:
    """The pool as it stands where the log begins."""
    yield {"time": time, "op": "initialize", "in": {"sqrtPriceX96": start["sqrtPriceX96"]}}
    for owner, lower, upper, liquidity in start["positions"]:
        yield minted(time, fillers.get(owner, named(owner)), (lower, upper), liquidity)


def minted(time: int, owner: str, ticks: tuple[int, int], liquidity: str) -> Step:
    asked = {"owner": owner, "tickLower": ticks[0], "tickUpper": ticks[1], "amount": liquidity}
    return {"time": time, "op": "mint", "in": asked}


def asked_by(row: dict[str, str]) -> Step:
    time = int(row["time"])
    if row["op"] == "swap":
        asked: dict[str, Any] = {
            "zeroForOne": int(row["amount0"]) > 0,
            "amountSpecified": row["amount_specified"],
            "sqrtPriceLimitX96": row["sqrt_price_limit"],
        }
        return {"time": time, "op": "swap", "in": asked}
    ticks = int(row["tick_lower"]), int(row["tick_upper"])
    step = minted(time, named(row["owner"]), ticks, row["liquidity_delta"].lstrip("-"))
    if row["op"] == "collect":
        del step["in"]["amount"]
        step["in"] |= {"amount0Requested": ALL_OF_IT, "amount1Requested": ALL_OF_IT}
    return step | {"op": row["op"]}


def life_of(log: str) -> dict[str, Any]:
    described, rows = start_of(log), list(log_rows(log))
    start, time = described["start"], int(rows[0]["time"])
    named_so = {one[0] for one in start["positions"] if not one[0].startswith("0x")}
    fillers = {name: f"0x{number:040x}" for number, name in enumerate(sorted(named_so), 1)}
    steps = [*opening(start, time, fillers), *map(asked_by, rows)]
    owners = sorted({step["in"]["owner"] for step in steps if "owner" in step["in"]})
    return {
        "fee": described["fee"],
        "tickSpacing": described["tickSpacing"],
        "startTime": time,
        "owners": {owner: owner for owner in owners},
        "steps": steps,
    }


@pytest.mark.parametrize("log", LOGS)
def test_a_day_of_the_chain_comes_out_to_the_wei(log: str) -> None:
    rows, start = list(log_rows(log)), start_of(log)["start"]
    (life,) = answered({"sequences": [life_of(log)]})["sequences"]
    before, steps = life["steps"][: -len(rows)], life["steps"][-len(rows) :]
    assert len(before) == 1 + len(start["positions"])
    opened = before[-1]["state"]
    assert (opened["tick"], opened["liquidity"]) == (start["tick"], start["liquidity"])
    for row, step in zip(rows, steps, strict=True):
        assert "revert" not in step, row
        assert [step["out"]["amount0"], step["out"]["amount1"]] == [row["amount0"], row["amount1"]]
        if row["op"] == "swap":
            state = step["state"]
            assert state["sqrtPriceX96"] == row["sqrt_price_x96"], row
            assert [state["liquidity"], str(state["tick"])] == [row["liquidity"], row["tick"]]
    assert Counter(row["op"] for row in rows) == LOGS[log]
