"""What running a droid takes from its account, and what it wishes of the chain; exactly once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from sim.money.ledger import CHAIN
from storage.droids.rows import DROIDS_MAX
from tests.api.browsers import close_all, error_of
from tests.api.deployment import DOCUMENTED_DROID, Deployment
from tests.api.droid_owners import Owner, end, owner, session_of, wishes_of
from tests.auditor import check_money

CLOSING = "The droid is closing its positions: wait until its session is STOPPED"
TOGETHER = 12


COPIED = """
INSERT INTO droids (owner_id, account_id, pool_id, config, active, resets, revision, created_at_us)
SELECT owner_id, account_id, pool_id, config, 0, 0, 0, 0
FROM droids, generate_series(1, %s) WHERE id = %s"""


@pytest.fixture
def olga(paddock: Deployment) -> Iterator[Owner]:
    yield owner(paddock, ETH="2", USDT="1000")
    close_all()
    check_money(paddock.database)


@pytest.fixture
def adam(paddock: Deployment, olga: Owner) -> Owner:
    return owner(paddock, "ADMIN", ETH="2")


def test_a_session_takes_its_funding_and_gas_and_wishes_them_into_the_droids_wallet(
    olga: Owner, paddock: Deployment
) -> None:
    number = olga.droid()
    assert olga.money == {"USDC": "200000", "ETH": "2", "USDT": "1000"}
    assert olga.sets(number, 1).json() == {"id": number, "active": 1}
    assert olga.money == {"USDC": "150000", "ETH": "1.8", "USDT": "1000"}
    assert sorted(olga.ledger[:2]) == [("TO_CHAIN", "ETH", "-0.2"), ("TO_CHAIN", "USDC", "-50000")]
    session_id, *standing = session_of(paddock, number)
    assert standing == ["RUNNING", False, 50_000_000_000]
    wallet = f"droid-{number}"
    assert wishes_of(paddock, session_id) == {
        "fund/quote": {
            "kind": "transfer", "token": "USDC", "to": wallet, "amount": "50000000000",
        },
        "fund/ether": {"kind": "send", "to": wallet, "wei": "200000000000000000"},
    }  # fmt: skip
    bounds = paddock.database.execute(
        "SELECT DISTINCT max_fee_wei, priority_fee_wei, last_block, status FROM chain_wishes"
        " WHERE starts_with(label, %s)",
        (f"session/{session_id}/",),
    ).fetchall()
    assert bounds == [(10**12, 10**9, 2**62, 0)]


def test_what_is_on_the_chain_faces_an_account_of_the_house(
    olga: Owner, paddock: Deployment
) -> None:
    before = on_the_chain(paddock)
    olga.sets(olga.droid(poolId=43, fundingUSD=250.5), 1)
    assert olga.money == {"USDC": "200000", "ETH": "1.8", "USDT": "749.5"}
    after = on_the_chain(paddock)
    gained = {asset: after[asset] - before.get(asset, 0) for asset in after}
    assert {asset: atoms for asset, atoms in gained.items() if atoms} == {
        "ETH": 20_000_000,
        "USDT": 250_500_000,
    }
    name = paddock.database.execute("SELECT name FROM accounts WHERE id = %s", (CHAIN,)).fetchone()
    assert name == ("chain",)


def on_the_chain(paddock: Deployment) -> dict[str, int]:
    """What the ledger says that accounts have there."""
    rows = paddock.database.execute(
        "SELECT asset, sum(amount_atoms) FROM ledger_entries WHERE account_id = %s GROUP BY asset",
        (CHAIN,),
    )
    return {asset: int(atoms) for asset, atoms in rows}


def test_who_lacks_money_is_told_what_and_nothing_is_made(paddock: Deployment) -> None:
    poor = owner(paddock, usdc="49999.999999", ETH="0.1")
    number = poor.droid()
    refused = poor.sets(number, 1)
    assert error_of(refused) == 400
    assert refused.json()["error"] == (
        "Too little money: 50000 USDC is needed and 49999.999999 is free, 0.2 ETH is needed and 0.1"
        " is free; fundingUSD: must be at most 49999.999999"
    )
    assert poor.money == {"USDC": "49999.999999", "ETH": "0.1"}
    assert poor.sees(number)["sessions"] == []
    assert poor.sees(number)["droid"]["active"] == 0
    assert [kind for kind, _, _ in poor.ledger] == ["DEPOSIT", "DEPOSIT"]
    poor.person.post("/deposits", {"asset": "ETH", "amount": "0.1"})
    refused = poor.sets(number, 1)
    assert "USDC" in refused.json()["error"]
    assert "ETH" not in refused.json()["error"]
    poor.person.post("/deposits", {"asset": "USDC", "amount": "0.000001"})
    assert poor.sets(number, 1).status_code == 200
    assert poor.money == {"USDC": "0", "ETH": "0"}
    check_money(paddock.database)


def test_usdt_has_six_decimals_and_is_listed(olga: Owner) -> None:
    fine = olga.http.post("/api/deposits", json={"asset": "USDT", "amount": 1.0000001})
    assert error_of(fine) == 400
    assert "more than 6 decimals" in fine.json()["error"]
    olga.http.post("/api/deposits", json={"asset": "USDT", "amount": 0.000001})
    assert olga.money["USDT"] == "1000.000001"
    gone = olga.person.post("/withdrawals", {"asset": "USDT", "amount": "1000.000001"})
    assert (gone.status_code, gone.json()["total"]) == (201, "0")


def test_money_that_orders_need_is_not_there_for_droids(olga: Owner, paddock: Deployment) -> None:
    order = {
        "marketId": "BTC-PERP", "side": "BUY", "type": "LIMIT", "quantity": "2.5",
        "price": "65000", "leverage": 1,
    }  # fmt: skip
    assert olga.person.post("/orders", order).status_code == 202
    refused = olga.sets(olga.droid(), 1)
    assert error_of(refused) == 400
    assert "50000 USDC is needed" in refused.json()["error"]


def test_the_same_again_does_nothing_and_pausing_costs_nothing(
    olga: Owner, paddock: Deployment
) -> None:
    number = olga.droid()
    for active in (0, 1, 1, 0, 0, 1):
        assert olga.sets(number, active).json() == {"id": number, "active": active}
    assert len(olga.sees(number)["sessions"]) == 1
    assert olga.money["USDC"] == "150000"
    revision = paddock.database.execute("SELECT revision FROM droids WHERE id = %s", (number,))
    assert revision.fetchone() == (3,)


@pytest.mark.parametrize("sent", [-1, 4, 1.0, True, "1", None, [1], 10**40])
def test_what_active_may_be(sent: object, olga: Owner) -> None:
    number = olga.droid()
    refused = olga.sets(number, sent)
    assert error_of(refused) == 400
    assert "active" in refused.json()["error"]
    assert olga.sees(number)["droid"]["active"] == 0


def test_many_who_run_a_droid_at_once_open_one_session(olga: Owner) -> None:
    number = olga.droid()
    with ThreadPoolExecutor(TOGETHER) as threads:
        answers = list(threads.map(lambda _: olga.sets(number, 1), range(TOGETHER)))
    assert {answer.status_code for answer in answers} == {200}
    assert len(olga.sees(number)["sessions"]) == 1
    assert olga.money == {"USDC": "150000", "ETH": "1.8", "USDT": "1000"}


def test_many_droids_at_once_take_no_more_than_there_is(olga: Owner) -> None:
    numbers = [olga.droid(fundingUSD=60_000) for _ in range(TOGETHER)]
    with ThreadPoolExecutor(TOGETHER) as threads:
        answers = list(threads.map(lambda number: olga.sets(number, 1), numbers))
    assert sorted(answer.status_code for answer in answers) == [200] * 3 + [400] * (TOGETHER - 3)
    assert olga.money == {"USDC": "20000", "ETH": "1.4", "USDT": "1000"}


def test_a_reset_is_for_a_new_session_and_reads_as_running(
    olga: Owner, adam: Owner, paddock: Deployment
) -> None:
    number = olga.droid()
    olga.sets(number, 1)
    olga.sets(number, 0)
    for resets in (1, 2):
        assert adam.sets(number, 2).json() == {"id": number, "active": 1}
        row = paddock.database.execute("SELECT resets, active FROM droids WHERE id = %s", (number,))
        assert row.fetchone() == (resets, 1)
    assert olga.money["USDC"] == "150000"
    assert adam.money["USDC"] == "200000"


def test_what_has_ended_begins_anew_and_what_ends_is_waited_for(
    olga: Owner, adam: Owner, paddock: Deployment
) -> None:
    number = olga.droid()
    olga.sets(number, 1)
    assert adam.sets(number, 3).json() == {"id": number, "active": 3}
    assert adam.sets(number, 3).status_code == 200
    for active in (0, 1):
        refused = olga.sets(number, active)
        assert (error_of(refused), refused.json()["error"]) == (409, CLOSING)
    assert error_of(adam.sets(number, 2)) == 409
    assert olga.changes(number, fundingUSD=60_000).status_code == 200
    assert olga.money["USDC"] == "150000"
    end(paddock, number)
    assert olga.sees(number)["sessions"][0]["stoppedAt"] == "1970-01-01T00:00:00.000Z"
    assert olga.sets(number, 1).status_code == 200
    assert [one["status"] for one in olga.sees(number)["sessions"]] == ["RUNNING", "STOPPED"]
    assert olga.money["USDC"] == "90000"
    end(paddock, number)
    assert olga.sees(number)["droid"]["active"] == 1
    assert olga.changes(number, fundingUSD=1_000).status_code == 200
    assert olga.sets(number, 1).status_code == 200
    assert len(olga.sees(number)["sessions"]) == 3
    assert olga.money["USDC"] == "89000"


def looked(paddock: Deployment, droid_id: int, revision: int, note: str | None = None) -> None:
    """As the droid's actor keeps a look at a block's end, when its first session had begun."""
    session_id = session_of(paddock, droid_id)[0]
    paddock.database.execute(
        "INSERT INTO droid_states (session_id, epoch, block_number, revision, mind, figures)"
        """ VALUES (%s, 1, 0, %s, '{"resets": 0, "mind": {"session": 1}}', '{}')"""
        " ON CONFLICT (session_id) DO UPDATE SET revision = excluded.revision",
        (session_id, revision),
    )
    paddock.database.execute(
        "UPDATE droid_sessions SET note = %s WHERE id = %s", (note, session_id)
    )


def test_a_droid_without_ether_gets_more_once_however_often_it_is_run(
    olga: Owner, paddock: Deployment
) -> None:
    number = olga.droid()
    olga.sets(number, 1)
    looked(paddock, number, 1, "NO_ETH")
    with ThreadPoolExecutor(TOGETHER) as threads:
        answers = list(threads.map(lambda _: olga.sets(number, 1), range(TOGETHER)))
    assert {answer.status_code for answer in answers} == {200}
    assert olga.money["ETH"] == "1.6"
    looked(paddock, number, 1, "NO_ETH")  # a look that began before it was asked
    olga.changes(number, maxBots=4)
    olga.sets(number, 1)
    assert olga.money["ETH"] == "1.6"
    looked(paddock, number, 2, "NO_ETH")
    for _ in range(2):
        olga.sets(number, 1)
        assert olga.money["ETH"] == "1.4"


def test_a_reset_is_not_paused_before_it_is_done(
    olga: Owner, adam: Owner, paddock: Deployment
) -> None:
    number = olga.droid()
    olga.sets(number, 1)
    looked(paddock, number, 1)
    assert adam.sets(number, 2).json() == {"id": number, "active": 1}
    refused = olga.sets(number, 0)
    assert (error_of(refused), refused.json()["error"]) == (409, CLOSING)
    assert olga.sets(number, 1).json() == {"id": number, "active": 1}
    assert adam.sets(number, 2).status_code == 200
    paddock.database.execute(
        "UPDATE droid_states SET mind = jsonb_set(mind::jsonb, '{resets}', '2')"
        " WHERE session_id = %s",
        (session_of(paddock, number)[0],),
    )
    assert olga.sets(number, 0).json() == {"id": number, "active": 0}
    assert adam.sets(number, 2).status_code == 200
    assert adam.sets(number, 3).status_code == 200
    assert olga.money["USDC"] == "150000"


def test_more_funding_is_taken_once_and_less_gives_nothing_back(
    olga: Owner, paddock: Deployment
) -> None:
    number = olga.droid()
    assert olga.changes(number, fundingUSD=40_000).json() == {"id": number, "fundingUSD": 40_000}
    assert olga.money["USDC"] == "200000"
    olga.sets(number, 1)
    for funding, left in ((45_000.5, "154999.5"), (30_000, "154999.5"), (45_000.75, "154999.25")):
        assert olga.changes(number, fundingUSD=funding).status_code == 200
        assert olga.money["USDC"] == left
    session_id, *_, funded = session_of(paddock, number)
    assert funded == 45_000_750_000
    acts = {
        label: act["amount"]
        for label, act in wishes_of(paddock, session_id).items()
        if label not in ("fund/quote", "fund/ether")
    }
    assert acts == {"fund/3": "5000500000", "fund/5": "250000"}


def test_funding_that_the_account_lacks_leaves_the_droid_as_it_was(
    olga: Owner, paddock: Deployment
) -> None:
    number = olga.droid()
    olga.sets(number, 1)
    before = olga.sees(number)
    refused = olga.changes(number, fundingUSD=200_000.000001, maxBots=9)
    assert error_of(refused) == 400
    assert refused.json()["error"] == (
        "Too little money: 150000.000001 USDC is needed and 150000 is free; fundingUSD: must be at"
        " most 200000"
    )
    assert olga.sees(number) == before
    assert olga.money["USDC"] == "150000"
    assert session_of(paddock, number)[3] == 50_000_000_000


def test_a_budget_that_is_spent_can_be_raised(olga: Owner) -> None:
    number = olga.droid()
    olga.sets(number, 1)
    changed = olga.changes(number, gasBudgetLimit=500.5)
    assert (changed.status_code, changed.json()) == (200, {"id": number, "gasBudgetLimit": 500.5})
    assert olga.sees(number)["droid"]["gasBudgetLimit"] == 500.5


def test_two_fundings_at_once_take_what_the_higher_one_asks_for(olga: Owner) -> None:
    number = olga.droid()
    olga.sets(number, 1)

    def funds(funding: int) -> httpx.Response:
        return olga.changes(number, fundingUSD=funding)

    with ThreadPoolExecutor(TOGETHER) as threads:
        answers = list(threads.map(funds, [60_000, 70_000] * (TOGETHER // 2)))
    assert {answer.status_code for answer in answers} == {200}
    assert olga.money["USDC"] == "130000"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "Say what changes, such as maxBots"),
        ({"maxBots": None}, "Say what changes, such as maxBots"),
        ({"maxBots": 101}, "maxBots: must be at least 1 and at most 100"),
        ({"minPrice": 4000}, "minPrice: must be below maxPrice, which is 4000"),
        ({"minPrice": 3999}, "a bucket lies within the bounds"),
        ({"maxGasPrice": 0.5}, "txPriority: must be at most maxGasPrice, which is 0.5"),
        ({"txPriority": 0.0000000001}, "txPriority: must have at most 9 decimals"),
        ({"gasBudgetLimit": 0}, "gasBudgetLimit: must be above 0"),
        ({"poolId": 43}, "poolId: is not a field of this request"),
        ({"triggerType": "SPOT"}, "triggerType: is not a field of this request"),
        ({"resets": 1}, "resets: is not a field of this request"),
    ],
)
def test_a_config_is_checked_with_what_was_there(
    fields: dict[str, object], said: str, olga: Owner
) -> None:
    number = olga.droid()
    before = olga.sees(number)
    refused = olga.changes(number, **fields)
    assert error_of(refused) == 400
    assert said in refused.json()["error"]
    assert olga.sees(number) == before


def test_without_a_chain_no_money_leaves_an_account(olga: Owner, paddock: Deployment) -> None:
    number, before = olga.droid(), olga.money
    paddock.database.execute("CREATE TABLE kept_head AS SELECT * FROM chain_head")
    paddock.database.execute("DELETE FROM chain_head")
    refused = olga.sets(number, 1)
    paddock.database.execute("INSERT INTO chain_head SELECT * FROM kept_head")
    paddock.database.execute("DROP TABLE kept_head")
    assert (refused.status_code, refused.json()["code"]) == (409, "409")
    assert "has no chain" in refused.json()["error"]
    assert olga.money == before
    assert olga.sets(number, 1).status_code == 200


def test_a_user_makes_so_many_droids_and_no_more(olga: Owner, paddock: Deployment) -> None:
    paddock.database.execute(COPIED, (DROIDS_MAX - 1, olga.droid()))
    refused = olga.makes()
    assert (refused.status_code, refused.json()["code"]) == (409, "409")
    assert f"at most {DROIDS_MAX} droids" in refused.json()["error"]


def test_the_account_that_made_a_droid_pays_for_it(olga: Owner, paddock: Deployment) -> None:
    sent = {"name": "droids", "balances": {"USDC": "60000"}}
    other = olga.person.post("/accounts", sent).json()["id"]
    chosen = {"x-account": other}
    headers = olga.person.headers | chosen
    given = {"asset": "ETH", "amount": "1"}
    assert olga.person.http.post("/deposits", json=given, headers=headers).status_code == 201
    before = olga.money
    made = olga.http.post("/api/droids", json=DOCUMENTED_DROID, headers=chosen)
    assert olga.sets(made.json()["id"], 1).status_code == 200
    assert olga.money == before
    rows = olga.person.http.get("/balances", headers=headers).json()
    assert {row["asset"]: row["total"] for row in rows} == {"USDC": "10000", "ETH": "0.8"}
    foreign = {"x-account": "account_1"}
    refused = olga.http.post("/api/droids", json=DOCUMENTED_DROID, headers=foreign)
    assert refused.status_code == 404
