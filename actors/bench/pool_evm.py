"""Uniswap v3's own bytecode in revm, run by the Python of the peers' environment.

    .venv/peers/bin/python actors/bench/pool_evm.py < asked.json

prints one JSON object. Nothing of Sandpit is imported here. The factory's creation code comes from
the file that is named, else from the package web3-ethereum-defi, and makes the pool. Two tokens
that only keep balances, and a payer who passes calls on and pays when he is called back, are
written below in the machine's own words. Seconds are of processor time, of the swaps alone.
"""

import importlib.util
import json
import re
import sys
import time
from pathlib import Path
from typing import Any

ARTIFACT = Path("abi", "uniswap_v3", "UniswapV3Factory.json")
WORD, GAS = 32, 100_000_000
CREATE_POOL, INITIALIZE, MINT, SWAP = "a1671295", "f637731d", "3c8a7d8d", "128acb08"
TRANSFER = 0xA9059CBB
OPCODES = """
STOP 00 ADD 01 SUB 03 SGT 13 EQ 14 ISZERO 15 SHL 1b SHR 1c CALLER 33 CALLDATALOAD 35
CALLDATASIZE 36 CALLDATACOPY 37 RETURNDATASIZE 3d RETURNDATACOPY 3e POP 50 MSTORE 52 SLOAD 54
SSTORE 55 JUMPI 57 GAS 5a JUMPDEST 5b DUP1 80 DUP3 82 SWAP1 90 CALL f1 RETURN f3 REVERT fd
"""
OPERATIONS = {name: int(code, 16) for name, code in re.findall(r"(\w+) (\w\w)\s", OPCODES)}
TOKEN_TEXT = f"""
0 CALLDATALOAD 224 SHR {TRANSFER} EQ @transfer JUMPI
4 CALLDATALOAD SLOAD 0 MSTORE 32 0 RETURN
transfer:
36 CALLDATALOAD DUP1 CALLER SLOAD SUB CALLER SSTORE
4 CALLDATALOAD DUP1 SLOAD DUP3 ADD SWAP1 SSTORE
1 0 MSTORE 32 0 RETURN
"""
"""balanceOf, unless it is transfer."""

PAYER_TEXT = """
CALLER {pool} EQ @callback JUMPI
CALLDATASIZE 0 0 CALLDATACOPY
0 0 CALLDATASIZE 0 0 {pool} GAS CALL
RETURNDATASIZE 0 0 RETURNDATACOPY
@done JUMPI RETURNDATASIZE 0 REVERT
done: RETURNDATASIZE 0 RETURN
callback:
0 4 CALLDATALOAD SGT ISZERO @second JUMPI
{transfer} 224 SHL 0 MSTORE CALLER 4 MSTORE 4 CALLDATALOAD 36 MSTORE
0 0 68 0 0 {token0} GAS CALL POP
second:
0 36 CALLDATALOAD SGT ISZERO @end JUMPI
{transfer} 224 SHL 0 MSTORE CALLER 4 MSTORE 36 CALLDATALOAD 36 MSTORE
0 0 68 0 0 {token1} GAS CALL POP
end: STOP
"""
"""Whoever calls, his call goes to the pool; the pool is paid what it calls back for."""


def assembled(text: str) -> bytes:
    """Words, numbers to push, `name:` where one may jump to, `@name` to push that place."""
    code, places, jumps = bytearray(), {}, []
    for word in text.split():
        if word.endswith(":"):
            places[word[:-1]] = len(code)
            code.append(OPERATIONS["JUMPDEST"])
        elif word.startswith("@"):
            jumps.append((len(code) + 1, word[1:]))
            code += pushed(0, 2)
        elif word in OPERATIONS:
            code.append(OPERATIONS[word])
        else:
            number = int(word, 0)
            code += pushed(number, max((number.bit_length() + 7) // 8, 1))
    for at, name in jumps:
        code[at : at + 2] = places[name].to_bytes(2, "big")
    return bytes(code)


def pushed(number: int, length: int) -> bytes:
    return bytes([0x5F + length]) + number.to_bytes(length, "big")


def call(selector: str, *arguments: int) -> bytes:
    words = [(one % 2**256).to_bytes(WORD, "big") for one in arguments]
    return bytes.fromhex(selector) + b"".join(words)


def with_no_data(selector: str, *arguments: int) -> bytes:
    """The last argument is an empty `bytes`."""
    return call(selector, *arguments, WORD * (len(arguments) + 1), 0)


def factory_code(file: str | None) -> bytes:
    """Of an artifact of the compiler, its creation code."""
    path = Path(file) if file else packaged()
    try:
        told = json.loads(path.read_text())["bytecode"]
        text = told["object"] if isinstance(told, dict) else told
        return bytes.fromhex(text.removeprefix("0x"))
    except (ValueError, LookupError, TypeError, AttributeError):
        raise SystemExit(f"{path.name} is no contract's artifact with its bytecode") from None


def packaged() -> Path:
    package = importlib.util.find_spec("eth_defi")
    if package is None or not package.submodule_search_locations:
        raise SystemExit("the contract's bytecode is not installed: make peers")
    return Path(package.submodule_search_locations[0], ARTIFACT)


class Chain:
    """A machine with the contract in it, and two tokens of which the payer has enough."""

    deployer, payer = f"0x{0xD0:040x}", f"0x{0xA1:040x}"
    tokens = f"0x{0x70:040x}", f"0x{0x71:040x}"

    def __init__(self, code: bytes) -> None:
        self.revm = importlib.import_module("pyrevm")
        self.evm = self.revm.EVM(gas_limit=2**62)
        self.evm.set_balance(self.deployer, 2**100)
        self.factory = self.evm.deploy(self.deployer, code, gas=GAS)
        self._put(self.tokens[0], TOKEN_TEXT)
        self._put(self.tokens[1], TOKEN_TEXT)

    def _put(self, address: str, text: str) -> None:
        info = self.revm.AccountInfo(code=assembled(text))
        self.evm.insert_account_info(address, info)

    def create_pool(self, fee_pips: int) -> str:
        token0, token1 = self.tokens
        asked = call(CREATE_POOL, int(token0, 16), int(token1, 16), fee_pips)
        answer = self.evm.message_call(self.deployer, self.factory, calldata=asked, gas=GAS)
        if len(answer) != WORD:
            raise SystemExit("the artifact is not that of a factory of pools")
        pool = f"0x{bytes(answer)[-20:].hex()}"
        names = {"pool": pool, "token0": token0, "token1": token1, "transfer": TRANSFER}
        self._put(self.payer, PAYER_TEXT.format(**names))
        for token in self.tokens:
            self.evm.insert_account_storage(token, int(self.payer, 16), 2**200)
        return pool

    def set_time(self, time_s: int) -> None:
        self.evm.set_block_env(self.revm.BlockEnv(timestamp=time_s))

    def ask(self, to: str, calldata: bytes) -> bytes:
        answer = self.evm.message_call(self.deployer, to, calldata=calldata, gas=GAS)
        return bytes(answer)


def swapped(asked: dict[str, Any]) -> dict[str, Any]:
    """Lives the pool's life; addresses, amounts and seconds of its swaps."""
    chain = Chain(factory_code(asked.get("bytecode")))
    pool, owner = chain.create_pool(asked["fee_pips"]), int(chain.payer, 16)
    chain.set_time(1)
    chain.ask(pool, call(INITIALIZE, int(asked["sqrt_price_x96"])))
    for lower, upper, liquidity in asked["positions"]:
        chain.ask(chain.payer, with_no_data(MINT, owner, lower, upper, int(liquidity)))
    swaps = [
        (time_s, with_no_data(SWAP, owner, int(down), int(amount), int(limit_x96)))
        for time_s, down, amount, limit_x96 in asked["swaps"]
    ]
    now_s, answers = 1, []
    began = time.process_time()
    for time_s, calldata in swaps:
        if time_s != now_s:
            now_s = time_s
            chain.set_time(time_s)
        answers.append(chain.ask(chain.payer, calldata))
    seconds = time.process_time() - began
    amounts = [
        [str(int.from_bytes(answer[at : at + WORD], "big", signed=True)) for at in (0, WORD)]
        for answer in answers
    ]
    told = {"factory": chain.factory, "pool": pool, "tokens": chain.tokens}
    return {**told, "amounts": amounts, "seconds": seconds}


def main() -> None:
    sys.stdout.write(json.dumps(swapped(json.load(sys.stdin))) + "\n")


if __name__ == "__main__":
    main()
