"""What droids hold is money of their account: it neither begins anew nor is put away meanwhile."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.api.browsers import close_all
from tests.api.deployment import DOCUMENTED_DROID, Deployment, error_of
from tests.api.droid_owners import Owner, end, owner
from tests.auditor import check_money

HELD = "Droids hold money of this account: close them, and wait until their sessions are STOPPED"
FUNDING = {"USDC": "50000", "ETH": "0.2"}
TIMES = 6


@pytest.fixture
def olga(paddock: Deployment) -> Iterator[Owner]:
    yield owner(paddock, usdc="50000", ETH="0.2")
    close_all()
    check_money(paddock.database)


def held(answer: httpx.Response) -> None:
    assert error_of(answer) == (409, "ACCOUNT_NOT_FLAT")
    assert answer.json()["error"]["message"] == HELD


def test_an_account_is_not_reset_before_its_droids_have_given_back(
    olga: Owner, paddock: Deployment
) -> None:
    number = olga.droid()
    assert olga.person.post("/account/reset", {"balances": FUNDING}).status_code == 200
    olga.sets(number, 1)
    held(olga.person.post("/account/reset", {"balances": FUNDING}))
    olga.sets(number, 0)
    held(olga.person.post("/account/reset", {"balances": FUNDING}))
    assert olga.money == {"USDC": "0", "ETH": "0"}
    end(paddock, number)
    assert olga.person.post("/account/reset", {"balances": FUNDING}).status_code == 200
    assert olga.money == FUNDING


def test_an_account_is_not_archived_before_its_droids_have_given_back(
    olga: Owner, paddock: Deployment
) -> None:
    paper = olga.person.opened("droids", **FUNDING)
    chosen = {"x-account": paper.account_name}
    made = olga.http.post("/api/droids", json=DOCUMENTED_DROID, headers=chosen).json()["id"]
    olga.sets(made, 1)
    path = f"/accounts/{paper.account}"
    held(olga.person.patch(path, {"archived": True}))
    held(olga.person.post(f"{path}/reset"))
    assert olga.person.post("/account/reset").status_code == 200
    end(paddock, made)
    assert olga.person.patch(path, {"archived": True}).status_code == 200


def test_who_runs_a_droid_and_resets_its_account_at_once_has_the_money_once(
    olga: Owner, paddock: Deployment
) -> None:
    number = olga.droid()
    both: list[Callable[[], httpx.Response]] = [
        lambda: olga.sets(number, 1),
        lambda: olga.person.post("/account/reset"),
    ]
    for _ in range(TIMES):
        with ThreadPoolExecutor(len(both)) as threads:
            run, reset = threads.map(lambda ask: ask(), both)
        assert sorted([run.status_code, reset.status_code]) in ([200, 400], [200, 409])
        assert set(olga.money.values()) == {"0"}
        end(paddock, number)
        assert olga.person.post("/account/reset", {"balances": FUNDING}).status_code == 200
        olga.sets(number, 0)
