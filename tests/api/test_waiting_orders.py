"""Orders that wait for a trigger, end at a time or are linked, from POST to their end."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.servers.embedded import EmbeddedPostgres, EmbeddedValkey
from tests.api.conftest import empty_database
from tests.api.trading_floor import Floor, placed, seen, stop, trading_floor


@pytest.fixture(scope="module")
def opened(
    postgres: EmbeddedPostgres, valkey: EmbeddedValkey, template_database: str, servers_dir: Path
) -> Iterator[Floor]:
    urls = empty_database(postgres, template_database, "api_waiting")
    with trading_floor(urls, valkey, servers_dir / "waiting") as floor:
        yield floor


@pytest.fixture
def floor(opened: Floor) -> Iterator[Floor]:
    """The floor, cleared and audited behind each test."""
    opened.mark_at(5_991)
    yield opened
    opened.cleared()


def test_a_stop_is_met_by_the_last_trade_and_takes_what_there_is(floor: Floor) -> None:
    floor.trade_at("59.91")
    alice, maker = floor.person(), floor.person()
    waiting = placed(alice, **stop(quantity="0.3"))
    told = seen(alice, waiting, status="OPEN", triggered=False, triggerPrice="61", triggerBy="LAST")
    assert told["type"] == "STOP"
    assert "price" not in told
    seen(maker, placed(maker, side="SELL", price="62", quantity="0.2"), status="OPEN")
    floor.trade_at("61")
    told = seen(alice, waiting, status="EXPIRED", filledQuantity="0.2", averagePrice="62")
    assert told["triggered"]
    assert told["cancelReason"] == "MARKET_LIQUIDITY_EXHAUSTED"
    assert told["triggeredAt"] >= told["createdAt"]
