"""Logs and calldata are, byte for byte, those of the contracts' own transactions."""

from typing import Any

import pytest
from eth_abi.abi import decode
from eth_abi.exceptions import EncodingError

from sim.chain import events
from sim.chain.addresses import NOBODY, address_of_text
from sim.chain.calldata import Mint, Swap, close_position, exact_input_single, mint, transfer
from sim.chain.events import ERC20_TRANSFER, NFT_TRANSFER, POOL_SWAP, Event, Value
from sim.chain.logs import Log
from tests.sim.chain_vectors import unhexed, vectors

TRANSACTIONS = vectors("events")["transactions"]
SELECTOR_CHARACTERS = len("0x") + 8
ELSEWHERE = [
    Event.declared("Approval(address indexed owner, address indexed spender, uint256 value)"),
    Event.declared(
        "PoolCreated(address indexed token0, address indexed token1, uint24 indexed fee,"
        " int24 tickSpacing, address pool)"
    ),
    Event.declared("Initialize(uint160 sqrtPriceX96, int24 tick)"),
    Event.declared(
        "IncreaseObservationCardinalityNext(uint16 observationCardinalityNextOld,"
        " uint16 observationCardinalityNextNew)"
    ),
    Event.declared(
        "SetFeeProtocol(uint8 feeProtocol0Old, uint8 feeProtocol1Old, uint8 feeProtocol0New,"
        " uint8 feeProtocol1New)"
    ),
    Event.declared(
        "CollectProtocol(address indexed sender, address indexed recipient, uint128 amount0,"
        " uint128 amount1)"
    ),
]
"""Events that nothing on our chain causes, so that every log of the contracts is one of these."""

EVENTS = [*(one for one in vars(events).values() if isinstance(one, Event)), *ELSEWHERE]


def logged(one: dict[str, Any]) -> Log:
    topics = tuple(map(unhexed, one["topics"]))
    return Log(address_of_text(one["address"]), topics, unhexed(one["data"]))


def value_of(text: str) -> Value:
    return address_of_text(text) if text.startswith("0x") else int(text)


def event_of(log: dict[str, Any]) -> Event:
    """By its topic 0 and the names of its values, as the contracts' own sources name them."""
    topic0, names = unhexed(log["topics"][0]), list(log["args"])
    (event,) = (
        one
        for one in EVENTS
        if one.topic0 == topic0 and [parameter.name for parameter in one.parameters] == names
    )
    return event


def test_logs_are_those_of_the_contracts() -> None:
    assert len(TRANSACTIONS) == 48
    for log in (log for one in TRANSACTIONS for log in one["logs"]):
        event, values = event_of(log), [value_of(text) for text in log["args"].values()]
        assert event.log(address_of_text(log["address"]), *values) == logged(log), log


def test_logs_tell_their_values() -> None:
    for log in (log for one in TRANSACTIONS for log in one["logs"]):
        told = [one for one in EVENTS if one.told(logged(log)) is not None]
        assert told == [event_of(log)]
        values = {name: value_of(text) for name, text in log["args"].items()}
        assert told[0].told(logged(log)) == values


def test_events_have_the_topics_of_their_contracts() -> None:
    known = {unhexed(topic) for topic in vectors("events")["topic0"].values()}
    assert {one.topic0 for one in EVENTS} <= known


def test_a_token_and_an_nft_are_told_apart() -> None:
    token = ERC20_TRANSFER.log(b"\x01" * 20, NOBODY, b"\x02" * 20, 7)
    nft = NFT_TRANSFER.log(b"\x01" * 20, NOBODY, b"\x02" * 20, 7)
    assert token.topics[0] == nft.topics[0]
    assert (ERC20_TRANSFER.told(nft), NFT_TRANSFER.told(token)) == (None, None)
    assert ERC20_TRANSFER.told(Log(b"\x01" * 20, (), b"")) is None


def test_words_that_are_no_addresses_are_nobodys_transfer() -> None:
    token = ERC20_TRANSFER.log(b"\x01" * 20, NOBODY, b"\x02" * 20, 7)
    topics = (token.topics[0], b"\x01" * 32, token.topics[2])
    assert ERC20_TRANSFER.told(Log(token.address, topics, token.data)) is None


@pytest.mark.parametrize("amount", [-(2**255) - 1, 2**255])
def test_a_value_out_of_its_bounds_is_refused(amount: int) -> None:
    with pytest.raises(EncodingError):
        POOL_SWAP.log(NOBODY, NOBODY, NOBODY, amount, 0, 0, 0, 0)


def inputs(what: str) -> list[bytes]:
    found = [unhexed(one["input"]) for one in TRANSACTIONS if one["what"] == what]
    assert found, what
    return found


def read(kinds: str, some: bytes) -> tuple[Any, ...]:
    return tuple(
        address_of_text(one) if isinstance(one, str) else one for one in decode(kinds.split(), some)
    )


def test_calldata_of_transfers_is_what_tokens_take() -> None:
    for some in inputs("ERC-20 transfer"):
        to, amount = decode(("address", "uint256"), some[4:])
        assert transfer(address_of_text(to), amount) == some


def test_calldata_of_mints_is_what_the_position_manager_takes() -> None:
    kinds = "address address uint24 int24 int24" + " uint256" * 4 + " address uint256"
    for some in inputs("NPM.mint"):
        assert mint(Mint(*read(kinds, some[4:]))) == some


def test_calldata_of_swaps_is_what_the_router_takes() -> None:
    kinds = "address address uint24 address uint256 uint256 uint256 uint160"
    for some in inputs("SwapRouter.exactInputSingle"):
        assert exact_input_single(Swap(*read(kinds, some[4:]))) == some


def test_calldata_of_a_closing_is_what_the_position_manager_takes() -> None:
    (some,) = inputs("NPM.multicall: decrease 100 % + collect + burn")
    ((decreased, collected, _),) = decode(("bytes[]",), some[4:])
    token_id, liquidity, _, _, deadline = decode(("uint256",) * 5, decreased[4:])
    recipient = read("uint256 address", collected[4:])[1]
    assert close_position(token_id, liquidity, recipient, deadline) == some
