"""One request to a model: POST …/chat/completions, and its answer, bounded in bytes and in time.

Redirects are not followed and no encoding is accepted, so what comes is what was sent, by whom it
was asked of.
"""

import asyncio
import json
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import httpx
from pydantic import BaseModel, Field, ValidationError

from actors.models.terms import ModelTerms

ANSWER_BYTES_MAX = 65_536
RETRY_AFTER_S_MAX = 3_600
TOKENS_TOLD_MAX = 10_000_000
"""More is no number of tokens: then what was reserved counts."""

Messages = Sequence[Mapping[str, str]]


class NotCompleted(Exception):
    """No answer; the message is a clause that says why.

    may_retry       another try may have one
    is_free         for certain no model has worked on it
    retry_after_s   how long to wait at least
    """

    def __init__(
        self, why: str, may_retry: bool = False, is_free: bool = False, retry_after_s: float = 0
    ) -> None:
        super().__init__(why)
        self.may_retry, self.is_free, self.retry_after_s = may_retry, is_free, retry_after_s


@dataclass(frozen=True)
class Request:
    """One question to one model."""

    model: str
    messages: Messages
    temperature: float
    max_tokens: int

    @property
    def text(self) -> str:
        """JSON, the same of the same."""
        return json.dumps({**vars(self), "messages": list(self.messages)})


class Message(BaseModel):
    content: str


class Choice(BaseModel):
    message: Message


class Usage(BaseModel):
    """Tokens, as who answers counts them."""

    prompt_tokens: int = Field(ge=0, le=TOKENS_TOLD_MAX)
    completion_tokens: int = Field(ge=0, le=TOKENS_TOLD_MAX)


class Told(BaseModel):
    """The part that says what it has cost; whoever does not say it is asked all the same."""

    usage: Usage


class Completion(BaseModel):
    """The part of an answer that is read; there is much beside it."""

    choices: list[Choice] = Field(min_length=1)


@dataclass(frozen=True)
class Completed:
    """What a model has said; `usage` is None where it is not told."""

    text: str
    usage: Usage | None


async def complete(
    terms: ModelTerms, request: Request, context: ssl.SSLContext | None
) -> Completed:
    """Raises NotCompleted.

    context   whose certificates are believed; None where nothing is encrypted
    """
    try:
        async with asyncio.timeout(terms.timeout_s):
            content = await _posted(terms, request, context)
    except (TimeoutError, httpx.TimeoutException):
        raise NotCompleted(f"it has not answered within {terms.timeout_s:g} s") from None
    except httpx.ConnectError:
        raise NotCompleted("it cannot be reached", may_retry=True, is_free=True) from None
    except httpx.TransportError as error:
        why = f"the connection broke: {type(error).__name__}"
        raise NotCompleted(why, may_retry=True) from None
    except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError) as error:
        raise NotCompleted(f"it cannot be asked: {type(error).__name__}") from None
    return _read(content)


async def _posted(terms: ModelTerms, request: Request, context: ssl.SSLContext | None) -> bytes:
    headers = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
    if terms.api_key is not None:
        headers["Authorization"] = f"Bearer {terms.api_key.get_secret_value()}"
    client = httpx.AsyncClient(
        verify=context or False,
        trust_env=not terms.is_here,
        follow_redirects=False,
        timeout=terms.timeout_s,
        headers=headers,
    )
    url, content = f"{terms.url}/chat/completions", request.text.encode()
    async with client, client.stream("POST", url, content=content) as response:
        _refuse(response)
        return await _bounded(response)


def _refuse(response: httpx.Response) -> None:
    status = response.status_code
    if response.is_redirect:
        raise NotCompleted("it sends elsewhere, where nobody is asked", is_free=True)
    if status == httpx.codes.TOO_MANY_REQUESTS or status >= 500:
        after_s = _seconds(response.headers.get("Retry-After", ""))
        raise NotCompleted(f"it answers {status}", True, True, after_s)
    if status != httpx.codes.OK:
        raise NotCompleted(f"it answers {status}", is_free=True)
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise NotCompleted("its answer is packed, which was not asked for")


def _seconds(text: str) -> float:
    """Of a Retry-After that tells seconds; a date is left to our own patience."""
    is_number = text.isascii() and text.isdecimal() and len(text) < 10
    return min(int(text), RETRY_AFTER_S_MAX) if is_number else 0


async def _bounded(response: httpx.Response) -> bytes:
    found = bytearray()
    async for piece in response.aiter_raw():
        found += piece
        if len(found) > ANSWER_BYTES_MAX:
            raise NotCompleted(f"its answer is longer than {ANSWER_BYTES_MAX} bytes")
    return bytes(found)


def _read(content: bytes) -> Completed:
    try:
        said = Completion.model_validate_json(content, strict=True)
    except ValidationError:
        raise NotCompleted("its answer is none of the protocol") from None
    try:
        usage = Told.model_validate_json(content, strict=True).usage
    except ValidationError:
        usage = None
    return Completed(said.choices[0].message.content, usage)
