"""The queue of simulations: its limits, its order, and its fence."""

import re
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest

from sim.refusals import Refusal, Refused
from storage.errors import Superseded
from storage.postgres.database import connect
from storage.runs import simulations
from storage.runs.simulation_runs import (
    Progress,
    begin_run,
    end_run,
    fail_overdue,
    fail_run,
    just_ended,
    keep_checkpoint,
    note_progress,
    start_next,
)
from storage.runs.simulations import QueueLimits, SimulationStatus
from tests.builders import trader
from tests.simulations import (
    KEPT_AT_WILL,
    NO_LIMITS,
    Most,
    begun,
    ending,
    listed,
    queue,
    stop,
    view,
)

STORAGE = Path(simulations.__file__).parents[1]
ALICE, BOB = 1_000, 1_001
AT_ONCE = 8


@pytest.fixture
def database(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    with connect(database_url, "test") as connection:
        yield connection


def test_the_queue_is_served_in_order_as_far_as_there_is_room(
    database_url: str, database: psycopg.Connection[Any]
) -> None:
    first, second, third = (queue(database_url) for _ in range(3))
    assert start_next(database, 0) == []
    assert start_next(database, 2) == [first, second]
    assert start_next(database, 2) == [first, second]
    end_run(database, begun(database, first).run, ending())
    assert start_next(database, 2) == [second, third]
    assert just_ended(database) == [first]


def test_two_supervisors_do_not_start_more_than_allowed(
    database_url: str, database: psycopg.Connection[Any]
) -> None:
    for _ in range(6):
        queue(database_url)

    def start(_: int) -> list[int]:
        with connect(database_url, "supervisor") as connection:
            return start_next(connection, 2)

    with ThreadPoolExecutor(AT_ONCE) as threads:
        answers = list(threads.map(start, range(AT_ONCE)))
    assert {tuple(answer) for answer in answers} == {tuple(start_next(database, 2))}
    assert len(answers[0]) == 2


def test_only_the_newest_run_moves_a_simulation(
    database_url: str, database: psycopg.Connection[Any]
) -> None:
    number = queue(database_url)
    assert begin_run(database, number) is None
    start_next(database, 1)
    old, new = begun(database, number).run, begun(database, number).run
    assert note_progress(database, new, Progress(5, 2, 1)) is False
    for write in (
        lambda: note_progress(database, old, Progress(50, 2, 1)),
        lambda: keep_checkpoint(database, old, 50, 0, b"state"),
        lambda: end_run(database, old, ending()),
        lambda: fail_run(database, old, "late"),
    ):
        with pytest.raises(Superseded):
            write()
    assert view(database_url, number).step == 5
    assert begun(database, number).checkpoint is None


def test_a_checkpoint_is_found_again_and_goes_with_the_end(
    database_url: str, database: psycopg.Connection[Any]
) -> None:
    number = queue(database_url)
    start_next(database, 1)
    assert keep_checkpoint(database, begun(database, number).run, 7, 1_500, b"state")
    found = begun(database, number)
    assert (found.checkpoint, found.wall_ms) == (b"state", 1_500)
    end_run(database, found.run, ending())
    assert database.execute("SELECT * FROM simulation_checkpoints").fetchall() == []
    with pytest.raises(Superseded):
        keep_checkpoint(database, found.run, 8, 0, b"late")


def test_progress_never_goes_backwards(
    database_url: str, database: psycopg.Connection[Any]
) -> None:
    number = queue(database_url)
    start_next(database, 1)
    note_progress(database, begun(database, number).run, Progress(50, 20, 10))
    note_progress(database, begun(database, number).run, Progress(1, 2, 1, 9, 9, 9))
    seen = view(database_url, number)
    assert (seen.step, seen.orders, seen.fills, seen.steps_per_second) == (50, 20, 10, 9)


def test_what_waits_stops_at_once_and_what_runs_when_it_is_told(
    database_url: str, database: psycopg.Connection[Any]
) -> None:
    running, waiting = queue(database_url), queue(database_url)
    start_next(database, 1)
    stop(database_url, waiting)
    stop(database_url, running)
    stop(database_url, running)
    assert view(database_url, waiting).status == SimulationStatus.STOPPED
    assert view(database_url, running).status == SimulationStatus.STOPPING
    assert note_progress(database, begun(database, running).run, Progress(1, 1, 1)) is True


def test_an_account_may_have_so_many_under_way_and_all_together_so_many(
    database_url: str, database: psycopg.Connection[Any]
) -> None:
    limits = QueueLimits(2, 3, KEPT_AT_WILL)
    first = queue(database_url, ALICE, limits=limits)
    queue(database_url, ALICE, limits=limits)
    with pytest.raises(Refused, match="At most 2") as refused:
        queue(database_url, ALICE, limits=limits)
    assert refused.value.refusal == Refusal.TOO_MANY_SIMULATIONS
    queue(database_url, BOB, limits=limits)
    with pytest.raises(Refused, match="At most 3 simulations"):
        queue(database_url, BOB, limits=limits)
    stop(database_url, first)
    queue(database_url, ALICE, limits=limits)


def test_many_at_once_do_not_pass_the_limit_of_their_account(
    database_url: str, database: psycopg.Connection[Any]
) -> None:
    account = trader(database)
    limits = QueueLimits(3, 100, KEPT_AT_WILL)

    def ask(_: int) -> bool:
        try:
            return queue(database_url, account, limits=limits) > 0
        except Refused:
            return False

    with ThreadPoolExecutor(AT_ONCE) as threads:
        assert sum(threads.map(ask, range(AT_ONCE))) == 3


def test_an_address_may_have_under_way_what_so_many_accounts_may(
    database_url: str, database: psycopg.Connection[Any]
) -> None:
    limits = QueueLimits(2, 100, KEPT_AT_WILL)
    for account in (ALICE, ALICE, BOB, BOB, 1_002, 1_002):
        queue(database_url, account, limits=limits)
    with pytest.raises(Refused, match="At most 6 simulations from one address"):
        queue(database_url, 1_003, limits=limits)
    queue(database_url, 1_003, limits=limits, origin="elsewhere")


def test_addresses_take_turns_and_so_do_the_accounts_of_one(
    database_url: str, database: psycopg.Connection[Any]
) -> None:
    guests = {
        queue(database_url, account, origin="crowd"): f"guest {account}"
        for account in (2_000, 2_001, 2_002)
        for _ in range(3)
    }
    alone = {queue(database_url, account): who for account, who in ((ALICE, "alice"), (BOB, "bob"))}
    again = queue(database_url, ALICE)
    who = guests | alone | {again: "alice"}
    places = {number: view(database_url, number).ahead for number in who}
    served = []
    while started := start_next(database, 1):
        (number,) = started
        served.append(number)
        end_run(database, begun(database, number).run, ending())
    assert [who[number] for number in served] == [
        *("guest 2000", "alice", "guest 2001", "bob", "guest 2002", "alice"),
        *("guest 2000", "guest 2001", "guest 2002") * 2,
    ]
    assert [places[number] for number in served] == list(range(len(served)))


def test_one_that_never_ends_its_step_is_ended_a_minute_after_its_time(
    database_url: str, database: psycopg.Connection[Any]
) -> None:
    number, other = queue(database_url, most=Most(wall_s=5)), queue(database_url)
    start_next(database, 2)
    run = begun(database, number).run
    begun(database, other)
    assert fail_overdue(database) == []
    database.execute("UPDATE simulations SET due_at_us = due_at_us - 65500000")
    assert fail_overdue(database) == [number]
    failed = view(database_url, number)
    assert failed.status == SimulationStatus.FAILED
    assert failed.error is not None
    assert "longer than the 5 s" in failed.error
    with pytest.raises(Superseded):
        end_run(database, run, ending())


def test_what_processes_before_have_worked_counts_towards_the_time(
    database_url: str, database: psycopg.Connection[Any]
) -> None:
    number = queue(database_url, most=Most(wall_s=500))
    start_next(database, 1)
    first = begun(database, number)
    due = "SELECT due_at_us FROM simulations"
    [(before,)] = database.execute(due)
    keep_checkpoint(database, first.run, 7, 400_000, b"state")
    assert (first.wall_ms_max, begun(database, number).wall_ms) == (500_000, 400_000)
    [(after,)] = database.execute(due)
    assert 390_000_000 < before - after <= 400_000_000


def test_lists_show_an_account_its_own_newest_first(database_url: str) -> None:
    mine = [queue(database_url, ALICE) for _ in range(3)]
    theirs = queue(database_url, BOB, limits=NO_LIMITS)
    assert [one.simulation_id for one in listed(database_url, ALICE)] == mine[::-1]
    assert [one.simulation_id for one in listed(database_url, None)] == [theirs, *mine[::-1]]


def test_every_advisory_lock_has_a_number_of_its_own() -> None:
    """One that two things share makes each wait for the other, as long as a deployment runs."""
    numbers = [
        number
        for path in STORAGE.rglob("*.py")
        for number in re.findall(r"_LOCK = (\d[\d_]*)", path.read_text())
    ]
    assert len(numbers) >= 4
    assert [number for number, count in Counter(numbers).items() if count > 1] == []
