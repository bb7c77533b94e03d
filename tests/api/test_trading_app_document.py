"""Every request of the trading app's document, sent by curl as it stands there, gets what the
document says."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pytest

from sim.chain.known_pools import POOLS
from tests.api.browsers import Browser, close_all
from tests.api.curl_typed import Answered, Shell
from tests.api.deployment import DOCUMENTED_DROID, Deployment
from tests.api.documented_requests import (
    Example,
    differences,
    documented_examples,
    unlike_sent,
)
from tests.api.lived_app import LivedApp

EXAMPLES = {example.name: example for example in documented_examples()}
JOINING, TOKEN, PLACING = "POST /auth/register", "POST /user/token", "POST /orders"
NO_TOKEN = "DELETE /user/token"
BEFORE = {"GET /orders": PLACING, "GET /user/token": TOKEN}
"""Without which there would be nothing to tell."""

ACTIVE = "PATCH /droids/{id}/active"
READING, RUNNING = "GET /devbe/data/{queryType}", "GET /devbe/run/{script}"
AUTH = "auth_token"

REFRESH_PAGE = "GET /auth/refresh"
STATUSES = dict.fromkeys((JOINING, TOKEN, PLACING, "POST /droids"), 201) | {REFRESH_PAGE: 302}
"""That are not 200."""

OPEN = {"POST /auth/logout", REFRESH_PAGE}
"""What is answered to anybody: once more the same, and the way to the page where one logs in."""

POOL_ADDRESS = f"0x{POOLS[42].address.hex()}"


@dataclass
class Reader:
    """Somebody who reads the document and types what it shows.

    joined     what the very first registration was answered
    is_fresh   nothing has been done yet with the login that ends it or that may be done only once
    """

    app: Deployment
    shell: Shell
    joined: Answered
    is_fresh: bool = False

    def sends(self, name: str, *instead: str) -> Answered:
        """What an example is answered, with one text of it in the place of another."""
        self.is_fresh = self.is_fresh and "/auth/" not in name
        return self.shell.types(self.typed(EXAMPLES[name].command, *instead))

    def typed(self, command: str, written: str = "", instead: str = "") -> str:
        """The command with what there is in the place of what is made up."""
        assert written in command
        command = command.replace(written, instead) if written else command
        for made_up, real in THERE_IS.items():
            if made_up in command:
                command = command.replace(made_up, real(self))
        return command

    def asks(self, name: str, *instead: str) -> Any:
        answer = self.sends(name, *instead)
        assert answer.status in (200, 201), answer
        return answer.told

    @cached_property
    def newcomer(self) -> str:
        """The e-mail of one who has joined later."""
        browser = Browser(self.app)
        assert browser.joins().status_code == 201
        return browser.email

    @cached_property
    def waiting_user_id(self) -> str:
        """The newcomer's."""
        email, users = self.newcomer, self.asks("GET /admin/users")["users"]
        return str({one["email"]: one["userId"] for one in users}[email])

    @cached_property
    def paid(self) -> dict[str, Any]:
        """The oldest transaction that moves one token, as the bridge's to the droid does."""
        headers = {"Authorization": f"Bearer {self.asks(TOKEN)['token']}"}
        answer = self.app.http.get("/api/v1/transactions?sort=timestamp", headers=headers)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = next(
            one for one in answer.json()["data"] if len(one["token_transfers"]) == 1
        )
        return found


THERE_IS: dict[str, Callable[[Reader], str]] = {
    "https://<host>": lambda reader: reader.app.url,
    "cm1def456uvw": lambda reader: reader.waiting_user_id,
    "cm2ord456abc": lambda reader: str(reader.asks(PLACING)["order"]["orderId"]),
    "0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045": lambda _: POOL_ADDRESS,
    "0xabc123def456...": lambda reader: str(reader.paid["hash"]),
    "22400001": lambda reader: str(reader.paid["block_number"]),
    "<your_token>": lambda reader: str(reader.asks(TOKEN)["token"]),
}
"""What the document has made up. Droid 1, wallet 1, pool 42 and USDC are there as they stand. The
token comes last, for a later one would end it."""


@pytest.fixture(scope="module")
def world(lived: LivedApp, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """Where the document's trader was the first to join."""
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    shell = Shell(tmp_path_factory.mktemp("reader") / "shell")
    joining = EXAMPLES[JOINING].command.replace("https://<host>", lived.app.url)
    yield Reader(lived.app, shell, shell.types(joining))
    close_all()


@pytest.fixture
def reader(world: Reader) -> Reader:
    """Logged in, whatever the test before has done with it."""
    if not world.is_fresh:
        world.asks("POST /auth/login")
        world.is_fresh = True
    return world


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_gets_what_the_document_says(name: str, reader: Reader) -> None:
    if name in BEFORE:
        reader.asks(BEFORE[name])
    answer = reader.joined if name == JOINING else reader.sends(name)
    assert answer.status == STATUSES.get(name, 200)
    assert wrong(EXAMPLES[name], 0, answer) == []


@pytest.mark.parametrize(("name", "before"), [(JOINING, JOINING), ("GET /user/token", NO_TOKEN)])
def test_an_example_gets_the_other_answer_that_is_shown(
    name: str, before: str, reader: Reader
) -> None:
    reader.asks(before)
    assert wrong(EXAMPLES[name], 1, reader.sends(name)) == []


def wrong(example: Example, which: int, answer: Answered) -> list[str]:
    """What is not as documented."""
    if not example.answers:
        return []
    documented = example.answers[which]
    return [*differences(documented, answer.told), *unlike_sent(example.sent, answer.told)]


def test_all_endpoints_have_an_example() -> None:
    assert len(EXAMPLES) == 31
    varying = {name for name, example in EXAMPLES.items() if not example.answers}
    assert varying == {REFRESH_PAGE, READING, RUNNING}
    sent = EXAMPLES["POST /droids"].sent
    assert {name: str(value) for name, value in sent.items()}.items() >= {
        "poolId": "42", "fundingUSD": "50000", "triggerType": "EMA", "maxPrice": "4000.00",
    }.items()  # fmt: skip
    assert set(sent) == set(DOCUMENTED_DROID)


def test_a_login_sets_a_cookie_that_no_script_reads(reader: Reader) -> None:
    cookies = reader.sends("POST /auth/login").header("set-cookie")
    (cookie,) = [one for one in cookies if one.startswith(f"{AUTH}=")]
    assert "httponly" in cookie.lower()
    assert cookie_in(reader.shell) in cookie


def test_a_refreshed_page_is_where_it_was_asked_for_with_another_cookie(reader: Reader) -> None:
    answer = reader.sends(REFRESH_PAGE)
    assert answer.header("location") == ["/markets"]
    (cookie,) = [one for one in answer.header("set-cookie") if one.startswith(f"{AUTH}=ey")]
    assert cookie_in(reader.shell) not in cookie


def cookie_in(shell: Shell) -> str:
    """That curl has kept."""
    return shell.cookies.read_text().partition(f"\t{AUTH}\t")[2].split()[0]


def test_what_varies_is_of_whom_it_was_asked(reader: Reader) -> None:
    assert reader.asks(READING)["walletId"] == 1
    assert len(reader.asks(READING)["positions"]) == 5
    assert reader.asks(RUNNING)["valid"] is False


def test_a_droid_goes_where_the_comments_say(reader: Reader) -> None:
    """A reset droid runs."""
    number = reader.asks("POST /droids")["id"]
    command = EXAMPLES[ACTIVE].command.replace("droids/1/", f"droids/{number}/")
    for active, becomes in ((1, 1), (0, 0), (1, 1), (2, 1), (3, 3)):
        typed = reader.typed(command, '{ "active": 1 }', f'{{ "active": {active} }}')
        answer = reader.shell.types(typed)
        assert (answer.status, answer.told) == (200, {"id": number, "active": becomes})


@pytest.mark.parametrize(
    ("status", "name", "written", "instead"),
    [
        (400, PLACING, '"quantity": 1.5', '"quantity": -1.5'),
        (400, PLACING, '"quantity": 1.5,', '"quantity": 1.5'),
        (400, "POST /droids", '"maxBots": 5', '"maxBots": 0'),
        (400, "GET /v1/transactions/{hash}", "0xabc123def456...", "0xabc123..."),
        (400, RUNNING, "message=", "massage="),
        (401, "POST /auth/login", "mypassword123", "mypassword124"),
        (401, "GET /v1/health", "<your_token>", "hc_live_a1b2c3d4e5f6a1b2c3d4e5f6a1b2c3d4e5f6a1b2"),
        (404, "GET /orders/{orderId}", "cm2ord456abc", "cm2ord456abd"),
        (404, "DELETE /orders/{orderId}", "cm2ord456abc", "cm2ord456abd"),
        (404, "PATCH /admin/users/{userId}", "cm1def456uvw", "cm1def456uvx"),
        (404, "GET /droids/{id}", "droids/1", "droids/999"),
        (404, ACTIVE, "droids/1", "droids/999"),
        (404, READING, "walletSummary", "walletsummary"),
        (404, "GET /v1/blocks/{block_number}", "22400001", "22400002"),
        (404, "GET /v1/tokens/{contract_address}", "606eB48", "606eB49"),
    ],
)
def test_what_cannot_be_is_refused_in_the_envelope(
    status: int, name: str, written: str, instead: str, reader: Reader
) -> None:
    assert refused(reader.sends(name, written, instead)) == status


def test_without_a_login_everything_else_is_401(reader: Reader) -> None:
    nobody = Shell(reader.shell.directory.parent / "nobody")
    for name, example in EXAMPLES.items():
        if "-b cookies.txt" in example.command and name not in OPEN:
            assert (name, refused(nobody.types(reader.typed(example.command)))) == (name, 401)


def test_who_waits_may_nothing_and_an_operator_no_reset(reader: Reader) -> None:
    later = Shell(reader.shell.directory.parent / "later")
    login = EXAMPLES["POST /auth/login"].command
    assert later.types(reader.typed(login, "trader@havencap.io", reader.newcomer)).status == 200
    waits = '"role": "OPERATOR",\n    "status": "ACTIVE"', '"role": "PENDING", "status": "PENDING"'
    reader.asks("PATCH /admin/users/{userId}", *waits)
    for name in ("GET /droids", "GET /orders", "GET /user/token", "GET /admin/users"):
        assert refused(later.types(reader.typed(EXAMPLES[name].command))) == 403
    reader.asks("PATCH /admin/users/{userId}")
    assert later.types(reader.typed(EXAMPLES["GET /droids"].command)).told == {"droids": []}
    made = later.types(reader.typed(EXAMPLES["POST /droids"].command)).told
    reset = EXAMPLES[ACTIVE].command.replace("droids/1/", f"droids/{made['id']}/")
    assert refused(later.types(reader.typed(reset, '"active": 1', '"active": 2'))) == 403
    assert refused(later.types(reader.typed(EXAMPLES["GET /admin/users"].command))) == 403


def test_an_order_is_cancelled_once(reader: Reader) -> None:
    command = reader.typed(EXAMPLES["DELETE /orders/{orderId}"].command)
    assert reader.shell.types(command).status == 200
    again = reader.shell.types(command)
    assert (again.status, again.told["code"], type(again.told["error"])) == (409, "409", str)


def refused(answer: Answered) -> int:
    """The status of a refusal, which must be in the envelope."""
    assert set(answer.told or {}) == {"error", "code"}, answer
    assert isinstance(answer.told["error"], str)
    assert answer.told["code"] == str(answer.status)
    return answer.status
