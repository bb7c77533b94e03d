"""The explorer's routes, over a chain that the test has made and indexed."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import httpx
import pytest

from api.havencap.envelope import error_body
from api.havencap.explorer_document import EXAMPLES
from sim.chain.addresses import NOBODY, POSITION_MANAGER, USDC, USDT, WETH, checksummed
from sim.chain.events import ERC20_TRANSFER, NFT_TRANSFER
from sim.chain.logs import Log
from sim.keccak import keccak256
from storage.chain.indexing import CONFIRMATIONS, index_step
from storage.servers.embedded import EmbeddedPostgres
from tests.api.browsers import Browser, close_all, error_of, without_anybody
from tests.api.conftest import empty_database
from tests.api.deployment import Deployment, running
from tests.handmade_chain import FIRST_BLOCK, HandmadeChain, Sent, address_of

PUBLIC = "https://exchange.example.com/sandpit"
ANN, BEA = address_of("ann"), address_of("bea")
STRANGE = b"\x99" * 20
MANY = 142
NOWHERE = "0x" + "00" * 32


@dataclass
class Explored:
    """A deployment whose chain is made here, and one who may look at it."""

    app: Deployment
    chain: HandmadeChain
    headers: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, **query: object) -> httpx.Response:
        params = {name: str(value) for name, value in query.items()}
        return self.app.http.get(f"/api/v1/{path}", headers=self.headers, params=params or None)

    def read(self, path: str, **query: object) -> Any:
        """The answer, numbers as they are written."""
        answer = self.get(path, **query)
        assert answer.status_code == 200, answer.text
        assert "e-" not in answer.text.lower()
        return json.loads(answer.text, parse_float=Decimal)

    def index(self, confirmations: int = 0) -> None:
        while index_step(self.chain.connection, confirmations):
            pass

    def anew(self) -> None:
        """No block, and nothing indexed."""
        tables = "chain_head, chain_blocks, chain_transactions, explorer_blocks, explorer_cursor,"
        self.app.database.execute(
            f"TRUNCATE {tables} explorer_transactions, explorer_transfers, explorer_appearances"
        )
        self.chain = HandmadeChain(self.app.database)


@pytest.fixture(scope="module")
def deployed(
    postgres: EmbeddedPostgres, template_database: str, servers_dir: Path
) -> Iterator[Explored]:
    urls = empty_database(postgres, template_database, "api_explorer")
    with running(urls, "", servers_dir / "explorer", SANDPIT_PUBLIC_URL=f"{PUBLIC}/") as app:
        without_anybody(app)
        browser = Browser(app, "reader")
        assert browser.joins().status_code == 201
        token = browser.http.post("/api/user/token").json()["token"]
        close_all()
        yield Explored(app, HandmadeChain(app.database), {"Authorization": f"Bearer {token}"})


@pytest.fixture
def explored(deployed: Explored) -> Explored:
    deployed.anew()
    return deployed


def moved(token: bytes, sender: bytes, recipient: bytes, units: int) -> Log:
    return ERC20_TRANSFER.log(token, sender, recipient, units)


def pay(units: int, **more: Any) -> Sent:
    """A payment in USDC, as the document's own."""
    logs = (moved(USDC.address, ANN, BEA, units),)
    return Sent("ann", USDC.address, logs=logs, gas=65_000, **more)


def test_a_transaction_is_told_as_the_document_has_it(explored: Explored) -> None:
    explored.chain.block()
    mined = explored.chain.block(pay(250_000_000))
    explored.index()
    hashed = f"0x{mined.transactions[0].hash.hex()}"
    listed: dict[str, Any] = {
        "hash": hashed,
        "block_number": FIRST_BLOCK + 1,
        "block_timestamp": "2026-04-30T12:00:12Z",
        "from_address": checksummed(ANN),
        "to_address": "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48",
        "value_native": "0.00 ETH",
        "value_usd": 0,
        "gas_used": 65_000,
        "gas_price_gwei": Decimal("12.5"),
        "gas_fee_usd": Decimal("2.44"),
        "status": "success",
        "token_transfers": [
            {"token_symbol": "USDC", "amount_display": "250.00 USDC", "amount_usd": 250}
        ],
    }
    assert explored.read("transactions")["data"] == [listed]
    detail = explored.read(f"transactions/{hashed.upper()}")
    of_token = explored.read("transactions", address=USDC.address.hex().join(("0X", "")))
    assert of_token["data"] == [listed]
    transfer = listed["token_transfers"][0] | {
        "contract_address": "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48",
        "token_name": "USD Coin",
        "token_standard": "ERC-20",
        "from_address": checksummed(ANN),
        "to_address": checksummed(BEA),
        "token_id": None,
    }
    assert detail == listed | {
        "gas_fee_eth": Decimal("0.0008125"),
        "token_transfers": [transfer],
        "price_source": "uniswap_v3",
        "price_timestamp": "2026-04-30T12:00:12Z",
    }
    assert detail["gas_fee_eth"] == detail["gas_used"] * detail["gas_price_gwei"] / 10**9
    text = explored.get(f"transactions/{hashed}").text
    assert '"value_usd":0.00' in text
    assert '"amount_usd":250.00' in text


def test_amounts_have_two_decimals_or_more_and_dollars_are_rounded_to_even(
    explored: Explored,
) -> None:
    def weth(units: int) -> Log:
        return moved(WETH.address, ANN, BEA, units)

    logs = (
        weth(10**18),
        weth(2_500_000_000_000),
        weth(7_500_000_000_000),
        weth(12_500_000_000_000),
        moved(USDT.address, ANN, BEA, 1_234_567),
        moved(STRANGE, ANN, BEA, 2**256 - 1),
        NFT_TRANSFER.log(POSITION_MANAGER, NOBODY, ANN, 2**200),
    )
    mined = explored.chain.block(Sent("ann", STRANGE, 1, logs), Sent("ann", None), price=2_000.0)
    explored.index()
    first, second = [f"0x{one.hash.hex()}" for one in mined.transactions]
    told = explored.read(f"transactions/{first}")
    assert told["value_native"] == "0.000000000000000001 ETH"
    shown = [(one["amount_display"], one["amount_usd"]) for one in told["token_transfers"]]
    assert shown == [
        ("1.00 WETH", 2_000),
        ("0.0000025 WETH", 0),
        ("0.0000075 WETH", Decimal("0.02")),
        ("0.0000125 WETH", Decimal("0.02")),
        ("1.234567 USDT", Decimal("1.23")),
        (str(2**256 - 1), None),
        ("1 UNI-V3-POS", None),
    ]
    *_, strange, nft = told["token_transfers"]
    assert (strange["token_symbol"], strange["token_name"]) == (None, None)
    assert (nft["token_standard"], nft["token_id"]) == ("ERC-721", str(2**200))
    assert nft["token_name"] == "Uniswap V3 Positions NFT-V1"
    assert explored.read(f"transactions/{second}")["to_address"] is None


def test_every_hash_that_is_shown_can_be_reckoned_again(explored: Explored) -> None:
    mined = explored.chain.block(pay(1), pay(2, fails=True))
    explored.index()
    block = explored.read(f"blocks/{FIRST_BLOCK}", raw="true")
    assert f"0x{keccak256(bytes.fromhex(block['header'][2:])).hex()}" == block["block_hash"]
    assert block["transaction_count"] == 2
    assert block["transaction_hashes"] == [f"0x{one.hash.hex()}" for one in mined.transactions]
    for hashed, receipt in zip(block["transaction_hashes"], mined.receipts, strict=True):
        told = explored.read(f"transactions/{hashed}", raw="true")
        raw = bytes.fromhex(told["raw_transaction"][2:])
        assert f"0x{keccak256(raw).hex()}" == hashed
        assert told["receipt"] == f"0x{receipt.raw.hex()}"
        assert not {"raw_transaction", "receipt"} & set(explored.read(f"transactions/{hashed}"))
    assert set(explored.read(f"blocks/{FIRST_BLOCK}")) == {
        *("block_number", "block_timestamp", "transaction_count", "transaction_hashes"),
        *("block_hash", "parent_hash"),
    }
    failed = explored.read(f"transactions/{block['transaction_hashes'][1]}")
    assert (failed["status"], failed["token_transfers"]) == ("failed", [])


def test_lists_of_many_have_pages_that_lead_to_each_other(explored: Explored) -> None:
    for number in range(0, MANY, 2):
        explored.chain.block(pay(number + 1), pay(number + 2))
    explored.index()
    seen: list[str] = []
    page = explored.read(f"transactions/address/0x{BEA.hex()}", page_size=20)
    assert (page["total_results"], page["total_pages"], page["page"]) == (MANY, 8, 1)
    assert page["prev_page_url"] is None
    while True:
        seen += [one["hash"] for one in page["data"]]
        link = page["next_page_url"]
        if link is None:
            break
        assert link.startswith(f"{PUBLIC}/api/v1/transactions/address/{checksummed(BEA)}?")
        page = explored.read(f"transactions/address/{checksummed(BEA)}?{link.partition('?')[2]}")
        assert page["prev_page_url"].endswith(f"page_size=20&page={page['page'] - 1}")
    made = [one.hash for mined in explored.chain.blocks for one in mined.transactions]
    assert seen == [f"0x{one.hex()}" for one in made[::-1]]
    oldest = explored.read("transactions", sort="timestamp", page_size=100)
    assert [one["hash"] for one in oldest["data"]] == seen[::-1][:100]
    beyond = explored.read("transactions", page=1_000_000_000, page_size=100)
    assert (beyond["data"], beyond["next_page_url"]) == ([], None)
    assert beyond["prev_page_url"].endswith("page=2")


def test_links_are_never_made_of_the_header_host(explored: Explored) -> None:
    explored.chain.block(pay(1), pay(2))
    explored.index()
    answer = explored.app.http.get(
        "/api/v1/transactions?page_size=1&sort=-timestamp&address=" + checksummed(ANN),
        headers=explored.headers | {"Host": "localhost", "X-Forwarded-Host": "evil.example"},
    )
    told = answer.json()
    end = quote_plus(told["data"][0]["block_timestamp"])
    assert told["next_page_url"] == (
        f"{PUBLIC}/api/v1/transactions?to_date={end}&page_size=1&sort=-timestamp"
        f"&address={checksummed(ANN)}&page=2"
    )


def test_pages_hold_still_while_blocks_come(explored: Explored) -> None:
    explored.chain.block(*(pay(number) for number in range(1, 6)))
    explored.index()
    page = explored.read("transactions", page_size=2)
    seen = [one["hash"] for one in page["data"]]
    while page["next_page_url"] is not None:
        explored.chain.block(pay(9))
        explored.index()
        page = explored.read(f"transactions?{page['next_page_url'].partition('?')[2]}")
        seen += [one["hash"] for one in page["data"]]
    assert len(seen) == len({*seen}) == page["total_results"]


@pytest.mark.parametrize("whose", ["", checksummed(BEA)])
def test_dates_are_those_of_blocks_and_both_are_within(whose: str, explored: Explored) -> None:
    for number in range(5):
        explored.chain.block(pay(number + 1))
    explored.index()

    def numbers(**dates: str) -> list[int]:
        query = {"sort": "timestamp", **dates} | ({"address": whose} if whose else {})
        found = explored.read("transactions", **query)
        assert found["total_results"] == len(found["data"])
        return [one["block_number"] - FIRST_BLOCK for one in found["data"]]

    def at(seconds: str) -> str:
        return f"2026-04-30T12:00:{seconds}"

    assert numbers() == [0, 1, 2, 3, 4]
    assert numbers(from_date=at("12Z")) == [1, 2, 3, 4]
    assert numbers(from_date=at("12.000001Z")) == [2, 3, 4]
    assert numbers(to_date=at("24Z")) == [0, 1, 2]
    assert numbers(to_date=at("23.999Z")) == [0, 1]
    assert numbers(from_date="2026-04-30T14:00:12+02:00", to_date=at("24z")) == [1, 2]
    assert numbers(from_date="2030-01-01T00:00:00Z") == []
    assert numbers(to_date="0001-01-01T00:00:00Z") == []


def test_a_block_is_told_once_it_is_indexed_and_not_when_another_takes_its_place(
    explored: Explored,
) -> None:
    explored.chain.block()
    mined = [explored.chain.block(pay(number)) for number in range(1, 4)]
    hashes = [f"0x{one.transactions[0].hash.hex()}" for one in mined]
    assert error_of(explored.get(f"transactions/{hashes[0]}")) == 404
    assert error_of(explored.get(f"blocks/{FIRST_BLOCK}")) == 404
    explored.index()
    assert explored.read(f"transactions/{hashes[0]}")["block_number"] == FIRST_BLOCK + 1
    explored.chain.forget(3)
    for number in range(4):
        explored.chain.block(pay(10 + number))
    explored.index()
    for hashed in hashes:
        assert error_of(explored.get(f"transactions/{hashed}")) == 404
    assert explored.read("transactions")["total_results"] == 4


def test_health_says_how_late_it_is(explored: Explored) -> None:
    nothing = explored.read("health")
    process = {name: nothing[name] for name in ("version", "uptime")}
    assert nothing == {
        "status": "degraded",
        "last_indexed_block": None,
        "last_indexed_timestamp": None,
        "chain_tip_block": None,
        "ingestion_lag_seconds": None,
        **process,
    }
    for _ in range(CONFIRMATIONS + 1):
        explored.chain.block()
    explored.index(CONFIRMATIONS)
    assert (
        explored.read("health").items()
        >= {
            "status": "ok",
            "last_indexed_block": FIRST_BLOCK,
            "last_indexed_timestamp": "2026-04-30T12:00:00Z",
            "chain_tip_block": FIRST_BLOCK + CONFIRMATIONS,
            "ingestion_lag_seconds": 144,
        }.items()
    )
    assert '"ingestion_lag_seconds":144.0' in explored.get("health").text
    for _ in range(CONFIRMATIONS):
        explored.chain.block()
    assert explored.read("health")["status"] == "ok"
    explored.chain.block()
    late = explored.read("health")
    assert (late["status"], late["ingestion_lag_seconds"]) == ("degraded", 300)


@pytest.mark.parametrize("token", [USDC, WETH, USDT])
def test_tokens_have_their_names(token: Any, explored: Explored) -> None:
    for text in (checksummed(token.address), f"0x{token.address.hex()}"):
        told = explored.read(f"tokens/{text}")
        assert told["contract_address"] == checksummed(token.address)
        assert (told["symbol"], told["decimals"]) == (token.symbol, token.decimals)
    assert explored.read(f"tokens/{checksummed(POSITION_MANAGER)}") == {
        "contract_address": checksummed(POSITION_MANAGER),
        "symbol": "UNI-V3-POS",
        "name": "Uniswap V3 Positions NFT-V1",
        "decimals": 0,
    }


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"transactions/{NOWHERE}", 404),
        ("transactions/0x12", 400),
        (f"transactions/{NOWHERE[2:]}", 400),
        ("blocks/99999999", 404),
        ("blocks/-1", 400),
        ("blocks/latest", 400),
        ("blocks/" + "9" * 19, 400),
        (f"tokens/{checksummed(ANN)}", 404),
        ("tokens/USDC", 400),
        ("transactions/address/0x12", 400),
        ("transactions?address=0x12", 400),
        ("transactions?page_size=0", 400),
        ("transactions?page_size=101", 400),
        ("transactions?page_size=1e2", 400),
        ("transactions?page_size=", 400),
        ("transactions?page=0", 400),
        ("transactions?page=1000000001", 400),
        ("transactions?page=1&page=2", 400),
        ("transactions?sort=value", 400),
        ("transactions?pageSize=2", 400),
        ("transactions?from_date=2026-04-01", 400),
        ("transactions?from_date=2026-04-01T00:00:00", 400),
        ("transactions?from_date=2026-04-02T00:00:00Z&to_date=2026-04-01T00:00:00Z", 400),
        (f"transactions/{NOWHERE}?raw=1", 400),
    ],
)
def test_what_is_not_there_is_404_and_what_cannot_be_is_400(
    path: str, status: int, explored: Explored
) -> None:
    assert error_of(explored.get(path)) == status


PROVOKING = {
    ("getChainTransactions", 400): "transactions?page_size=101",
    ("getTransactionsOfAddress", 400): "transactions/address/0x12",
    ("getChainTransaction", 400): "transactions/0x12",
    ("getChainTransaction", 404): f"transactions/{NOWHERE}",
    ("getBlock", 400): "blocks/latest",
    ("getBlock", 404): "blocks/1",
    ("getToken", 400): "tokens/0x12",
    ("getToken", 404): f"tokens/{checksummed(ANN)}",
}


def test_the_refusals_that_the_document_shows_are_the_ones_that_are_given(
    explored: Explored,
) -> None:
    shown = {(operation, status) for operation, told in EXAMPLES.items() for status in told}
    assert shown == set(PROVOKING)
    for (operation, status), path in PROVOKING.items():
        answer = explored.get(path)
        assert answer.status_code == status
        assert answer.json() == error_body(*EXAMPLES[operation][status])
