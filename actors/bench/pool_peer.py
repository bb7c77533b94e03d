"""The same swaps in Uniswap v3's own bytecode, for `sandpit bench pool`: revm, through pyrevm.

It runs in the peers' environment (`make peers`), which has pyrevm and, in a package of contracts,
the factory of v3-core 1.0.1. That the pool is the deployed one is seen by its address: CREATE2 made
it of the hash of its creation code.
"""

import json
import subprocess
from pathlib import Path
from typing import Any

from actors.bench.pool_flow import FEE_PIPS, START_PRICE_X96, Flow, ranges
from actors.bench.simulate_runs import PEERS_PYTHON, PeerMissing
from sim.chain.addresses import address_of_text, pool_address
from sim.fast_pool.engine import AskedSwap

SCRIPT = Path(__file__).with_name("pool_evm.py")
PEER_S_MAX = 300.0


def peer_rate(flow: Flow, bytecode: Path | None) -> float:
    """Swaps a second of one run. Raises PeerMissing.

    bytecode   the factory's artifact, UniswapV3Factory.json; None: the peers' package has it
    """
    asked = {
        "bytecode": str(bytecode) if bytecode else None,
        "fee_pips": FEE_PIPS,
        "sqrt_price_x96": str(START_PRICE_X96),
        "positions": [[lower, upper, str(liquidity)] for lower, upper, liquidity in ranges()],
        "swaps": [_row(one) for one in flow.swaps],
    }
    answer = _answer(json.dumps(asked))
    tokens = [address_of_text(token) for token in answer["tokens"]]
    factory, pool = address_of_text(answer["factory"]), address_of_text(answer["pool"])
    if pool != pool_address(tokens[0], tokens[1], FEE_PIPS, factory):
        raise PeerMissing("the artifact's pool is not the one of v3-core 1.0.1")
    amounts = [(int(amount0), int(amount1)) for amount0, amount1 in answer["amounts"]]
    assert amounts == flow.amounts, "the contract's bytecode came to other amounts"
    return len(flow.swaps) / float(answer["seconds"])


def _row(one: AskedSwap) -> list[Any]:
    order = one.order
    numbers = str(order.amount_specified), str(order.sqrt_price_limit_x96)
    return [one.time_s, order.zero_for_one, *numbers]


def _answer(asked: str) -> dict[str, Any]:
    if not PEERS_PYTHON.exists():
        raise PeerMissing("not installed: make peers")
    try:
        done = subprocess.run(
            [str(PEERS_PYTHON), str(SCRIPT)],
            input=asked,
            capture_output=True,
            text=True,
            timeout=PEER_S_MAX,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise PeerMissing(f"no answer within {PEER_S_MAX:.0f} s") from None
    if done.returncode != 0:
        raise PeerMissing((done.stderr.strip().splitlines() or ["it said nothing"])[-1][:200])
    found: dict[str, Any] = json.loads(done.stdout)
    return found
