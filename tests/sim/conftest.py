"""What is asked of the kernel and of the naive book alike has one `engine`."""

import pytest

from sim.book.engine import MarketEngine
from tests.sim.engine_rows import SPEC, Engine
from tests.sim.naive_book import NaiveBook


@pytest.fixture(params=[MarketEngine, NaiveBook])
def engine(request: pytest.FixtureRequest) -> Engine:
    made: Engine = request.param(SPEC)
    return made
