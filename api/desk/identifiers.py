"""How ids are written outside. Whatever does not read back exactly is nobody's id."""

import re

ORDER_ID_TEXT = re.compile(r"order_([1-9]\d{0,18})", re.ASCII)
INTEGER_MAX = 2**63 - 1


def order_id_text(order_id: int) -> str:
    """An order's id as clients see it."""
    return f"order_{order_id}"


def parse_order_id(text: str) -> int | None:
    """The id, or None for text that names no order."""
    match = ORDER_ID_TEXT.fullmatch(text)
    if match is None or int(match.group(1)) > INTEGER_MAX:
        return None
    return int(match.group(1))
