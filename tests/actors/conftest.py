"""What several tests of actors begin with."""

from collections.abc import Iterator

import pytest

from tests.actors.model_server import ModelServer


@pytest.fixture
def model_server() -> Iterator[ModelServer]:
    """One that answers as it is told."""
    server = ModelServer()
    yield server
    server.end()
