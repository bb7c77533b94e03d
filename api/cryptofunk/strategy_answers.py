"""Strategies as clients send them and are told."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, WithJsonSchema

from api.cryptofunk.decision_answers import as_written
from api.cryptofunk.strategy_texts import YAML_NAMES, yaml_text
from api.cryptofunk.uploads import ENDING, FORM, YAML
from api.cryptofunk.wire import Body, PlainText, Query, Told
from api.door.answers import example
from api.door.describing import RATE_HEADERS, Responses
from sim.signals.bounds import Faults
from sim.signals.strategy import (
    NAME_MAX,
    SCHEMA_VERSION,
    Strategy,
    strategy_schema,
    written_strategy,
)

FAULTS_MAX = 100
"""That are told at once."""

DEFAULT = written_strategy(Strategy())
SHORT: dict[str, Any] = {
    "schema_version": SCHEMA_VERSION,
    "name": "calm",
    "candle_s": 60,
    "agents": {"trend": {"adx_min": 30}, "risk": {"max_position_size": 0.05}},
    "voting": {"min_confidence": 0.8},
}
OBJECT = WithJsonSchema({"type": "object", "additionalProperties": True})
Sections = Annotated[dict[str, Any], OBJECT]
Format = Literal["yaml", "json"]


class StrategyTold(Told):
    """A strategy: seven agents, their vote, and what risk allows."""

    schema_version: str
    name: str
    description: str
    candle_s: int
    agents: Sections
    voting: Sections

    model_config = example(**DEFAULT)


class StrategyFault(Told):
    """What is wrong with one value."""

    path: str
    message: str


class StrategyCheckedAnswer(Told):
    """Whether a text is a strategy, and everything that is wrong with it."""

    valid: bool
    errors: list[StrategyFault]

    model_config = example(
        valid=False,
        errors=[{"path": "voting.wisdom", "message": "voting.wisdom is not known."}],
    )


class StrategyChangedAnswer(Told):
    """The strategy that is in force from now on."""

    message: str
    strategy: StrategyTold

    model_config = example(message="Strategy imported successfully", strategy=DEFAULT)


class StrategyVersionAnswer(Told):
    """The form of strategies, and which one is in force."""

    schema_version: str
    supported_versions: list[str]
    name: str
    fingerprint: str

    model_config = example(
        schema_version=SCHEMA_VERSION,
        supported_versions=[SCHEMA_VERSION],
        name="default",
        fingerprint="5f2b1c0d9e8a7b6c",
    )


class SchemaAnswer(Told):
    """All that a strategy may be, as a JSON Schema."""

    title: str
    type: str
    properties: Sections

    model_config = ConfigDict(extra="allow", json_schema_extra={"examples": [strategy_schema()]})


class StrategyExportAsked(Query):
    """As what."""

    format: Format = "yaml"


class StrategyExportSent(Body):
    """As what, and which: the one in force unless another is sent."""

    format: Format = "yaml"
    strategy: Sections | None = None

    model_config = ConfigDict(json_schema_extra={"examples": [{"format": "json"}]})


class StrategyCloned(Body):
    """What the copy is called, and of which: of the one in force unless another is sent."""

    name: Annotated[PlainText, Field(min_length=1, max_length=NAME_MAX)]
    description: PlainText | None = None
    strategy: Sections | None = None

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "calm"}]})


class StrategiesMerged(Body):
    """What is laid over what: each value that `override` names holds, of all others that of `base`,
    which is the strategy in force unless it is sent."""

    base: Sections | None = None
    override: Sections
    name: Annotated[PlainText, Field(min_length=1, max_length=NAME_MAX)] | None = None

    model_config = ConfigDict(json_schema_extra={"examples": [{"override": SHORT}]})


def strategy_told(strategy: Strategy) -> StrategyTold:
    """A strategy, numbers as they are written."""
    return StrategyTold(**exact_numbers(written_strategy(strategy)))


def exact_numbers(value: Any) -> Any:
    """Floats as the decimals that they are written as."""
    if isinstance(value, dict):
        return {name: exact_numbers(one) for name, one in value.items()}
    return as_written(value) if isinstance(value, float) else value


def faults_told(faults: Faults) -> StrategyCheckedAnswer:
    """What is wrong, each as its path and a sentence."""
    errors = [StrategyFault(path=path, message=said) for path, said in faults[:FAULTS_MAX]]
    return StrategyCheckedAnswer(valid=not errors, errors=errors)


def strategy_body() -> dict[str, Any]:
    """What the document says of a body that is a strategy, as YAML or JSON."""
    schema = {"type": "object", "description": "See GET /api/v1/strategies/schema."}
    file = {"type": "string", "format": "binary", "description": f"{ENDING}."}
    form = {"type": "object", "properties": {"file": file}, "required": ["file"]}
    shown: dict[str, Any] = {
        "application/json": {"schema": schema, "example": SHORT},
        YAML: {"schema": {"type": "string"}, "example": yaml_text(SHORT)},
        FORM: {"schema": form, "example": {"file": yaml_text(SHORT)}},
    }
    said = f"Also called {', '.join(YAML_NAMES[1:])}."
    return {"required": True, "description": said, "content": shown}


def attachments() -> Responses:
    """What the document says of a strategy as a file."""
    said = {"Content-Disposition": {"description": "The file's name", "schema": {"type": "string"}}}
    content = {
        YAML: {"schema": {"type": "string"}, "example": yaml_text(SHORT)},
        "application/json": {"example": DEFAULT},
    }
    return {200: {"model": StrategyTold, "headers": {**RATE_HEADERS, **said}, "content": content}}
