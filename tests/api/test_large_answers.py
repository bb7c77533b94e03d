"""Who asks for large answers again and again, or takes them slowly, is in nobody else's way."""

import select
import socket
from collections.abc import Iterator

import httpx
import pytest

from api.door.large_answers import REPORTS
from storage.runs.simulation_runs import Ending, Progress, begin_run, end_run, start_next
from storage.runs.simulations import Report, SimulationStatus
from tests.api.deployment import Deployment, Person
from tests.api.sockets import connect, resident_bytes
from tests.simulations import SMALL
from tests.waiting import eventually

CONNECTIONS = 60
WINDOW_BYTES = 4_096
PAGE = "<!doctype html>" + "x" * 2_000_000
KEPT_BYTES_MAX = 30_000_000


@pytest.fixture
def report(exchange: Deployment, alice: Person) -> Iterator[str]:
    """The path of a report of two megabytes."""
    exchange.database.execute("DELETE FROM simulations")
    name = alice.post("/simulations", {"scenarioText": SMALL}).json()["simulationId"]
    start_next(exchange.database, 10)
    begun = begin_run(exchange.database, int(name.removeprefix("simulation_")))
    assert begun is not None
    page, summary = Report(PAGE, "default-src 'none'"), {"orders": 9}
    ending = Ending(SimulationStatus.FINISHED, Progress(80, 9, 3), "ab", summary, page)
    end_run(exchange.database, begun.run, ending)
    yield f"/simulations/{name}/report"
    exchange.database.execute("DELETE FROM simulations")


def test_a_crowd_that_takes_its_reports_slowly_has_a_few_and_others_have_theirs(
    exchange: Deployment, alice: Person, report: str
) -> None:
    head = (
        f"GET {report} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {alice.token}\r\n\r\n"
    )
    assert alice.get(report).status_code == 200
    before = resident_bytes(exchange.pid)
    crowd = [connect(exchange, receive_bytes=WINDOW_BYTES) for _ in range(CONNECTIONS)]
    try:
        for connection in crowd:
            connection.sendall(head.encode())
        refused = CONNECTIONS - REPORTS.at_once_of_address_max - REPORTS.waiting_of_address_max
        answered = eventually(
            lambda: answered_among(crowd, REPORTS.at_once_of_address_max + refused)
        )
        statuses = sorted(connection.recv(12) for connection in answered)
        assert statuses == [b"HTTP/1.1 200"] * 2 + [b"HTTP/1.1 503"] * refused
        assert resident_bytes(exchange.pid) - before < KEPT_BYTES_MAX
        elsewhere = httpx.HTTPTransport(local_address="127.0.0.2")
        with httpx.Client(base_url=exchange.url, transport=elsewhere) as other:
            assert other.get(report, headers=alice.headers).text == PAGE
        assert alice.get(report.removesuffix("/report")).json()["result"] == {"orders": 9}
    finally:
        for connection in crowd:
            connection.close()
    eventually(lambda: alice.get(report).status_code == 200)


def answered_among(connections: list[socket.socket], expected: int) -> list[socket.socket]:
    readable, _, _ = select.select(connections, [], [], 0)
    return readable if len(readable) >= expected else []
