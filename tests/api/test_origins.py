"""S10, S44 and DNS rebinding: what a browser says of the page that asks."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from api.app import create_app
from storage.settings import ConfigurationError, Settings
from tests.api.deployment import Deployment, Person, error_of, small_order

AWAY = "postgresql://sandpit@127.0.0.1:1/away"
APP = "https://app.example.com"
LOOK_ALIKES = [
    "https://app.example.com.evil.example",
    "https://evil-app.example.com",
    "http://app.example.com",
    "https://app.example.com:8443",
    "https://app.example.com/",
    "null",
    "*",
    "",
]
FOREIGN = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1:1"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"},
]


def client_of(tmp_path: Path, **settings: object) -> httpx.AsyncClient:
    """An application without a database, asked from inside this process."""
    app = create_app(Settings.load(database_url=AWAY, data_dir=tmp_path, **settings))
    transport = httpx.ASGITransport(app)
    return httpx.AsyncClient(transport=transport, base_url="http://localhost:8000")


@pytest.fixture
async def with_cors(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(tmp_path, cors_origins=[APP]) as client:
        yield client


@pytest.fixture
async def on_every_address(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(
        tmp_path, host="0.0.0.0", hosts_allowed=["exchange.example.com"]
    ) as client:
        yield client


@pytest.mark.parametrize("headers", FOREIGN)
def test_s10_a_write_that_a_foreign_page_makes_is_refused_without_effect(
    headers: dict[str, str], exchange: Deployment, alice: Person
) -> None:
    for method, path, body in (
        ("POST", "/orders", small_order()),
        ("DELETE", "/orders", None),
        ("POST", "/deposits", {"asset": "USDC", "amount": "1"}),
    ):
        answer = exchange.http.request(method, path, json=body, headers=alice.headers | headers)
        assert error_of(answer) == (403, "FORBIDDEN")
    assert error_of(exchange.http.post("/auth/guest", headers=headers)) == (403, "FORBIDDEN")
    assert alice.get("/orders").json() == []
    assert alice.get("/balances").json()[0]["total"] == "10000"


@pytest.mark.parametrize(
    "headers",
    [{}, {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}, {"Origin": "own"}],
)
def test_s10_a_write_of_no_page_or_of_our_own_passes(
    headers: dict[str, str], exchange: Deployment
) -> None:
    if "Origin" in headers:
        headers = {"Origin": exchange.url, "Sec-Fetch-Site": "same-origin"}
    assert exchange.http.post("/auth/guest", headers=headers).status_code == 201


def test_a_page_of_elsewhere_may_read_nothing_but_is_not_refused(exchange: Deployment) -> None:
    answer = exchange.http.get("/markets", headers={"Origin": "https://evil.example"})
    assert answer.status_code == 200
    assert "vary" not in answer.headers
    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonx",
        "text/json",
        "application/json, text/plain",
    ],
)
@pytest.mark.parametrize("path", ["/orders", "/deposits", "/account/reset", "/auth/login"])
def test_s10_a_body_that_is_not_called_json_is_415(
    path: str, content_type: str | None, alice: Person
) -> None:
    named = {"Content-Type": content_type} if content_type is not None else {}
    answer = alice.http.post(path, content=b"{}", headers=alice.headers | named)
    assert error_of(answer) == (415, "UNSUPPORTED_MEDIA_TYPE")
    assert "application/json" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json;",
        "application/json; charset=utf-8",
        "Application/JSON ;charset=UTF-8",
        'application/json; Charset="Utf-8"',
        "application/json; version=1",
    ],
)
def test_a_body_that_is_called_json_is_read(content_type: str, alice: Person) -> None:
    headers = alice.headers | {"Content-Type": content_type}
    body = b'{"asset":"USDC","amount":"1"}'
    assert alice.http.post("/deposits", content=body, headers=headers).status_code == 201


@pytest.mark.parametrize(
    ("called", "said"),
    [
        ([("Content-Type", "application/json"), ("Content-Type", "text/plain")], "more than once"),
        ([("Content-Type", "application/json")] * 2, "more than once"),
        ([("Content-Type", "application/json; charset=utf-16")], "UTF-8"),
        ([("Content-Type", 'application/json; charset="latin-1"')], "UTF-8"),
        ([("Content-Type", "application/json; charset=utf-8; charset=utf-7")], "UTF-8"),
        (
            [("Content-Type", "application/json"), ("Content-Encoding", "gzip")],
            "Content-Encoding is not supported",
        ),
        (
            [("Content-Type", "application/json"), ("Content-Encoding", "identity, br")],
            "Content-Encoding is not supported",
        ),
    ],
)
@pytest.mark.parametrize("path", ["/deposits", "/auth/guest"])
def test_a_body_that_is_called_anything_but_plain_json_is_415(
    path: str, called: list[tuple[str, str]], said: str, alice: Person
) -> None:
    body = b'{"asset":"USDC","amount":"1"}'
    answer = alice.http.post(path, content=body, headers=[*alice.headers.items(), *called])
    assert error_of(answer) == (415, "UNSUPPORTED_MEDIA_TYPE")
    assert said in answer.json()["error"]["message"]
    assert alice.get("/balances").json()[0]["total"] == "10000"


def test_a_body_to_which_nothing_was_done_may_say_so(alice: Person) -> None:
    headers = alice.headers | {"Content-Type": "application/json", "Content-Encoding": "identity"}
    body = b'{"asset":"USDC","amount":"1"}'
    assert alice.http.post("/deposits", content=body, headers=headers).status_code == 201


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "box.local", "a.b"],
)
def test_a_name_that_a_stranger_may_own_is_not_served(host: str, exchange: Deployment) -> None:
    for headers in ({"Host": host}, {"Host": f"{host}:8000"}):
        answer = exchange.http.get("/markets", headers=headers)
        assert error_of(answer) == (400, "UNKNOWN_HOST")
        assert host not in answer.text
        assert "SANDPIT_HOSTS_ALLOWED" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST:8000",
        "127.0.0.1:8000",
        "[::1]:8000",
        "192.168.1.7",
        "mybox:80",
        "sandpit.localhost",
    ],
)
def test_a_name_that_no_stranger_can_own_is_served(host: str, exchange: Deployment) -> None:
    assert exchange.http.get("/time", headers={"Host": host}).status_code == 200


async def test_a_bind_that_others_reach_serves_their_names_for_it(
    on_every_address: httpx.AsyncClient,
) -> None:
    served = ["10.0.0.5:8000", "mybox", "mybox.local:8000", "sandpit.trading.svc.cluster.local"]
    for host in [*served, "Exchange.Example.com:443"]:
        assert (await on_every_address.get("/time", headers={"Host": host})).status_code == 200
    answer = await on_every_address.get("/time", headers={"Host": "evil.example"})
    assert answer.status_code == 400


@pytest.mark.parametrize("credentials", [{"Authorization": "Bearer x"}, {"X-API-Key": "x"}])
async def test_where_others_reach_it_a_token_or_a_key_says_enough(
    credentials: dict[str, str], on_every_address: httpx.AsyncClient
) -> None:
    """No page makes a browser send one unasked: it must have been given it."""
    foreign = {"Origin": "https://evil.example"}
    assert (await on_every_address.post("/auth/guest", headers=foreign)).status_code == 403
    given = foreign | credentials
    assert (await on_every_address.delete("/orders", headers=given)).status_code == 401


async def test_s44_an_allowed_page_reads_writes_and_is_told_so(
    with_cors: httpx.AsyncClient,
) -> None:
    for path, status in (("/time", 200), ("/nothing", 404), ("/balances", 401)):
        answer = await with_cors.get(path, headers={"Origin": APP})
        assert answer.status_code == status
        assert answer.headers["access-control-allow-origin"] == APP
        assert answer.headers["vary"] == "Origin"
        assert "X-Next-Cursor" in answer.headers["access-control-expose-headers"]
        assert "access-control-allow-credentials" not in answer.headers
    foreign_site = {"Origin": APP, "Sec-Fetch-Site": "cross-site"}
    assert (await with_cors.delete("/orders", headers=foreign_site)).status_code == 401


async def test_s44_an_allowed_pages_preflight_is_answered(with_cors: httpx.AsyncClient) -> None:
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x"}
    answer = await with_cors.options("/orders", headers={"Origin": APP} | asked)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == APP
    methods = answer.headers["access-control-allow-methods"].split(", ")
    assert {"DELETE", "PATCH", "PUT"} <= set(methods)
    allowed = answer.headers["access-control-allow-headers"].split(", ")
    assert {"Authorization", "X-API-Key", "X-Account"} <= set(allowed)
    assert "x-ratelimit-limit" in answer.headers


@pytest.mark.parametrize("origin", LOOK_ALIKES)
async def test_s44_a_look_alike_is_given_nothing(origin: str, with_cors: httpx.AsyncClient) -> None:
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    for answer in (
        await with_cors.get("/time", headers=asked),
        await with_cors.options("/orders", headers=asked),
    ):
        assert answer.headers["vary"] == "Origin"
        assert not [name for name in answer.headers if name.startswith("access-control")]
    assert (await with_cors.post("/auth/guest", headers=asked)).status_code == 403


async def test_s44_caches_are_told_that_pages_differ(with_cors: httpx.AsyncClient) -> None:
    assert (await with_cors.get("/time")).headers["vary"] == "Origin"


@pytest.mark.parametrize("origin", ["*", "null", "https://a.example/", "a.example", "https://*.a"])
def test_s44_the_setting_takes_exact_origins_only(origin: str) -> None:
    with pytest.raises(ConfigurationError, match="exact origins"):
        Settings.load(cors_origins=[origin])


@pytest.mark.parametrize("host", ["https://a.example", "a.example:80", "*", "a..b", "a/b"])
def test_the_setting_of_hosts_takes_names_only(host: str) -> None:
    with pytest.raises(ConfigurationError, match="host names"):
        Settings.load(hosts_allowed=[host])


READ_PATHS = ["/", "/time", "/markets", "/markets/BTC-PERP", "/health", "/docs", "/openapi.json"]


@pytest.mark.parametrize("path", [*READ_PATHS, "/balances", "/nothing"])
def test_head_is_get_without_a_body(path: str, exchange: Deployment, alice: Person) -> None:
    got = alice.get(path)
    head = exchange.http.head(path, headers=alice.headers)
    assert (head.status_code, head.content) == (got.status_code, b"")
    assert head.headers["content-type"] == got.headers["content-type"]
    assert abs(int(head.headers["content-length"]) - len(got.content)) < 3


@pytest.mark.parametrize("path", READ_PATHS)
def test_options_says_what_a_path_knows(path: str, exchange: Deployment) -> None:
    answer = exchange.http.options(path)
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS"


def test_options_of_an_unknown_path_is_404(exchange: Deployment) -> None:
    assert error_of(exchange.http.options("/nothing")) == (404, "NOT_FOUND")


def test_the_root_says_what_this_is_and_every_link_of_it_leads_somewhere(
    exchange: Deployment,
) -> None:
    root = exchange.http.get("/").json()
    assert (root["name"], root["status"]) == ("sandpit", "running")
    assert root["version"]
    links = [value for value in root.values() if value.startswith("/")]
    assert {"/docs", "/openapi.json", "/health"} <= set(links)
    for link in links:
        assert exchange.http.get(link).status_code in (200, 405)
