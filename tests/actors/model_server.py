"""A server on this machine that speaks the protocol of language models, well or badly."""

import json
import threading
from collections.abc import Callable, Mapping
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from pydantic import SecretStr

from actors.models.terms import Model, ModelTerms
from storage.agents.model_budget import Spending
from storage.agents.model_wishes import ModelWishes

DRIP_S = 0.05
END_S_MAX = 10.0
SMALL = Model("small", Decimal("0.15"), Decimal("0.6"))
OTHER = Model("other", Decimal(1), Decimal(2))
KEY = "sk-canary-of-the-key"
GOOD_SIGNAL = {"action": "BUY", "confidence": 0.75, "reasoning": "RSI is 28. It is low."}


class Handler(BaseHTTPRequestHandler):
    """One request, played as the server's next play says."""

    server: "ModelServer"
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """The only method of the protocol."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append(body)
        self.server.headers.append(dict(self.headers))
        try:
            self.server.next_play()(self)
        except OSError:
            self.close_connection = True  # who asked has gone

    def answer(
        self, content: bytes, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> None:
        """Whole, with its length unless the headers have another."""
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Silent."""


Play = Callable[[Handler], None]


class ModelServer(ThreadingHTTPServer):
    """`plays` come one after the other, the last one for ever."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.plays: list[Play] = [says(GOOD_SIGNAL)]
        self.asked: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.closing = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self.serve_forever, args=(DRIP_S,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def next_play(self) -> Play:
        with self._lock:
            return self.plays.pop(0) if len(self.plays) > 1 else self.plays[0]

    def end(self) -> None:
        self.closing.set()
        self.shutdown()
        self._thread.join(END_S_MAX)
        self.server_close()

    def terms(self, **changed: Any) -> ModelTerms:
        """How it is asked in tests."""
        wishes = ModelWishes(0.7, 500)
        usual = {"a_day": Spending(1_000_000, Decimal(1)), "timeout_s": 5, "retries": 0}
        named = {"models": (SMALL,), "wishes": wishes, "api_key": SecretStr(KEY)}
        return ModelTerms(self.url, **{**usual, **named, **changed})


def says(content: Any, usage: tuple[int, int] | None = (100, 50)) -> Play:
    """An answer of the protocol with this text, or this JSON."""
    text = content if isinstance(content, str) else json.dumps(content)
    told: dict[str, Any] = {"choices": [{"message": {"role": "assistant", "content": text}}]}
    if usage is not None:
        told["usage"] = {"prompt_tokens": usage[0], "completion_tokens": usage[1]}
    return lambda handler: handler.answer(json.dumps(told).encode())


def answers(content: bytes, status: int = 200, **headers: str) -> Play:
    """Whatever."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda handler: handler.answer(content, status, named)


def drips(handler: Handler) -> None:
    """A byte now and then, for ever."""
    handler.send_response(200)
    handler.end_headers()
    while not handler.server.closing.wait(DRIP_S):
        handler.wfile.write(b" ")
        handler.wfile.flush()


def breaks_off(handler: Handler) -> None:
    """In the middle of what it had promised."""
    handler.answer(b'{"choices": [', headers={"Content-Length": "1000"})
    handler.close_connection = True


def pours(handler: Handler) -> None:
    """More than anybody takes."""
    handler.send_response(200)
    handler.end_headers()
    for _ in range(10_000):
        handler.wfile.write(b" " * 65_536)
