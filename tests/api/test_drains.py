"""Waiting for the markets costs the exchange little, however many wait."""

from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

from api.flux.admin import DRAINS_MAX
from tests.api.deployment import Deployment, Person, small_order


def test_few_callers_wait_at_once(exchange: Deployment, alice: Person) -> None:
    exchange.database.execute("DELETE FROM commands")
    assert alice.post("/orders", small_order()).status_code == 202
    with ThreadPoolExecutor() as threads:
        drains = [threads.submit(exchange.http.post, "/admin/drain") for _ in range(DRAINS_MAX + 1)]
        done, _ = wait(drains, timeout=20, return_when=FIRST_COMPLETED)
        (refused,) = [drain.result(20) for drain in done]
        assert refused.status_code == 503
        assert refused.json()["error"]["message"].startswith("4 callers wait for the markets")
        exchange.database.execute("DELETE FROM commands")
        answers = sorted(drain.result(20).status_code for drain in drains)
    assert answers == [200] * DRAINS_MAX + [503]
