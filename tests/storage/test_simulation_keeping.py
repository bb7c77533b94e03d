"""Which ended simulations are kept: nobody is locked out, and nobody's acts remove another's."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from storage.postgres.database import connect
from storage.runs import simulations
from storage.runs.simulation_keeping import LENT_S, NEVER_BEGAN_MAX, KeptLimits
from storage.runs.simulations import QueueLimits, SimulationStatus
from storage.upkeep.pruning import prune, would_prune
from tests.builders import KEPT, trader
from tests.simulations import (
    NO_LIMITS,
    begun,
    ended_one,
    listed,
    queue,
    stop,
    view,
    with_pool,
)

ALICE, BOB, CAROL = 1_000, 1_001, 1_002
USER_S, GUEST_S = 30 * 86_400, 86_400
SECOND_US = 1_000_000


@pytest.fixture
def database(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    with connect(database_url, "test") as connection:
        yield connection


def kept(own: int | None, everybodys: int = 100, users_an_address: int = 1) -> QueueLimits:
    return QueueLimits(None, 1_000, KeptLimits(own, everybodys, users_an_address, USER_S, GUEST_S))


def numbers(database_url: str, owner: int | None) -> list[int]:
    return [one.simulation_id for one in listed(database_url, owner)]


def kept_s(database_url: str, number: int) -> int:
    """How long after its end it stays."""
    seen = view(database_url, number)
    assert seen.kept_until_us is not None
    assert seen.ended_at_us is not None
    return (seen.kept_until_us - seen.ended_at_us) // SECOND_US


def forget(database_url: str, owner: int | None, number: int) -> bool:
    _, is_gone = with_pool(database_url, lambda pool: simulations.forget_one(pool, owner, number))
    return is_gone


def test_beyond_its_number_an_accounts_oldest_are_forgotten_with_all_they_left(
    database_url: str, database: psycopg.Connection[Any]
) -> None:
    made = [ended_one(database_url, database, ALICE, limits=kept(2)) for _ in range(4)]
    running = queue(database_url, ALICE, limits=kept(2))
    assert numbers(database_url, ALICE) == [running, *made[:1:-1]]
    pages = database.execute("SELECT simulation_id FROM simulation_reports").fetchall()
    assert pages == [(number,) for number in made[2:]]


def test_a_full_address_refuses_nobody_and_lends_to_newcomers(
    database_url: str, database: psycopg.Connection[Any]
) -> None:
    hers = [ended_one(database_url, database, ALICE, limits=kept(2)) for _ in range(2)]
    lent = ended_one(database_url, database, BOB, limits=kept(2))
    elsewhere = ended_one(database_url, database, CAROL, limits=kept(2), origin="elsewhere")
    times = [kept_s(database_url, number) for number in (*hers, lent, elsewhere)]
    assert times == [USER_S, USER_S, LENT_S, USER_S]


def test_who_has_its_own_number_replaces_its_oldest_whatever_others_keep(
    database_url: str, database: psycopg.Connection[Any]
) -> None:
    limits = kept(2, everybodys=2)
    hers = [ended_one(database_url, database, ALICE, limits=limits) for _ in range(3)]
    ended_one(database_url, database, BOB, limits=limits)
    newest = ended_one(database_url, database, ALICE, limits=limits)
    assert numbers(database_url, ALICE) == [newest, *hers[:0:-1]]
    assert kept_s(database_url, newest) == USER_S


def test_where_everybodys_number_is_reached_a_stranger_still_gets_in(
    database_url: str, database: psycopg.Connection[Any]
) -> None:
    limits = kept(2, everybodys=3)
    filled = [
        ended_one(database_url, database, account, limits=limits, origin=str(account))
        for account in (2_000, 2_000, 2_001, 2_001)
    ]
    stranger = ended_one(database_url, database, ALICE, limits=limits, origin="far")
    times = [kept_s(database_url, number) for number in (*filled, stranger)]
    assert times == [USER_S, USER_S, USER_S, LENT_S, LENT_S]
    admins = ended_one(database_url, database, CAROL, limits=kept(None, 1), origin="far")
    assert kept_s(database_url, admins) == USER_S


def test_nobodys_results_go_for_anybody_elses(
    database_url: str, database: psycopg.Connection[Any]
) -> None:
    limits = kept(2, everybodys=4)
    hers = [ended_one(database_url, database, ALICE, limits=limits) for _ in range(2)]
    for stranger in range(2_000, 2_006):
        for _ in range(3):
            ended_one(database_url, database, stranger, limits=limits)
    later_us = ended_at_us(database) + (LENT_S + 1) * SECOND_US
    prune(database, later_us, KEPT)
    assert numbers(database_url, ALICE) == hers[::-1]
    assert len(numbers(database_url, None)) == 2


def ended_at_us(database: psycopg.Connection[Any]) -> int:
    row = database.execute("SELECT max(ended_at_us) FROM simulations").fetchone()
    assert row is not None
    return int(row[0])


def test_what_ended_while_it_waited_makes_no_claim_and_goes_after_an_hour(
    database_url: str, database: psycopg.Connection[Any]
) -> None:
    """400 of them once locked out everybody of an address, for good."""
    result = ended_one(database_url, database, ALICE, limits=kept(3))
    for _ in range(NEVER_BEGAN_MAX + 3):
        stop(database_url, queue(database_url, ALICE, limits=kept(3)))
    newest = queue(database_url, ALICE, limits=kept(3))
    assert len(numbers(database_url, ALICE)) == 2 + NEVER_BEGAN_MAX
    database.execute("UPDATE simulations SET started_at_us = 1 WHERE id = %s", (newest,))
    stop(database_url, newest)
    newcomers = ended_one(database_url, database, BOB, limits=kept(3))
    assert kept_s(database_url, newcomers) == USER_S
    assert kept_s(database_url, numbers(database_url, ALICE)[1]) == LENT_S
    prune(database, ended_at_us(database) + (LENT_S + 1) * SECOND_US, KEPT)
    assert numbers(database_url, None) == [newcomers, newest, result]


def test_users_results_go_after_their_days_and_guests_after_one(
    database_url: str, database: psycopg.Connection[Any]
) -> None:
    user, guest = trader(database), trader(database)
    database.execute("UPDATE users SET password_hash = '!' WHERE id = %s", (guest,))
    users, guests = (
        ended_one(database_url, database, one, limits=kept(9, 99)) for one in (user, guest)
    )
    assert (kept_s(database_url, users), kept_s(database_url, guests)) == (USER_S, GUEST_S)
    waiting = queue(database_url, guest)
    end_us = ended_at_us(database)
    for later_s, left in (
        (GUEST_S - 60, [waiting, guests, users]),
        (GUEST_S + 1, [waiting, users]),
        (USER_S - 60, [waiting, users]),
        (USER_S + 1, [waiting]),
    ):
        at_us = end_us + later_s * SECOND_US
        told = would_prune(database, at_us, KEPT)["simulations"]
        assert told == prune(database, at_us, KEPT)["simulations"]
        assert numbers(database_url, None) == left
    assert database.execute("SELECT * FROM simulation_reports").fetchall() == []


def test_an_ended_one_is_forgotten_by_its_owner_or_an_admin_alone(
    database_url: str, database: psycopg.Connection[Any]
) -> None:
    first, second = (ended_one(database_url, database, ALICE) for _ in range(2))
    waiting = queue(database_url, ALICE)
    assert not forget(database_url, BOB, first)
    assert not forget(database_url, ALICE, waiting)
    assert forget(database_url, ALICE, first)
    assert not forget(database_url, ALICE, first)
    assert forget(database_url, None, second)
    assert numbers(database_url, ALICE) == numbers(database_url, None) == [waiting]
    assert database.execute("SELECT * FROM simulation_reports").fetchall() == []


def test_what_is_forgotten_makes_room(database_url: str, database: psycopg.Connection[Any]) -> None:
    hers = [ended_one(database_url, database, ALICE, limits=kept(2)) for _ in range(2)]
    assert forget(database_url, ALICE, hers[0])
    assert kept_s(database_url, ended_one(database_url, database, BOB, limits=kept(2))) == USER_S


def test_forgetting_wins_no_turn_and_its_trace_goes_after_a_day(
    database_url: str, database: psycopg.Connection[Any]
) -> None:
    greedy = ended_one(database_url, database, ALICE, origin="a")
    assert forget(database_url, ALICE, greedy)
    again = queue(database_url, ALICE, origin="a")
    first_time = queue(database_url, BOB, origin="b")
    places = [view(database_url, number).ahead for number in (again, first_time)]
    assert places == [1, 0]
    prune(database, ended_at_us(database) + (GUEST_S + 1) * SECOND_US, KEPT)
    assert database.execute("SELECT status FROM simulations").fetchall() == [("QUEUED",)] * 2


def test_a_failed_run_counts_as_what_began(
    database_url: str, database: psycopg.Connection[Any]
) -> None:
    number = queue(database_url, ALICE, limits=replace(NO_LIMITS, own_max=1))
    database.execute("UPDATE simulations SET status = 'RUNNING', started_at_us = 1")
    assert begun(database, number).run.simulation_id == number
    database.execute("UPDATE simulations SET status = 'FAILED', ended_at_us = 2")
    assert view(database_url, number).status == SimulationStatus.FAILED
    assert kept_s(database_url, number) == USER_S
