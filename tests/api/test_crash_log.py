"""What is written down when something fails, and what is not worth a line."""

import socket
import struct

from structlog.testing import capture_logs

from api.door.crash_log import MINUTE_S, TRACES_A_MINUTE_MAX, CrashLog
from tests.api.deployment import Deployment
from tests.api.sockets import connect
from tests.waiting import eventually

LARGE = b"GET /static-offline-docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: localhost\r\n\r\n"
RESET = struct.pack("ii", 1, 0)
SMALL_WINDOW_BYTES = 4_096


def test_a_client_that_leaves_in_the_middle_of_a_file_is_no_failure(exchange: Deployment) -> None:
    """Also where more of its requests wait in line."""
    log = exchange.data_dir / "api.log"
    before = log.stat().st_size
    for asked in (1, 2, 4):
        for how in (b"", RESET):
            with connect(exchange, receive_bytes=SMALL_WINDOW_BYTES) as connection:
                connection.sendall(LARGE * asked)
                connection.recv(1_000)
                if how:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, how)
    eventually(lambda: requests_of_static(exchange) >= 6)
    assert log.read_bytes()[before:] == b""


def requests_of_static(deployment: Deployment) -> float:
    """How many are over: each is counted when its handler has ended."""
    lines = deployment.http.get("/metrics").text.splitlines()
    found = [line for line in lines if line.startswith("sandpit_http_requests_total{")]
    return sum(float(line.rsplit(" ", 1)[1]) for line in found if 'route="unknown"' in line)


def test_many_failures_are_some_traces_and_a_count() -> None:
    now = [0.0]
    crashes = CrashLog(lambda: now[0])
    with capture_logs() as lines:
        for number in range(TRACES_A_MINUTE_MAX + 40):
            crashes.crashed(f"request-{number}")
        assert len(lines) == TRACES_A_MINUTE_MAX
        now[0] += MINUTE_S
        assert crashes.crashed("a minute later")
    assert lines[-1]["request_id"] == "a minute later"
    assert lines[-1]["left_out_before"] == 40
