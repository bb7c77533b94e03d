"""The examples of the trading app's document: what is sent, and what it says comes back."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

DOCUMENT = Path(__file__).parents[1] / "data" / "havencap" / "trading_app_api.txt"
ENDPOINT = re.compile(r"^(GET|POST|PATCH|DEL)(/\S+)$", re.MULTILINE)
REDIRECT = re.compile(r"^GET (/\S+)$", re.MULTILINE)
SENT_JSON = re.compile(r"-d '(.*?)'", re.DOTALL)
COMMENT = re.compile(r"^//.*$", re.MULTILINE)
AND_MORE = re.compile(r",\s*\.\.\.")
SHOWN_ELSEWHERE = "[ /* array of Transaction objects */ ]"
SHOWN_TRANSACTIONS = re.compile(r'"data": (\[\n.*?\n  \])', re.DOTALL)

FORMS = [
    re.compile(form, re.ASCII)
    for form in (
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z",
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
        r"0x[0-9a-fA-F]{40}",
        r"0x[0-9a-fA-F]+",
        r"hc_live_[0-9a-f]{40}",
        r"eyJ[\w-]+\.?[\w.-]*",
        r"\d+(\.\d{2,})? [A-Z0-9][A-Z0-9-]*",
        r"https?://\S+[?&]page=2",
        r"[A-Z][A-Z0-9_-]*",
        r"\S+@\S+",
    )
]
"""A text of one of these forms is answered by one of the same; of the first that fits."""

AS_DOCUMENTED = {
    *("message", "exists", "market", "side", "orderType", "timeInForce", "blockChain"),
    *("price_source", "token_standard"),
}
"""What these fields say is what the document's example says."""

NULL_WHERE_UNKNOWN = {"amount_usd"}
"""Nobody knows what an NFT costs."""


@dataclass(frozen=True)
class Example:
    """One endpoint's.

    command   as it stands, but that a browser's request is written as curl's
    answers   one for each case that is shown; none where the document says that it varies
    """

    name: str
    command: str
    answers: Sequence[Any]

    @property
    def sent(self) -> dict[str, Any]:
        """The body, numbers as they are written."""
        found = SENT_JSON.search(self.command)
        return exact(found[1]) if found is not None else {}


def exact(text: str) -> Any:
    return json.loads(text, parse_float=Decimal)


def documented_examples() -> list[Example]:
    """All of them, in the document's order."""
    text = DOCUMENT.read_text()
    shown = SHOWN_TRANSACTIONS.search(text)
    assert shown is not None
    text = text.replace(SHOWN_ELSEWHERE, shown[1])
    heads = list(ENDPOINT.finditer(text))
    ends = [*(head.start() for head in heads[1:]), len(text)]
    return [
        example_in(f"{head[1].replace('DEL', 'DELETE')} {head[2]}", text[head.end() : end])
        for head, end in zip(heads, ends, strict=True)
    ]


def example_in(name: str, text: str) -> Example:
    request, _, response = text.partition("Example Request\n")[2].partition("Example Response\n")
    command = COMMENT.sub("", request).strip()
    command = REDIRECT.sub(r'curl "https://<host>\1" -b cookies.txt', command)
    return Example(name, command, list(answers_in(response)))


def answers_in(text: str) -> Iterator[Any]:
    """The JSON documents before the next chapter; between them are comments."""
    shown = AND_MORE.sub("", COMMENT.sub("", text)).strip()
    decoder = json.JSONDecoder(parse_float=Decimal)
    while shown.startswith("{"):
        answer, end = decoder.raw_decode(shown)
        shown = shown[end:].strip()
        yield answer


def differences(documented: Any, told: Any, where: str = "") -> Iterator[str]:
    """What of the documented is not told, or in another way; more may be told beside it."""
    field = where.rpartition(".")[2]
    if isinstance(documented, dict) and isinstance(told, dict):
        for name, value in documented.items():
            if name in told:
                yield from differences(value, told[name], f"{where}.{name}")
            else:
                yield f"{where}.{name} is missing"
    elif isinstance(documented, list) and isinstance(told, list):
        if not told:
            yield f"{where} is empty"
        for place, one in enumerate(told):
            yield from differences(documented[0], one, f"{where}[{place}]")
    elif not (told is None and field in NULL_WHERE_UNKNOWN):
        is_like = told == documented if field in AS_DOCUMENTED else alike(documented, told)
        if not is_like:
            yield f"{where} is {told!r}, not like {documented!r}"


def alike(documented: Any, told: Any) -> bool:
    """The same type of JSON, whole numbers for whole ones, and the same form of text."""
    if isinstance(documented, Decimal):
        return isinstance(told, Decimal | int) and not isinstance(told, bool)
    if isinstance(documented, str) and isinstance(told, str):
        written = documented.replace("...", "").replace("<host>", "localhost")
        forms = (form for form in FORMS if form.fullmatch(written))
        form = next(forms, None)
        return form is None or form.fullmatch(told) is not None
    return type(documented) is type(told)


def unlike_sent(sent: dict[str, Any], told: Any) -> Iterator[str]:
    """Fields of the request that are told otherwise than they were sent, however deep."""
    for one in told if isinstance(told, list) else [told]:
        for name, value in one.items() if isinstance(one, dict) else ():
            if name in sent and value != sent[name]:
                yield f"{name} is {value!r}, and {sent[name]!r} was sent"
            yield from unlike_sent(sent, value)
