"""How a droid stands, as it is told: with what its session says, from the first moment on."""

from collections.abc import Iterator

import pytest

from tests.api.browsers import close_all
from tests.api.deployment import Deployment
from tests.api.droid_owners import Owner, owner, session_of, with_rows


@pytest.fixture
def olga(paddock: Deployment) -> Iterator[Owner]:
    yield owner(paddock, ETH="2")
    close_all()


def test_figures_that_nobody_has_reckoned_yet_are_those_of_the_beginning(
    olga: Owner, paddock: Deployment
) -> None:
    number = olga.droid()
    assert olga.sees(number)["figures"] is None
    olga.sets(number, 1)
    begun = {
        "status": "RUNNING", "note": None, "walletAddress": None, "equityUSD": 50_000,
        "feesEarnedUSD": 0, "gasSpentUSD": 0, "impermanentLossUSD": 0,
    }  # fmt: skip
    assert olga.sees(number)["figures"] == begun
    paddock.database.execute(
        "INSERT INTO droid_states (session_id, epoch, block_number, revision, mind, figures)"
        " VALUES (%s, 1, 0, 0, '', '{}')",
        (session_of(paddock, number)[0],),
    )
    assert olga.sees(number)["figures"] == begun
    assert olga.sees(number)["droid"]["gasSpentUSD"] == 0


def test_figures_say_what_the_session_says(olga: Owner, paddock: Deployment) -> None:
    number = olga.droid()
    olga.sets(number, 1)
    with_rows(paddock, number, session_of(paddock, number)[0])
    paddock.database.execute(
        "UPDATE droid_sessions SET status = 'STOPPED', note = 'GAS_PRICE', ended = true"
        " WHERE droid_id = %s",
        (number,),
    )
    shown = olga.sees(number)
    query = {"droidId": str(number)}
    told = olga.http.get("/api/devbe/data/droidPerformance", params=query).json()
    for one in (shown["sessions"][0], shown["figures"], told):
        assert (one["status"], one["note"]) == ("STOPPED", "GAS_PRICE")
