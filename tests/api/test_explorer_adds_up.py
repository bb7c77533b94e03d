"""What the explorer tells of a chain of real blocks adds up, whatever has happened on it."""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any

import httpx
import pytest

from sim.chain.addresses import NOBODY, address_of_text
from sim.chain.headers import Header, decoded_header
from sim.chain.receipts import SUCCEEDED, decoded_receipt
from sim.keccak import keccak256
from tests.api.browsers import Browser, close_all, error_of
from tests.api.lived_app import Holdings, LivedApp

WEI, GWEI = 10**18, 10**9
ETHER = b""
UNKNOWN_HASH = "0x" + "5a" * 32
NOT_SHOWN_YET = """
SELECT t.block_number, encode(t.hash, 'hex') FROM chain_transactions t, explorer_cursor c
WHERE t.block_number > c.number ORDER BY t.block_number, t.place"""
Told = dict[str, Any]


@dataclass
class Chain:
    """All of it, as somebody with a token is told."""

    lived: LivedApp
    http: httpx.Client

    def get(self, path: str, **asked: str | int) -> httpx.Response:
        return self.http.get(f"/api/v1/{path}", params=asked or None)

    def read(self, path: str, **asked: str | int) -> Any:
        answer = self.get(path, **asked)
        assert answer.status_code == 200, answer.text
        return json.loads(answer.text, parse_float=Decimal)

    def pages(self, path: str, **asked: str | int) -> list[Told]:
        """The first, and all that follow by the links."""
        found = [self.read(path, **asked)]
        while link := found[-1]["next_page_url"]:
            found.append(self.linked(link))
        return found

    def linked(self, link: str) -> Any:
        """What is behind a link, wherever the settings say that we are reached."""
        return self.read(link.partition("/api/v1/")[2])

    def listed(self, path: str, **asked: str | int) -> list[str]:
        """Hashes of all pages."""
        return [one["hash"] for page in self.pages(path, **asked) for one in page["data"]]

    @cached_property
    def blocks(self) -> list[Told]:
        """With their headers, the first one first."""
        last = self.read("health")["last_indexed_block"]
        oldest = self.read("transactions", sort="timestamp", page_size=1)["data"]
        first = oldest[0]["block_number"]
        return [self.read(f"blocks/{number}", raw="true") for number in range(first, last + 1)]

    @cached_property
    def headers(self) -> dict[int, Header]:
        """Of the blocks, by their numbers."""
        return {
            one["block_number"]: decoded_header(bytes.fromhex(one["header"][2:]))
            for one in self.blocks
        }

    @cached_property
    def transactions(self) -> list[Told]:
        """With their bytes, as the blocks have them."""
        hashes = [hashed for block in self.blocks for hashed in block["transaction_hashes"]]
        return [self.read(f"transactions/{hashed}", raw="true") for hashed in hashes]


@pytest.fixture(scope="module")
def chain(lived: LivedApp) -> Iterator[Chain]:
    browser = Browser(lived.app)
    assert browser.joins().status_code == 201
    token = browser.http.post("/api/user/token").json()["token"]
    close_all()
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=lived.app.url, headers=headers, timeout=20) as http:
        yield Chain(lived, http)


def test_something_has_happened(chain: Chain) -> None:
    assert len(chain.blocks) > 30
    assert len(chain.transactions) > 100
    standards = {one["token_standard"] for told in chain.transactions for one in moves(told)}
    assert standards == {"ERC-20", "ERC-721"}
    assert chain.read("health")["ingestion_lag_seconds"] == 144


def test_what_gas_has_cost_is_what_was_used_at_its_price(chain: Chain) -> None:
    for told in chain.transactions:
        assert told["gas_fee_eth"] * GWEI == told["gas_used"] * told["gas_price_gwei"]
        header = chain.headers[told["block_number"]]
        assert told["gas_price_gwei"] * GWEI >= header.base_fee_per_gas
    for number, header in chain.headers.items():
        used = sum(
            told["gas_used"] for told in chain.transactions if told["block_number"] == number
        )
        assert used == header.gas_used


def test_hashes_are_of_the_bytes_that_are_told(chain: Chain) -> None:
    for told in chain.transactions:
        assert hash_of(told["raw_transaction"]) == told["hash"]
        receipt = decoded_receipt(bytes.fromhex(told["receipt"][2:]))
        assert (receipt.status == SUCCEEDED) is (told["status"] == "success")
    parent = chain.blocks[0]["parent_hash"]
    for number, block in enumerate(chain.blocks, chain.blocks[0]["block_number"]):
        header = chain.headers[number]
        assert hash_of(block["header"]) == block["block_hash"]
        assert f"0x{header.parent_hash.hex()}" == block["parent_hash"] == parent
        assert (header.block_number, iso(header.timestamp)) == (number, block["block_timestamp"])
        assert block["transaction_count"] == len(block["transaction_hashes"])
        parent = block["block_hash"]


def test_what_was_sent_is_what_everybody_has_more_or_less(chain: Chain) -> None:
    moved: Holdings = defaultdict(int)
    for told in chain.transactions:
        for token, holder, units in movements(told, chain.headers[told["block_number"]]):
            moved[token, holder] += units
    before, after = chain.lived.genesis, chain.lived.indexed
    changed = {key: after.get(key, 0) - before.get(key, 0) for key in before.keys() | after.keys()}
    assert {key: units for key, units in moved.items() if units and key[1] != NOBODY} == {
        key: units for key, units in changed.items() if units
    }


def movements(told: Told, header: Header) -> Iterator[tuple[bytes, bytes, int]]:
    """Token, holder, and how many units that one has more: of value, fee, tip and transfers."""
    sender = address_of_text(told["from_address"])
    fee, value = told["gas_fee_eth"] * WEI, units_of(told["value_native"], 18)
    yield ETHER, sender, -int(fee)
    yield ETHER, header.coinbase, int(fee) - told["gas_used"] * header.base_fee_per_gas
    if told["status"] == "success":
        yield ETHER, sender, -value
        yield ETHER, address_of_text(told["to_address"]), value
    for one in moves(told):
        if one["token_id"] is None:
            token = address_of_text(one["contract_address"])
            units = units_of(one["amount_display"], 18 if one["token_symbol"] == "WETH" else 6)
            yield token, address_of_text(one["from_address"]), -units
            yield token, address_of_text(one["to_address"]), units


def test_pages_lead_through_all_of_it_and_back(chain: Chain) -> None:
    hashes = [told["hash"] for told in chain.transactions]
    for sort, expected in (("timestamp", hashes), ("-timestamp", hashes[::-1])):
        for size in (20, 100):
            pages = chain.pages("transactions", sort=sort, page_size=size)
            assert [one["hash"] for page in pages for one in page["data"]] == expected
            for number, page in enumerate(pages, 1):
                assert (page["page"], page["page_size"]) == (number, size)
                assert page["total_results"] == len(hashes)
                assert page["total_pages"] == -(-len(hashes) // size) == len(pages)
            assert pages[0]["prev_page_url"] is None
            assert [chain.linked(page["prev_page_url"]) for page in pages[1:]] == pages[:-1]


def test_everybodys_list_is_where_they_have_to_do_with_it(chain: Chain) -> None:
    theirs: dict[str, list[str]] = defaultdict(list)
    for told in chain.transactions:
        for address in parties(told):
            theirs[address].append(told["hash"])
    assert len(theirs) > 10
    for address, hashes in theirs.items():
        path, asked = f"transactions/address/{address.lower()}", {"page_size": 100}
        assert chain.listed(path, sort="timestamp", **asked) == hashes
        assert chain.listed("transactions", address=address, **asked) == hashes[::-1]
    assert chain.listed(f"transactions/address/0x{'99' * 20}") == []


def test_a_list_says_what_the_transaction_itself_says(chain: Chain) -> None:
    told = {one["hash"]: one for one in chain.transactions}
    for page in chain.pages("transactions", page_size=100):
        for one in page["data"]:
            whole = told[one["hash"]]
            shown = [{name: move[name] for name in LISTED} for move in moves(whole)]
            assert one == {name: whole[name] for name in one} | {"token_transfers": shown}


LISTED = ("token_symbol", "amount_display", "amount_usd")


def test_days_begin_and_end_with_the_block_that_is_named(chain: Chain) -> None:
    times = [told["block_timestamp"] for told in chain.transactions]
    hashes = [told["hash"] for told in chain.transactions]
    second = timedelta(seconds=1)
    for block in chain.blocks[:: len(chain.blocks) // 3]:
        at = block["block_timestamp"]
        later = (datetime.fromisoformat(at) + second).strftime("%Y-%m-%dT%H:%M:%SZ")
        for asked, expected in (
            ({"from_date": at}, chosen(hashes, [time >= at for time in times])),
            ({"from_date": later}, chosen(hashes, [time > at for time in times])),
            ({"to_date": at}, chosen(hashes, [time <= at for time in times])),
            ({"from_date": at, "to_date": at}, block["transaction_hashes"]),
        ):
            found = chain.listed("transactions", sort="timestamp", page_size=100, **asked)
            assert found == list(expected), asked


def chosen(hashes: Sequence[str], are_within: Sequence[bool]) -> list[str]:
    return [hashed for hashed, is_within in zip(hashes, are_within, strict=True) if is_within]


def test_what_is_not_there_or_not_yet_is_404(chain: Chain) -> None:
    waiting = chain.lived.droid.rows(NOT_SHOWN_YET)
    assert waiting
    for number, hashed in waiting:
        assert error_of(chain.get(f"blocks/{number}")) == 404
        assert error_of(chain.get(f"transactions/0x{hashed}")) == 404
    first, last = chain.blocks[0]["block_number"], chain.blocks[-1]["block_number"]
    assert chain.read("health")["chain_tip_block"] == last + 12
    for number in (first - 1, last + 1, last + 13):
        assert error_of(chain.get(f"blocks/{number}")) == 404
    assert error_of(chain.get(f"transactions/{UNKNOWN_HASH}")) == 404


def moves(told: Told) -> list[Told]:
    found: list[Told] = told["token_transfers"]
    return found


def parties(told: Told) -> set[str]:
    """Whoever sends or gets something, be it a token."""
    ends = {(told["from_address"], told["to_address"])}
    ends |= {(one["from_address"], one["to_address"]) for one in moves(told)}
    return {end for both in ends for end in both}


def units_of(shown: str, decimals: int) -> int:
    """Of an amount with its symbol behind it, which says all digits."""
    units = Decimal(shown.split()[0]).scaleb(decimals)
    assert units == int(units)
    return int(units)


def hash_of(text: str) -> str:
    return f"0x{keccak256(bytes.fromhex(text[2:])).hex()}"


def iso(time_s: int) -> str:
    return datetime.fromtimestamp(time_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
