"""The data service and the script runner: a closed list of readings, each to who may see it."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from sim.chain.addresses import checksummed
from sim.chain.keys import sign
from sim.chain.signatures import personal_digest
from tests.api.browsers import close_all, error_of
from tests.api.deployment import Deployment
from tests.api.droid_owners import (
    CHAIN_BLOCK,
    Owner,
    owner,
    sent_as_it_stands,
    session_of,
    with_pool,
)

USDC = bytes.fromhex("A0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48")
BLOCK_TIME_S = 1_777_626_000
WALLET = 'curl "https://<host>/api/devbe/data/walletSummary?walletId=1" \\\n  -b cookies.txt'
VERIFY = (
    'curl "https://<host>/api/devbe/run/verifySignature?address=0xd8dA...&message=hello'
    '&signature=0xsig..." \\\n  -b cookies.txt'
)
SIGNED = {
    "address": "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf",
    "message": "hello",
}


@pytest.fixture
def olga(paddock: Deployment) -> Iterator[Owner]:
    yield owner(paddock, ETH="2")
    close_all()


@pytest.fixture
def otto(paddock: Deployment, olga: Owner) -> Owner:
    return owner(paddock, ETH="2")


def data(who: Owner, name: str, **asked: Any) -> Any:
    answer = who.http.get(f"/api/devbe/data/{name}", params=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


def runs(who: Owner, name: str, **asked: Any) -> Any:
    answer = who.http.get(f"/api/devbe/run/{name}", params=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_documented_requests_as_they_stand(olga: Owner) -> None:
    number = olga.droid()
    told = sent_as_it_stands(WALLET.replace("=1", f"={number}"), olga)
    assert (told.status_code, told.json()) == (
        200,
        {
            "walletId": number, "address": None, "ether": 0, "transactionsSent": 0, "tokens": [],
            "positions": [],
        },
    )  # fmt: skip
    checked = sent_as_it_stands(VERIFY, olga)
    assert (checked.status_code, checked.json()["valid"]) == (200, False)


@pytest.mark.parametrize(
    ("pool", "price", "tick"),
    [
        (42, "2500", 198_079), (43, "2500", -198_080), (42, "3198", 195_617),
        (43, "3198", -195_618), (42, "3215.5", 195_562), (42, "4000", 193_379),
        (43, "4000", -193_380),
    ],
)  # fmt: skip
def test_prices_and_ticks(pool: int, price: str, tick: int, olga: Owner) -> None:
    assert runs(olga, "priceToTick", poolId=pool, price=price)["tick"] == tick
    back = runs(olga, "tickToPrice", poolId=pool, tick=tick)
    assert abs(back["price"] / float(price) - 1) < 0.0002


def test_a_signature_is_checked(olga: Owner) -> None:
    """Of the key whose number is 1."""

    made = sign(personal_digest(b"hello"), (1).to_bytes(32))
    text = f"0x{made.r:064x}{made.s:064x}{made.y_parity + 27:02x}"
    assert runs(olga, "verifySignature", **SIGNED, signature=text)["valid"] is True
    other = SIGNED | {"message": "hello "}
    assert runs(olga, "verifySignature", **other, signature=text)["valid"] is False
    assert runs(olga, "verifySignature", **SIGNED, signature=text[:-2])["valid"] is False


def test_a_query_that_is_not_utf8_is_another_message_and_refused(olga: Owner) -> None:
    signed = "&".join(f"{name}={value}" for name, value in (SIGNED | {"message": "%FF"}).items())
    for path in (
        f"/api/devbe/run/verifySignature?{signed}&signature=0x",
        "/api/devbe/data/walletSummary?walletId=%C3%28",
        "/api/droids?cursor=%FF",
        "/api/auth/me?x=%E2%82",
    ):
        answer = olga.http.get(path)
        assert (error_of(answer), answer.json()["error"]) == (400, "The query is not UTF-8")
    assert olga.person.get("/orders?cursor=%FF").json()["error"]["code"] == "INVALID_REQUEST"
    euro = f"/api/devbe/run/verifySignature?{signed.replace('%FF', '%E2%82%AC')}&signature=0x"
    assert olga.http.get(euro).json()["message"] == "€"


def test_gas_of_a_time_that_ends_before_it_begins_is_refused(olga: Owner) -> None:
    query = {"walletId": str(olga.droid()), "from": "2026-05-02T00:00:00Z"}
    before = query | {"to": "2026-05-01T23:59:59Z"}
    answer = olga.http.get("/api/devbe/data/gasSummary", params=before)
    said = "to: must be at least from, which is 2026-05-02T00:00:00Z"
    assert (error_of(answer), answer.json()["error"]) == (400, said)
    same = query | {"to": "2026-05-02T00:00:00Z"}
    assert olga.http.get("/api/devbe/data/gasSummary", params=same).status_code == 200


def test_what_is_in_a_pool_and_a_wallet(olga: Owner, paddock: Deployment) -> None:
    number, address = working(olga, paddock)
    told = data(olga, "walletSummary", walletId=number)
    assert told == {
        "walletId": number, "address": checksummed(address), "ether": 0.18, "transactionsSent": 4,
        "tokens": [{"symbol": "USDC", "amount": 1234.5}],
        "positions": [{
            "tokenId": number, "poolId": 42, "lowerTick": 195_000, "upperTick": 195_600,
            "liquidity": 9928007477293465,
        }],
    }  # fmt: skip
    pool = data(olga, "poolSummary", poolId=42)
    assert pool.items() >= {"poolId": 42, "price": 3215.5, "blockNumber": CHAIN_BLOCK}.items()
    assert pool["amounts"] == {"USDC": 25_000_000, "WETH": 10_000}
    assert data(olga, "poolSummary", poolId=43)["blockNumber"] is None


def test_how_a_droid_has_done_and_what_its_gas_has_cost(olga: Owner, paddock: Deployment) -> None:
    number, _ = working(olga, paddock)
    told = data(olga, "droidPerformance", droidId=number)
    assert told == {
        "droidId": number, "active": 1, "fundedUSD": 50_000, "status": "RUNNING", "note": None,
        "equityUSD": 50312.77, "feesEarnedUSD": 0, "gasSpentUSD": 0,
        "impermanentLossUSD": 0, "sessions": 1, "bots": 1, "openBots": 1,
    }  # fmt: skip
    paid = {
        "walletId": number, "transactions": 2, "failed": 1, "gasFeeETH": 0.003, "gasFeeUSD": 9.65,
    }  # fmt: skip
    assert data(olga, "gasSummary", droidId=number) == paid
    assert data(olga, "gasSummary", walletId=number) == paid
    until = {"to": "2026-05-01T08:59:59Z"}
    assert data(olga, "gasSummary", walletId=number, **until)["transactions"] == 0
    since = {"from": "2026-05-01T09:00:00.000Z"}
    assert data(olga, "gasSummary", walletId=number, **since) == paid


def test_what_a_position_is_worth(olga: Owner, otto: Owner, paddock: Deployment) -> None:
    number, _ = working(olga, paddock)
    position_id = f"0x{number:064x}"
    told = runs(olga, "positionValue", positionId=position_id)
    assert told.items() >= {"droidId": number, "status": "ACTIVE", "inRange": True}.items()
    worth = told["token0Positions"] * 3215.5 + told["token1Positions"]
    assert abs(worth / told["valueUSD"] - 1) < 0.01
    foreign = otto.http.get("/api/devbe/run/positionValue", params={"positionId": position_id})
    missing = otto.http.get("/api/devbe/run/positionValue", params={"positionId": "0x" + "f" * 64})
    assert error_of(foreign) == error_of(missing) == 404
    assert foreign.content == missing.content


def test_s23_others_see_nothing_and_only_operators_ask(
    olga: Owner, otto: Owner, paddock: Deployment
) -> None:
    number, _ = working(olga, paddock)
    for path in (
        f"walletSummary?walletId={number}",
        f"droidPerformance?droidId={number}",
        f"gasSummary?walletId={number}",
    ):
        foreign = otto.http.get(f"/api/devbe/data/{path}")
        missing = otto.http.get(f"/api/devbe/data/{path.partition('=')[0]}=999999999")
        assert error_of(foreign) == error_of(missing) == 404
        assert foreign.content == missing.content
        adam = owner(paddock, "ADMIN")
        assert adam.http.get(f"/api/devbe/data/{path}").status_code == 200
        trader = owner(paddock, "TRADER")
        assert error_of(trader.http.get(f"/api/devbe/data/{path}")) == 403


@pytest.mark.parametrize(
    "name",
    [
        "GetDroidAUM", "walletsummary", "walletSummary ", "verifySignature", "%2e%2e%2fetc",
        ";id", "$(id)", "__import__", "__class__", "read", "",
    ],
)  # fmt: skip
def test_s23_an_unknown_name_is_404(name: str, olga: Owner) -> None:
    answer = olga.http.get(f"/api/devbe/data/{name}", params={"walletId": "1"})
    assert error_of(answer) == 404
    if name != "verifySignature":
        assert error_of(olga.http.get(f"/api/devbe/run/{name}")) == 404


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("data/walletSummary", "walletId: is missing"),
        ("data/walletSummary?walletId=x", "walletId: must be a whole number"),
        ("data/walletSummary?walletId=0", "walletId: must be 1 or more"),
        ("data/walletSummary?walletId=" + "9" * 40, "walletId: must be"),
        ("data/walletSummary?walletId=1&walletId=2", "names a field twice"),
        ("data/walletSummary?walletId=1&x=2", "x: is not a field of this request"),
        ("data/poolSummary?poolId=44", "poolId: must be one of 42, 43"),
        ("data/droidPerformance?walletId=1", "droidId: is missing"),
        ("data/gasSummary", "walletId or droidId must be given"),
        ("data/gasSummary?walletId=1&droidId=1", "walletId or droidId must be given"),
        ("data/gasSummary?walletId=1&from=yesterday", "from: must be a time such as"),
        ("run/verifySignature?message=x&signature=0x", "address: is missing"),
        (
            f"run/verifySignature?address=0x&signature=0x&message={'x' * 2_001}",
            "message: must have",
        ),
        ("run/priceToTick?poolId=42", "price: is missing"),
        ("run/priceToTick?poolId=42&price=0", "price: must be one that a pool can have"),
        ("run/priceToTick?poolId=42&price=1e9", "price: must be a plain decimal"),
        ("run/priceToTick?poolId=7&price=1", "poolId: must be one of 42, 43"),
        ("run/tickToPrice?poolId=42&tick=887273", "tick: must be 887272 or less"),
        ("run/tickToPrice?poolId=42&tick=-887273", "tick: must be -887272 or more"),
        ("run/positionValue?positionId=0xabc", "positionId: must be 0x and 64 hexadecimal digits"),
    ],
)
def test_a_bad_argument_is_named(path: str, said: str, olga: Owner) -> None:
    refused = olga.http.get(f"/api/devbe/{path}")
    assert error_of(refused) == 400
    assert said in refused.json()["error"], refused.text


def test_the_ends_of_all_ticks_have_prices(olga: Owner) -> None:
    for pool in (42, 43):
        for tick in (-887_272, 887_272):
            answer = olga.http.get(f"/api/devbe/run/tickToPrice?poolId={pool}&tick={tick}")
            assert answer.status_code == 200
            assert re.search(r'"price":[0-9.]+\}', answer.text)


def working(olga: Owner, paddock: Deployment) -> tuple[int, bytes]:
    """A droid at work, as the chain and its actor have it; and its wallet's address."""
    with_pool(paddock)
    number = olga.droid()
    assert olga.sets(number, 1).status_code == 200
    session_id, address = session_of(paddock, number)[0], number.to_bytes(20)
    figures = {
        "status": "RUNNING",
        "wallet_address": f"0x{address.hex()}",
        "equity_usd": "50312.77",
    }
    execute = paddock.database.execute
    execute(
        "INSERT INTO droid_states (session_id, epoch, block_number, revision, mind, figures)"
        " VALUES (%s, 1, %s, 1, '{}', %s)",
        (session_id, CHAIN_BLOCK, json.dumps(figures)),
    )
    execute(
        "INSERT INTO droid_bots (droid_id, session_id, position_id, bucket, tick_lower, tick_upper,"
        " liquidity, status, opened_block)"
        " VALUES (%s, %s, %s, 325, 195000, 195600, 9928007477293465, 'ACTIVE', 1)",
        (number, session_id, number.to_bytes(32)),
    )
    execute(
        "INSERT INTO chain_accounts (address, nonce, wei) VALUES (%s, 4, 180000000000000000)",
        (address,),
    )
    execute("INSERT INTO chain_holdings VALUES (%s, %s, 1234500000)", (USDC, address))
    execute(
        "INSERT INTO chain_positions VALUES (%s, 42, %s, 195000, 195600, 9928007477293465)",
        (number, address),
    )
    with_gas(paddock, number, session_id)
    return number, address


def with_gas(paddock: Deployment, number: int, session_id: int) -> None:
    """A block with two of the droid's transactions, of which one failed, and its funding."""
    execute = paddock.database.execute
    execute(
        "INSERT INTO chain_blocks (number, hash, parent_hash, time_s, base_fee_wei, gas_used,"
        " eth_price_usd, pool_prices, header, pool_calls)"
        " VALUES (%s, %s, '', %s, 1, 1, 3215.5, '{}', '', '')"
        " ON CONFLICT DO NOTHING",
        (CHAIN_BLOCK, CHAIN_BLOCK.to_bytes(32), BLOCK_TIME_S),
    )
    for name, wallet, status, wei in (
        ("mint", f"droid-{number}", 1, 1_000_000_000_000_000),
        ("swap", f"droid-{number}", 2, 2_000_000_000_000_000),
        ("paid", "bridge", 1, 7_000_000_000_000_000),
    ):
        execute(
            "INSERT INTO chain_wishes (label, wallet, act, max_fee_wei, priority_fee_wei,"
            " last_block, status, block_number, outcome)"
            " VALUES (%s, %s, '{}', 1, 1, 1, %s, %s, %s)",
            (
                f"session/{session_id}/{name}",
                wallet,
                status,
                CHAIN_BLOCK,
                json.dumps({"gas_fee_wei": str(wei)}),
            ),
        )
