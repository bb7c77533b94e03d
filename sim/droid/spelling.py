"""Fields of a droid by their names here, as its owners write them: in requests and in files."""

import re

from sim.droid.config import Fault

SPELLED = {
    "pool_id": "poolId",
    "funding_usd": "fundingUSD",
    "trigger_type": "triggerType",
    "tick_buckets": "tickBuckets",
    "bucket_offset": "bucketOffset",
    "funding_curve": "fundingCurveType",
    "max_bots": "maxBots",
    "max_price": "maxPrice",
    "min_price": "minPrice",
    "gas_budget_usd": "gasBudgetLimit",
    "max_gas_price_gwei": "maxGasPrice",
    "priority_gwei": "txPriority",
    "derivative_threshold": "derivativeThreshold",
    "ladder_margin": "ladderPercMargin",
    "falling_trigger": "fallingRebalanceTrigger",
    "rising_trigger": "risingRebalanceTrigger",
}

OURS = re.compile(rf"\b({'|'.join(SPELLED)})\b")


def sentence(fault: Fault) -> str:
    """What is wrong with a field, with every field called as its owner calls it."""
    allowed = OURS.sub(lambda name: SPELLED[name[0]], fault.allowed)
    return f"{SPELLED.get(fault.field, fault.field)}: must be {allowed}"
