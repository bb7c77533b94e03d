"""What may be set about a droid, and everything that is wrong told at once."""

from decimal import Decimal
from random import Random, SystemRandom

import pytest

from sim.droid.config import (
    GWEI_WEI,
    PATCHABLE,
    ConfigRefused,
    Fault,
    TriggerType,
    patched,
    read_config,
)
from sim.droid.curves import FundingCurve
from tests.sim.droid_facts import POOLS, SETTINGS, configured

TERMS = POOLS[42]


def faults(**changes: object) -> dict[str, Fault]:
    """By field, of the document's droid with other settings."""
    with pytest.raises(ConfigRefused) as refused:
        read_config(SETTINGS | changes, TERMS)
    told = refused.value.faults
    assert len({fault.field for fault in told}) == len(told), "no field is refused twice"
    assert all(fault.field in str(refused.value) for fault in told)
    return {fault.field: fault for fault in told}


def test_settings_are_read_as_they_were_written() -> None:
    config = configured(gas_budget_usd=100, max_gas_price_gwei=Decimal("12.5"))
    assert config.funding_usd == Decimal(50_000)
    assert config.trigger_type is TriggerType.EMA
    assert config.funding_curve is FundingCurve.LINEAR
    assert config.gas_budget_usd == 100
    assert config.fee_per_gas_wei_max == 25 * GWEI_WEI // 2
    assert configured().gas_budget_usd is None


@pytest.mark.parametrize(
    ("field", "allowed", "refused"),
    [
        ("funding_usd", [Decimal("0.01"), 10**12], [0, -1, 10**12 + 1]),
        ("max_bots", [1, 100, Decimal("5.0")], [0, 101, Decimal("2.5")]),
        ("tick_buckets", [1, 39], [0, -3, Decimal("1.5"), 29_576, 10**400]),
        ("bucket_offset", [0, 9], [-1, 10, Decimal("0.5")]),
        ("max_gas_price_gwei", [1, Decimal("0.5") + 1], [0, -1, Decimal("1e400000")]),
        ("priority_gwei", [0, 50, Decimal("1.5")], [-1, 51]),
        ("gas_budget_usd", [Decimal("0.02"), None], [0, -1]),
        ("derivative_threshold", [0, 1], [Decimal("-0.01")]),
        ("ladder_margin", [0, Decimal("0.999")], [1, Decimal("-0.1")]),
        ("falling_trigger", [Decimal("0.999")], [0, 1]),
        ("rising_trigger", [Decimal("0.001"), 3], [0, Decimal("-0.1")]),
        ("trigger_type", ["EMA", "SPOT", "TWAP"], ["ema", "", 1, None]),
        ("funding_curve", list(FundingCurve), ["SQUARE", None]),
        ("min_price", [Decimal("0.000001")], [0, -1, Decimal("1e-33"), Decimal("NaN")]),
        ("max_price", [10**18], [Decimal("Infinity"), True, "4000"]),
    ],
)
def test_a_field_has_its_bounds(field: str, allowed: list[object], refused: list[object]) -> None:
    for value in allowed:
        read_config(SETTINGS | {field: value}, TERMS)
    for value in refused:
        assert list(faults(**{field: value})) == [field], value


def test_everything_that_is_wrong_is_told_at_once() -> None:
    told = faults(
        funding_usd=0, max_bots="five", trigger_type="PRICE", min_price=5000, colour="blue"
    )
    assert sorted(told) == ["colour", "funding_usd", "max_bots", "min_price", "trigger_type"]
    assert told["trigger_type"].allowed == "one of EMA, SPOT, TWAP"
    assert told["funding_usd"].allowed == "above 0 and at most 1000000000000"
    assert told["min_price"].allowed == "below max_price, which is 4000"


def test_everything_but_a_budget_must_be_given() -> None:
    with pytest.raises(ConfigRefused) as refused:
        read_config({}, TERMS)
    told = {fault.field for fault in refused.value.faults}
    assert told == set(SETTINGS) - {"gas_budget_usd"}


def test_bounds_without_a_bucket_name_the_nearest_that_hold_one() -> None:
    fault = faults(min_price=3210, max_price=3390)["min_price"]
    assert fault.nearest == {
        "min_price": Decimal("3203.4993"),
        "max_price": Decimal("3401.5826"),
    }
    assert "min_price 3203.4993 and max_price 3401.5826" in fault.allowed
    configured(**fault.nearest)


def test_whatever_the_bounds_those_that_are_named_hold_a_bucket() -> None:
    seed = SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    dice = Random(seed)
    refused = 0
    for _ in range(300):
        terms = POOLS[dice.choice([42, 43])]
        low = Decimal(10) ** dice.randint(-3, 9) * dice.randint(1, 10**6) / 10**5
        buckets = dice.choice([1, 7, 40, 500])
        given = SETTINGS | {
            "min_price": round(low, 12),
            "max_price": round(low * (1 + Decimal(dice.randint(1, 999)) / 10**5), 12),
            "tick_buckets": buckets,
            "bucket_offset": dice.randrange(buckets),
        }
        try:
            assert read_config(given, terms).eligible(terms)
        except ConfigRefused as error:
            refused += 1
            (fault,) = error.faults
            assert fault.nearest is not None
            assert len(read_config(given | dict(fault.nearest), terms).eligible(terms)) == 1
    assert refused > 50


def test_an_offset_is_less_than_a_bucket_however_that_was_written() -> None:
    assert list(faults(tick_buckets=Decimal("10.0"), bucket_offset=10)) == ["bucket_offset"]
    assert configured(tick_buckets=Decimal("10.0"), bucket_offset=Decimal("9.0")).bucket_offset == 9


def test_bounds_may_be_wider_than_what_a_pool_has_prices_for() -> None:
    config = configured(min_price=Decimal("1e-32"), max_price=Decimal("1e18"), tick_buckets=1)
    buckets = config.eligible(TERMS)
    lattice = config.lattice(TERMS)
    assert lattice.ticks(buckets[0])[0] == -138120
    assert lattice.ticks(buckets[-1])[1] == 887220


def test_a_change_is_checked_with_all_that_stays() -> None:
    config = configured()
    assert patched(config, {"min_price": 3000}, TERMS) == configured(min_price=3000)
    with pytest.raises(ConfigRefused, match="min_price must be below max_price"):
        patched(config, {"min_price": 4000}, TERMS)
    with pytest.raises(ConfigRefused, match="priority_gwei must be at most"):
        patched(config, {"max_gas_price_gwei": Decimal("0.5")}, TERMS)


def test_what_makes_the_lattice_stays_as_it_was() -> None:
    with pytest.raises(ConfigRefused) as refused:
        patched(configured(), {"tick_buckets": 4, "trigger_type": "SPOT", "max_bots": 3}, TERMS)
    assert [fault.field for fault in refused.value.faults] == ["tick_buckets", "trigger_type"]
    assert set(PATCHABLE) < set(SETTINGS)
