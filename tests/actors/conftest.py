"""What tests of actors start from."""

from collections.abc import Iterator

import pytest

from storage.database_roles import DatabaseUrls
from tests.actors.house import House


@pytest.fixture
def house(database_urls: DatabaseUrls, redis_url: str) -> Iterator[House]:
    built = House(database_urls, redis_url)
    yield built
    built.close()
    built.database.close()
