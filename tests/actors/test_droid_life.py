"""A droid's actor on a real database and chain: it places, follows, survives, and gives back."""

import random
from collections.abc import Iterator
from decimal import Decimal

import psycopg
import pytest

from sim.droid.states import Active
from storage.postgres.database_roles import DatabaseUrls
from tests.actors.lived_chain import LivedChain, founded
from tests.actors.lived_droid import GAS_ATOMS, PRICE, LivedDroid, config, owned
from tests.builders import with_house_and_prices


@pytest.fixture
def lived(database_urls: DatabaseUrls) -> Iterator[LivedChain]:
    with psycopg.connect(database_urls.owner, autocommit=True) as connection:
        with_house_and_prices(connection)
        found = founded(database_urls, connection, PRICE, is_quiet=True)
        found.mined(2)
        yield found
        found.close()


@pytest.fixture
def droid(lived: LivedChain) -> Iterator[LivedDroid]:
    yield from owned(lived, config())


def test_a_droid_places_its_ladder(droid: LivedDroid) -> None:
    before = droid.money()
    droid.asked(Active.RUN)
    assert droid.money()["USDC"] == before["USDC"] - 50_000_000_000
    droid.lives(6)
    assert droid.session() == ("RUNNING", None, False)
    assert droid.open_buckets == [323, 324, 325, 326, 327]
    assert len(droid.positions_on_chain) == 5
    assert droid.lived.differences() == []
    assert 49_750 < Decimal(droid.figures["equity_usd"]) - Decimal("643.1") < 50_000


def test_a_price_that_fires_without_another_range_moves_nothing(droid: LivedDroid) -> None:
    droid.asked(Active.RUN)
    droid.lives(6)
    sent = droid.transactions
    droid.push("3390")  # 5 % up, and in the same bucket
    droid.lives(5)
    assert droid.transactions == sent


def test_it_follows_a_price_that_leaves_its_band(droid: LivedDroid) -> None:
    droid.asked(Active.RUN)
    droid.lives(6)
    droid.push("3050")
    droid.lives(8)
    assert droid.open_buckets == [324, 325, 326, 327, 328]
    droid.push("3300")
    droid.lives(8)
    assert droid.open_buckets == [323, 324, 325, 326, 327]
    assert droid.session() == ("RUNNING", None, False)
    assert Decimal(droid.figures["fees_earned_usd"]) > 0
    assert Decimal(droid.figures["impermanent_loss_usd"]) > 0


def test_all_of_it_comes_back(droid: LivedDroid) -> None:
    before = droid.money()
    droid.asked(Active.RUN)
    droid.lives(6)
    droid.asked(Active.CLOSE)
    droid.lives(8)
    assert droid.session() == ("STOPPED", None, True)
    assert droid.open_buckets == []
    after = droid.money()
    worth = after["USDC"] + Decimal(after["ETH"] - before["ETH"]) * Decimal("3215.5") / 100
    assert -300_000_000 < worth - before["USDC"] < 0  # fees of one swap, and gas
    assert droid.lived.differences() == []


@pytest.mark.parametrize("seed", range(2))
def test_a_droid_that_is_killed_at_every_stage_goes_on(droid: LivedDroid, seed: int) -> None:
    print(f"seed {seed}")
    dice = random.Random(seed)
    before = droid.money()
    droid.asked(Active.RUN)
    for price in ("", "3050", "3300", "2900"):
        if price:
            droid.push(price)
        for _ in range(8):
            if dice.random() < 0.6:
                droid.killed()
            if dice.random() < 0.3:
                droid.lived.restart()
            droid.lives(dice.randint(1, 2))
            assert droid.lived.differences() == []
            assert len(droid.open_buckets) <= 5
    minted = "SELECT opened_block, bucket FROM droid_bots GROUP BY 1, 2 HAVING count(*) > 1"
    assert droid.rows(minted) == []
    assert len(droid.positions_on_chain) == len(droid.open_buckets) == 5
    droid.asked(Active.CLOSE)
    for _ in range(12):
        droid.killed()
        droid.lives(1)
    assert droid.session() == ("STOPPED", None, True)
    assert droid.lived.differences() == []
    assert droid.brought_over() == {
        asset: before.get(asset, 0) - atoms for asset, atoms in droid.money().items()
    }


def test_a_paused_droid_sends_nothing_and_goes_on_noting(droid: LivedDroid) -> None:
    droid.asked(Active.RUN)
    droid.lives(6)
    droid.asked(Active.PAUSE)
    droid.lives(1)
    droid.killed()
    assert droid.session() == ("PAUSED", None, False)
    sent = droid.transactions
    droid.push("3050")
    droid.lives(5)
    assert droid.transactions == sent
    assert droid.name == "droids:paused"
    droid.asked(Active.RUN)
    droid.lives(1)
    droid.killed()
    droid.lives(7)
    assert droid.open_buckets == [324, 325, 326, 327, 328]


def test_a_reset_closes_all_and_begins_a_session_with_what_is_there(droid: LivedDroid) -> None:
    droid.asked(Active.RUN)
    droid.lives(6)
    money = droid.money()
    droid.asked(Active.RESET)
    droid.lives(8)
    assert droid.money() == money
    assert len(droid.open_buckets) == 5
    sessions = "SELECT status, ended FROM droid_sessions ORDER BY id"
    assert droid.rows(sessions) == [("STOPPED", True), ("RUNNING", False)]


def test_more_funding_places_all_anew(droid: LivedDroid) -> None:
    droid.asked(Active.RUN)
    droid.lives(6)
    droid.patched(funding_usd=Decimal(75_000))
    droid.lives(8)
    assert 74_000 < Decimal(droid.figures["equity_usd"]) < 76_000
    assert len(droid.open_buckets) == 5


def test_outside_its_bounds_it_sends_nothing_and_says_why(droid: LivedDroid) -> None:
    droid.asked(Active.RUN)
    droid.lives(6)
    sent = droid.transactions
    droid.push("4100")
    droid.lives(4)
    assert droid.session() == ("RUNNING", "OUT_OF_BOUNDS", False)
    assert droid.transactions == sent
    droid.patched(max_price=Decimal(4_500))
    droid.lives(8)
    assert droid.session() == ("RUNNING", None, False)
    assert droid.transactions > sent


def test_a_droid_without_ether_gets_more_where_it_is_asked_to_run(lived: LivedChain) -> None:
    dear = config(max_gas_price_gwei=Decimal(400), gas_budget_usd=None)
    for droid in owned(lived, dear):
        droid.asked(Active.RUN)
        droid.lives(3)
        assert droid.session() == ("RUNNING", "NO_ETH", False)
        before = droid.money()
        droid.asked(Active.RUN)
        droid.asked(Active.RUN)
        assert droid.money()["ETH"] == before["ETH"] - GAS_ATOMS
        droid.lives(4)
        assert droid.open_buckets != []
        assert droid.lived.differences() == []
        droid.asked(Active.CLOSE)
        droid.lives(8)
        assert droid.session() == ("STOPPED", None, True)


@pytest.mark.parametrize("blocks", range(4))
def test_what_is_closed_before_it_has_placed_closes_and_stops(
    droid: LivedDroid, blocks: int
) -> None:
    before = droid.money()
    droid.asked(Active.RUN)
    droid.lives(blocks)
    droid.asked(Active.CLOSE)
    seen = []
    for _ in range(9):
        droid.lives(1)
        seen.append(droid.session())
    assert [status for status, _, _ in seen] == sorted(status for status, _, _ in seen)
    assert {status for status, _, _ in seen} == {"CLOSING", "STOPPED"}
    assert seen[-1] == ("STOPPED", None, True)
    assert Decimal(droid.figures["equity_usd"]) == 0
    worth = droid.money()["USDC"] - before["USDC"]
    worth += (droid.money()["ETH"] - before["ETH"]) * 3_215 // 100
    assert -300_000_000 < worth <= 0


def test_a_droid_that_closes_is_lent_the_ether_that_it_lacks(lived: LivedChain) -> None:
    for droid in owned(lived, config(gas_budget_usd=None)):
        before = droid.money()
        droid.asked(Active.RUN)
        droid.lives(6)
        droid.patched(max_gas_price_gwei=Decimal(2_000))  # a closing could cost half an ether
        droid.asked(Active.CLOSE)
        droid.lives(30)
        assert droid.session() == ("STOPPED", None, True)
        lent = "SELECT count(*) FROM chain_wishes WHERE label LIKE '%%advance%%' AND status = 1"
        assert droid.rows(lent)[0][0] > 0
        assert droid.lived.differences() == []
        worth = droid.money()["USDC"] - before["USDC"]
        worth += (droid.money()["ETH"] - before["ETH"]) * 3_215 // 100
        assert -400_000_000 < worth < 0


def test_a_mean_of_ten_minutes_does_not_follow_one_block(lived: LivedChain) -> None:
    for droid in owned(lived, config(trigger_type="TWAP")):
        droid.asked(Active.RUN)
        droid.lives(6)
        sent = droid.transactions
        droid.push("3050")
        droid.lives(3)
        assert droid.transactions == sent
        droid.lives(60)
        assert droid.open_buckets == [324, 325, 326, 327, 328]
