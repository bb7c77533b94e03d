"""What a model may say, and how its text is read: nothing of it is more than a schema's field."""

from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, Field, ValidationError

from sim.printable import printable

REASONING_MAX, RAW_MAX = 2_000, 2_000
"""Characters."""

FENCE = "```"


class Unreadable(Exception):
    """The message is a sentence for the model: what is wrong, without what it wrote."""


def shortened(text: str, most: int) -> str:
    """On one line, nothing in it that cannot be seen, and no longer than that."""
    return printable(" ".join(text[: 2 * most].split()))[:most]


def _reasoning(text: str) -> str:
    found = shortened(text, REASONING_MAX)
    if not found:
        raise ValueError("must say something")
    return found


Part = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Reasoning = Annotated[str, AfterValidator(_reasoning)]


class SignalAnswer(BaseModel):
    """Instead of what a signal agent's rules say."""

    action: Literal["BUY", "SELL", "HOLD"]
    confidence: Part
    reasoning: Reasoning


class RiskAnswer(BaseModel):
    """To what the risk agent's rules have approved."""

    approve: bool
    quantity_fraction: Part
    reasoning: Reasoning


Answer = TypeVar("Answer", bound=BaseModel)


def read_answer(kind: type[Answer], text: str) -> Answer:
    """From JSON, also in a code fence; fields beside those that are asked for are not looked at.

    Raises Unreadable.
    """
    try:
        return kind.model_validate_json(_unfenced(text), strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        message = "It is not JSON" if first["type"] == "json_invalid" else first["msg"]
        raise Unreadable(f"{place}: {message}." if place else f"{message}.") from None


def _unfenced(text: str) -> str:
    """What stands in the first fence, after the language that may be named there."""
    _, fence, inside = text.partition(FENCE)
    if not fence:
        return text
    inside = inside.partition(FENCE)[0]
    return inside[inside.find("{") :] if "{" in inside else inside
