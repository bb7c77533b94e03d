"""When an order ends by itself: in the future, as time stands when it is accepted."""

from sim.orders import PlaceOrder
from sim.refusals import Name, Refusal, Refused, instant


def check_expiry(order: PlaceOrder, at_us: int) -> None:
    """Refuses a time that is over."""
    if 0 < order.terms.expires_us <= at_us:
        now_ms = at_us // 1_000
        raise Refused(
            Refusal.INVALID_ORDER,
            f"{Name.EXPIRES_AT} {instant(order.terms.expires_us)} is not in the future; it is"
            f" {instant(at_us)} now",
            {"field": Name.EXPIRES_AT, "nearest": now_ms + 1},
        )
