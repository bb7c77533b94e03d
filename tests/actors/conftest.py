"""What tests of actors start from."""

from collections.abc import Iterator

import pytest

from tests.actors.house import House


@pytest.fixture
def house(database_url: str, redis_url: str) -> Iterator[House]:
    built = House(database_url, redis_url)
    yield built
    built.close()
    built.database.close()
