"""Decimal fields: JSON numbers in JSON's whole grammar are read exactly, strings stay plain."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from api.exact_json import (
    EXPONENT_MAX,
    NEGATIVE,
    NOT_DECIMAL,
    NUMBER_CHARACTERS_MAX,
    DecimalText,
    read_json,
)
from sim.units import DECIMALS_MAX
from tests.api.deployment import JSON, Deployment, Person, error_of, small_order

FIELD: TypeAdapter[str] = TypeAdapter(DecimalText)
UNITS_MAX = 10**12
JSON_NUMBERS = st.from_regex(
    r"\A-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,12})?([eE][+-]?[0-9]{1,10})?\Z"
) | st.from_regex(r"\A(0|[1-9][0-9]{0,14})(\.[0-9]{1,16})?[eE][+-]?0{0,3}[0-9]{1,2}\Z")


def read(number: str) -> str | None:
    """What a decimal field reads of a JSON value; None where it refuses it, in its one sentence."""
    try:
        return FIELD.validate_python(read_json(number.encode()))
    except ValidationError as error:
        (found,) = error.errors()
        assert found["msg"].endswith((NOT_DECIMAL, NEGATIVE))
        return None


def written_out(number: str) -> str | None:
    """The same by the schoolbook: digits, with the point moved; None where a field refuses it."""
    digits, _, exponent = number.lower().partition("e")
    whole, _, decimals = digits.partition(".")
    places = int(exponent or 0)
    if whole.startswith("-") or abs(places) > EXPONENT_MAX:
        return None
    for _ in range(places):
        whole, decimals = whole + (decimals[:1] or "0"), decimals[1:]
    for _ in range(-places):
        whole, decimals = whole[:-1] or "0", (whole[-1:] or "0") + decimals
    whole = whole.lstrip("0") or "0"
    if len(whole) > len(str(UNITS_MAX - 1)) or len(decimals) > DECIMALS_MAX:
        return None
    return f"{whole}.{decimals}" if decimals else whole


@given(JSON_NUMBERS)
@example("1e-05")
@example("1E+5")
@example("0e99")
@example("0e-99")
@example("1e-32")
@example("1e11")
@example("1e12")
@example("12345678901234567890123456789012345678901e-30")
@example("0.0000000000000000000000000000000000001e47")
def test_a_json_number_is_read_as_the_decimal_that_it_is(number: str) -> None:
    text = read(number)
    assert text == written_out(number)
    if text is not None:
        assert Decimal(text) == Decimal(number)
        assert read(json.dumps(text)) == text


@given(st.floats(0, 10**12, exclude_max=True, allow_subnormal=False))
@example(0.00001)
def test_what_python_writes_of_a_float_is_read_as_it_wrote_it(number: float) -> None:
    written = json.dumps(number)
    text, places = read(written), -int(Decimal(written).as_tuple().exponent)
    assert (text is None) == (places > DECIMALS_MAX)
    assert text is None or Decimal(text) == Decimal(written)


@given(st.integers(EXPONENT_MAX + 1, 10 ** (NUMBER_CHARACTERS_MAX - 4)), st.sampled_from("01"))
def test_an_exponent_out_of_bounds_is_refused_before_anything_is_written_out(
    size: int, digit: str
) -> None:
    assert read(f"{digit}e{size}") is read(f"{digit}E-{size}") is None


@pytest.mark.parametrize("text", ["1e1", "1E1", "1e-05", "1e0"])
def test_a_string_has_no_exponent(text: str) -> None:
    assert read(json.dumps(text)) is None


def sent(person: Person, path: str, body: dict[str, Any], number: str, key: str) -> Any:
    """The answer to the body with this JSON text in the place of the 7."""
    content = json.dumps(body).replace("7", number)
    headers = person.headers | JSON | {"Idempotency-Key": key}
    return person.http.post(path, content=content, headers=headers)


def test_an_order_and_a_deposit_may_be_written_with_exponents(alice: Person) -> None:
    order = sent(alice, "/orders", small_order(quantity=7, price=60_000), "1e-03", "a")
    assert alice.get(f"/orders/{order.json()['orderId']}").json()["quantity"] == "0.001"
    deposit = sent(alice, "/deposits", {"asset": "USDC", "amount": 7}, "1e-06", "b")
    assert (deposit.status_code, deposit.json()["total"]) == (201, "10000.000001")
    refused = sent(alice, "/orders", small_order(quantity=7), "1e-05", "c")
    assert error_of(refused) == (400, "INVALID_ORDER")
    assert refused.json()["error"]["message"].startswith("quantity 0.00001 is not valid in this")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/orders", small_order(quantity=7)),
        ("/orders/batch", {"orders": [small_order(quantity=7)]}),
        ("/deposits", {"asset": "USDC", "amount": 7}),
        ("/account/reset", {"balances": {"USDC": 7}}),
        ("/accounts", {"name": "paper", "balances": {"USDC": 7}}),
    ],
)
def test_however_a_number_is_written_it_is_the_same_request(
    path: str, body: dict[str, Any], exchange: Deployment
) -> None:
    rich = exchange.person("10000000")
    first, *again = [
        sent(rich, path, body, number, "k") for number in ('"10"', "10", "10.0", "1e1", "100E-01")
    ]
    assert first.is_success, first.text
    assert {(one.status_code, one.text) for one in again} == {(first.status_code, first.text)}
    assert error_of(sent(rich, path, body, "1e0", "k")) == (409, "IDEMPOTENCY_KEY_REUSED")
