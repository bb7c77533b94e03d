"""The strategy that agents go by: looked at, replaced, carried out and in, and what is made of
strategies without any of them coming into force."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from api.cryptofunk.callers import Chief, Looker
from api.cryptofunk.envelope import FAILED, INVALID_BODY, malformed
from api.cryptofunk.strategy_answers import (
    SchemaAnswer,
    StrategiesMerged,
    StrategyChangedAnswer,
    StrategyCheckedAnswer,
    StrategyCloned,
    StrategyExportAsked,
    StrategyExportSent,
    StrategyTold,
    StrategyVersionAnswer,
    attachments,
    faults_told,
    strategy_body,
    strategy_told,
)
from api.cryptofunk.strategy_texts import (
    TEXT_BYTES_MAX,
    TEXT_BYTES_MIN,
    TOO_SMALL,
    NotStrategyText,
    plain,
    text_values,
    yaml_text,
)
from api.cryptofunk.uploads import YAML
from api.door.answers import reply_exact
from api.door.callers import Caller
from api.door.describing import documented
from api.door.findings import FINDINGS_MAX
from api.door.json_text import exact_json_bytes
from api.door.routing import ExactRoute, services_of
from sim.signals.bounds import TermsRefused
from sim.signals.strategy import (
    SCHEMA_VERSION,
    Strategy,
    below,
    merged,
    read_strategy,
    strategy_schema,
    written_strategy,
)
from storage.agents.control_entries import ControlAction, note_control
from storage.agents.strategy_in_force import put_in_force, strategy_in_force
from storage.postgres.unit_of_work import unit_of_work

IMPORTED = "Strategy imported successfully"
LARGE_BODIES = {("POST", "/api/v1/strategies/import"): TEXT_BYTES_MAX}
FINGERPRINT_DIGITS = 16

router = APIRouter(route_class=ExactRoute, tags=["Agents: strategies"])


class TextRoute(ExactRoute):
    """Its body is a strategy as YAML or JSON, which its endpoint reads."""

    reads_body = True


texts = APIRouter(route_class=TextRoute, tags=["Agents: strategies"])


def takes_text(documented: dict[str, Any]) -> dict[str, Any]:
    """Keyword arguments of a route whose body is a strategy."""
    extra = documented["openapi_extra"] | {"requestBody": strategy_body()}
    return documented | {"openapi_extra": extra}


@router.get(
    "/api/v1/strategies/current",
    summary="The strategy in force",
    **documented(200, StrategyTold),
)
async def get_strategy(caller: Looker, request: Request) -> Response:
    """What the agents go by this moment, with what the configuration was changed to."""
    return reply_exact(strategy_told(await current(request)))


@texts.put(
    "/api/v1/strategies/current",
    summary="Replace the strategy in force",
    **takes_text(documented(200, StrategyTold)),
)
async def put_strategy(caller: Chief, request: Request) -> Response:
    """As YAML or JSON. What is left out has its default; the last one that is sent holds, also in
    the place of what the configuration was changed to."""
    return reply_exact(strategy_told(await replaced(request, caller)))


@router.get(
    "/api/v1/strategies/export",
    summary="The strategy in force as a file",
    **documented(200, None, instead=attachments()),
)
async def get_strategy_file(
    asked: Annotated[StrategyExportAsked, Query()], caller: Looker, request: Request
) -> Response:
    """YAML, or JSON."""
    return as_file(await current(request), asked.format)


@router.post(
    "/api/v1/strategies/export",
    summary="A strategy as a file",
    **documented(200, None, instead=attachments()),
)
async def post_strategy_file(
    sent: StrategyExportSent, caller: Looker, request: Request
) -> Response:
    """The one that is sent, or the one in force."""
    return as_file(await sent_or_current(sent.strategy, "strategy", request), sent.format)


@texts.post(
    "/api/v1/strategies/import",
    summary="Bring a file into force",
    **takes_text(documented(200, StrategyChangedAnswer)),
)
async def post_strategy_import(caller: Chief, request: Request) -> Response:
    """YAML or JSON of 50 bytes to 10 MB: as PUT /api/v1/strategies/current."""
    if 0 < len(await request.body()) < TEXT_BYTES_MIN:
        raise malformed(INVALID_BODY, TOO_SMALL)
    told = strategy_told(await replaced(request, caller))
    return reply_exact(StrategyChangedAnswer(message=IMPORTED, strategy=told))


@texts.post(
    "/api/v1/strategies/validate",
    summary="Whether a text is a strategy",
    **takes_text(documented(200, StrategyCheckedAnswer)),
)
async def post_strategy_check(caller: Looker, request: Request) -> Response:
    """200 also where it is none; `errors` has everything that is wrong."""
    try:
        read_strategy(await text_values(request))
    except TermsRefused as refused:
        return reply_exact(faults_told(refused.faults))
    except NotStrategyText as error:
        return reply_exact(faults_told((("", f"{error}."),)))
    return reply_exact(faults_told(()))


@router.post(
    "/api/v1/strategies/clone",
    summary="A strategy by another name",
    **documented(200, StrategyTold),
)
async def post_strategy_clone(sent: StrategyCloned, caller: Looker, request: Request) -> Response:
    """It does not come into force."""
    copied = written_strategy(await sent_or_current(sent.strategy, "strategy", request))
    said = {"name": sent.name, "description": sent.description or copied["description"]}
    return reply_exact(strategy_told(accepted(copied | said)))


@router.post(
    "/api/v1/strategies/merge", summary="Two strategies as one", **documented(200, StrategyTold)
)
async def post_strategy_merge(sent: StrategiesMerged, caller: Looker, request: Request) -> Response:
    """The later wins: each value that `override` names holds, all others are those of `base`. It
    does not come into force."""
    base = written_strategy(await sent_or_current(sent.base, "base", request))
    with worded("override"):
        both = merged(base, plain(sent.override))
    both |= {} if sent.name is None else {"name": sent.name}
    return reply_exact(strategy_told(accepted(both)))


@router.post(
    "/api/v1/strategies/default", summary="The default strategy", **documented(200, StrategyTold)
)
async def post_default_strategy(caller: Looker) -> Response:
    """It does not come into force: PUT it for that."""
    return reply_exact(strategy_told(Strategy()))


@router.get(
    "/api/v1/strategies/version",
    summary="The form of strategies",
    **documented(200, StrategyVersionAnswer),
)
async def get_strategy_version(caller: Looker, request: Request) -> Response:
    """And which strategy is in force: the same fingerprint is the same strategy."""
    strategy = await current(request)
    answer = StrategyVersionAnswer(
        schema_version=SCHEMA_VERSION,
        supported_versions=[SCHEMA_VERSION],
        name=strategy.name,
        fingerprint=fingerprint(strategy),
    )
    return reply_exact(answer)


@router.get(
    "/api/v1/strategies/schema", summary="What a strategy may be", **documented(200, SchemaAnswer)
)
async def get_strategy_schema(caller: Looker) -> Response:
    """Every name, with its bounds, its default and what it is."""
    return Response(exact_json_bytes(strategy_schema()), media_type="application/json")


async def current(request: Request) -> Strategy:
    """The one in force."""
    return await strategy_in_force(services_of(request).pool)


async def sent_or_current(sent: dict[str, Any] | None, path: str, request: Request) -> Strategy:
    """The one that a body has under a path, or the one in force. Raises Refused."""
    if sent is None:
        return await current(request)
    with worded(path):
        return read_strategy(plain(sent))


async def replaced(request: Request, caller: Caller) -> Strategy:
    """The one that was sent, in force from now on. Raises Refused."""
    with worded():
        strategy = read_strategy(await text_values(request))
    said = {"fingerprint": fingerprint(strategy)}
    async with unit_of_work(services_of(request).pool) as connection:
        await put_in_force(connection, strategy)
        await note_control(
            connection, caller.user_id, ControlAction.STRATEGY_CHANGED, strategy.name, said
        )
    return strategy


def accepted(values: Mapping[str, Any]) -> Strategy:
    """What was made of strategies, as one. Raises Refused."""
    with worded():
        return read_strategy(values)


@contextmanager
def worded(path: str = "") -> Iterator[None]:
    """What is wrong with a strategy as this family's refusal, under the path of a body."""
    try:
        yield
    except NotStrategyText as error:
        raise malformed(INVALID_BODY, str(error)) from None
    except TermsRefused as refused:
        faults = below(path, refused.faults) if path else refused.faults
        errors = [{"field": at, "message": said} for at, said in faults[:FINDINGS_MAX]]
        raise malformed(FAILED, faults[0][1], errors=errors) from None


def as_file(strategy: Strategy, form: str) -> Response:
    """A strategy as an attachment."""
    values = written_strategy(strategy)
    kind, text = (
        (YAML, yaml_text(values))
        if form == "yaml"
        else ("application/json", f"{json.dumps(values, indent=2, ensure_ascii=False)}\n")
    )
    headers = {"Content-Disposition": f'attachment; filename="strategy.{form}"'}
    return Response(text, headers=headers, media_type=kind)


def fingerprint(strategy: Strategy) -> str:
    """The same for the same terms, whatever they are called."""
    values = written_strategy(strategy)
    terms = {name: values[name] for name in ("candle_s", "agents", "voting")}
    text = json.dumps(terms, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:FINGERPRINT_DIGITS]
