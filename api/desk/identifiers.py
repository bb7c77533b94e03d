"""How ids are written outside. Whatever does not read back exactly is nobody's id."""

import re

from api.credentials.tokens import USER_ID_TEXT

ACCOUNT_ID_TEXT = re.compile(r"account_([1-9]\d{0,18})", re.ASCII)
ORDER_ID_TEXT = re.compile(r"order_([1-9]\d{0,18})", re.ASCII)
API_KEY_ID_TEXT = re.compile(r"key_([1-9]\d{0,18})", re.ASCII)
SIMULATION_ID_TEXT = re.compile(r"simulation_([1-9]\d{0,18})", re.ASCII)
NUMBER_TEXT = re.compile(r"([1-9]\d{0,18})", re.ASCII)
INTEGER_MAX = 2**63 - 1
NOBODYS_ORDER = 0
NOBODYS_ACCOUNT = 0


def account_id_text(account_id: int) -> str:
    """An account's id as clients see it."""
    return f"account_{account_id}"


def parse_account_id(text: str) -> int | None:
    """The id, or None for text that names no account."""
    return _number(ACCOUNT_ID_TEXT.fullmatch(text))


def order_id_text(order_id: int) -> str:
    """An order's id as clients see it."""
    return f"order_{order_id}"


def parse_order_id(text: str) -> int | None:
    """The id, or None for text that names no order."""
    return _number(ORDER_ID_TEXT.fullmatch(text))


def simulation_id_text(simulation_id: int) -> str:
    """A simulation's id as clients see it."""
    return f"simulation_{simulation_id}"


def parse_simulation_id(text: str) -> int | None:
    """The id, or None for text that names no simulation."""
    return _number(SIMULATION_ID_TEXT.fullmatch(text))


def parse_number(text: str) -> int | None:
    """The id of what is called by its number alone, or None for text that is no such number."""
    return _number(NUMBER_TEXT.fullmatch(text))


def api_key_id_text(key_id: int) -> str:
    """An API key's id as clients see it; the key itself is something else."""
    return f"key_{key_id}"


def parse_api_key_id(text: str) -> int | None:
    """The id, or None for text that names no API key."""
    return _number(API_KEY_ID_TEXT.fullmatch(text))


def parse_user_id(text: str) -> int | None:
    """The id, or None for text that names no user."""
    return _number(USER_ID_TEXT.fullmatch(text))


def _number(match: re.Match[str] | None) -> int | None:
    if match is None or int(match.group(1)) > INTEGER_MAX:
        return None
    return int(match.group(1))
