"""How the places of a PostgreSQL are shared out."""

import pytest

from storage.postgres.connection_shares import ADMINISTRATORS, BESIDE_API, connections_max, shares
from storage.settings import Settings


@pytest.mark.parametrize("places", [3, 17, 97, 136, 1_000])
@pytest.mark.parametrize("api_wanted", [2, 16, 48, 520, 6_500])
def test_all_shares_together_are_the_places_that_there_are(places: int, api_wanted: int) -> None:
    found = shares(places, api_wanted)
    assert sum(found.values()) == places
    assert found["api"] <= api_wanted
    assert found["engine"] > found["owner"] >= 0


@pytest.mark.parametrize("processes", [1, 2, 16, 64])
def test_a_server_of_ours_has_room_for_every_process_and_one_more(processes: int) -> None:
    wanted = Settings.load(api_processes=processes).api_connections
    assert wanted == (8 + 1) * (processes + 1)
    found = shares(connections_max(wanted) - ADMINISTRATORS, wanted)
    assert found["api"] == wanted
    assert found["engine"] + found["owner"] == BESIDE_API


def test_where_places_are_few_half_of_them_is_not_the_apis() -> None:
    assert shares(97, 520) == {"owner": 8, "api": 48, "engine": 41}
