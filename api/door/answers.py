"""What every family answers alike: models as JSON, pages, and the example that documents them."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from api.door.json_text import exact_json_bytes
from api.door.paging import next_page


def example(**fields: Any) -> ConfigDict:
    """A model's configuration with an example for the documentation."""
    return ConfigDict(json_schema_extra={"examples": [fields]})


def reply(body: BaseModel, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A model as JSON; what is None is left out."""
    text = body.model_dump_json(by_alias=True, exclude_none=True)
    return Response(text, status, headers, "application/json")


def reply_page(page: Sequence[BaseModel], next_cursor: str | None = None) -> Response:
    """A bare array, with the cursor of the next page in X-Next-Cursor where there is one."""
    rows = (row.model_dump_json(by_alias=True, exclude_none=True) for row in page)
    return Response(f"[{','.join(rows)}]", 200, next_page(next_cursor), "application/json")


def reply_exact(
    body: BaseModel, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """A model with ExactDecimals as JSON; what is None is null, what was never set is left out."""
    text = exact_json_bytes(body.model_dump(by_alias=True, exclude_unset=True))
    return Response(text, status, headers, "application/json")


def milliseconds(at_us: int | None) -> int | None:
    """A time as it is told, where there is one."""
    return at_us // 1_000 if at_us is not None else None
