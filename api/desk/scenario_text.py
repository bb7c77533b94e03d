"""A scenario as clients send it, as the TOML text that is kept."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from api.exact_json import ExactNumber
from sim.refusals import Name
from sim.scenario.fields import ScenarioError
from sim.scenario.toml_text import refuse_dotted_lines

TEXT_BYTES_MAX = 60_000


def checked_text(text: str) -> str:
    """TOML text of a size that is read. Raises ScenarioError."""
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise not_a_text("half a character", "Unicode") from None
    if size > TEXT_BYTES_MAX:
        raise not_a_text(f"{size} bytes", str(TEXT_BYTES_MAX))
    try:
        refuse_dotted_lines(text)
    except ScenarioError as error:
        raise ScenarioError(f"{Name.SCENARIO_TEXT}: {error}") from None
    return text


def not_a_text(found: str, allowed: str) -> ScenarioError:
    """What is wrong with the text before it is read."""
    return ScenarioError(f"{Name.SCENARIO_TEXT}: found {found}, allowed is {allowed}")


def toml_of(table: Mapping[str, Any]) -> str:
    """A JSON object or plain values as TOML, one top-level field a line. Raises ScenarioError."""
    try:
        text = "\n".join(f"{json.dumps(name)} = {_value(table[name])}" for name in table)
        text.encode()
    except (RecursionError, UnicodeEncodeError):
        raise ScenarioError("scenario: found too deep a table, allowed is a scenario") from None
    return text + "\n"


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, ExactNumber | int | float):
        return str(value)
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, dict):
        fields = (f"{json.dumps(name)} = {_value(value[name])}" for name in value)
        return f"{{{', '.join(fields)}}}"
    raise ScenarioError("scenario: found null, allowed is to leave a field out")
