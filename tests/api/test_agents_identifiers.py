"""UUIDs that are numbers of the exchange, and back."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.cryptofunk.identifiers import IdKind, Named, named_by, read_uuid, uuid_of
from api.cryptofunk.spelling import duration_text
from sim.refusals import Refused

NUMBERS = st.integers(1, 2**62 - 1)
ORDINALS = st.integers(0, 899)


@given(st.sampled_from(IdKind), NUMBERS, ORDINALS)
def test_an_id_leads_back_to_what_it_names(kind: IdKind, number: int, ordinal: int) -> None:
    told = uuid_of(kind, number, ordinal)
    assert (told.version, told.variant) == (8, "specified in RFC 4122")
    assert read_uuid(str(told).upper(), "wrong") == told
    assert named_by(kind, told) == Named(number, ordinal)
    assert all(named_by(other, told) is None for other in IdKind if other != kind)


@given(st.uuids())
def test_an_id_of_somebody_elses_names_nothing(told: UUID) -> None:
    assert all(named_by(kind, told) is None for kind in IdKind)


def test_an_id_stays_what_it_was() -> None:
    assert str(uuid_of(IdKind.ORDER, 789)) == "53616e64-0100-8000-8000-000000000315"
    assert str(uuid_of(IdKind.POSITION, 123, 1)) == "53616e64-0300-8001-8000-00000000007b"
    assert named_by(IdKind.ORDER, UUID("53616e64-0100-8000-8000-000000000000")) is None


@pytest.mark.parametrize(
    "text", ["", "1", "{53616e64-0100-8000-8000-000000000315}", "53616e6401008000" * 2, "a" * 36]
)
def test_what_is_no_uuid_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        read_uuid(text, "invalid order_id format")


def test_durations_leave_out_what_is_zero_at_their_beginning() -> None:
    told = [duration_text(seconds) for seconds in (0, 59, 60, 3_600, 8_130)]
    assert told == ["0s", "59s", "1m0s", "1h0m0s", "2h15m30s"]
