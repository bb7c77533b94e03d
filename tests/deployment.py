"""A whole deployment by `sandpit up`, as a user starts it, and clients that retry."""

import http.client
import itertools
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import psutil
import psycopg

from actors.bench.orders import RATES, kind_of
from storage.servers.embedded import EmbeddedPostgres
from tests.waiting import eventually

NO_LIMIT = "1000000/second"
READY_S_MAX = 300.0
STOP_S_MAX = 15.0
RETRY_S = 0.05
NOTHING_MORE: Mapping[str, str] = {}
MIDDLES = {"BTC-PERP": 66_000, "ETH-PERP": 3_500}
"""Where both worlds quote, so that orders are inside of the price bands."""


class Deployment:
    """`sandpit up` on a free port, in a directory of its own, as the leader of its group."""

    def __init__(
        self,
        directory: Path,
        *arguments: str,
        command: Sequence[str] = (sys.executable, "-m", "actors.cli"),
        cwd: Path | None = None,
        environment: Mapping[str, str] = NOTHING_MORE,
    ) -> None:
        self.directory = directory
        limits = {f"SANDPIT_{kind}_RATE": NO_LIMIT for kind in RATES}
        for name in ("OPEN_ORDERS_MAX", "USER_OPEN_ORDERS_MAX"):
            limits[f"SANDPIT_{name}"] = "100000"  # what is placed while nothing is matched
        self._command = [*command, "up", "--port", "0", "--data-dir", str(directory), *arguments]
        self._environment, self._cwd = {**os.environ, **limits, **environment}, cwd
        self.start()

    def start(self) -> None:
        """Also again, where it was, after its end."""
        self.output: list[str] = []
        self.port = 0
        self.process = subprocess.Popen(
            self._command,
            env=self._environment,
            cwd=self._cwd,
            start_new_session=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        threading.Thread(target=self._read, args=(self.process.stdout,), daemon=True).start()
        try:
            eventually(lambda: self.port or self.process.poll() is not None, READY_S_MAX)
        except AssertionError:
            self.stop()
            raise
        assert self.port, "".join(self.output)

    def _read(self, lines: IO[str]) -> None:
        with lines:
            for line in lines:
                self.output.append(line)
                if line.startswith("ready "):
                    self.port = int(line.split()[1].rsplit(":", 1)[1])

    def kill(self) -> None:
        """As kill -9 does, or the kernel where memory ends; what is below it is still ending."""
        self.process.kill()
        self.process.wait(STOP_S_MAX)

    def database(self) -> psycopg.Connection[Any]:
        return psycopg.connect(EmbeddedPostgres(self.directory).url, autocommit=True)

    def processes(self, kind: str) -> list[psutil.Process]:
        """Those below it of one kind, as the benchmark calls them."""
        found = []
        for process in psutil.Process(self.process.pid).children(recursive=True):
            try:
                if kind_of(process) == kind:
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def children(self, name: str) -> list[psutil.Process]:
        """Those right below it that have a name and are not ended."""
        found = []
        for process in psutil.Process(self.process.pid).children():
            with suppress(psutil.Error):
                if process.name() == name and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        return found

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        try:
            return self.process.wait(STOP_S_MAX)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise

    def ask(
        self, method: str, path: str, body: object = None, token: str | None = None
    ) -> tuple[int, Any, dict[str, str]]:
        """Status, JSON and headers of one request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        headers = {"Content-Type": "application/json"} if body is not None else {}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        data = None if body is None else json.dumps(body)
        try:
            connection.request(method, path, data, headers)
            answer = connection.getresponse()
            text = answer.read()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return answer.status, json.loads(text) if text else None, found
        finally:
            connection.close()

    def trader(self, amount: str = "100000000") -> str:
        """A guest with money; the token."""
        token = str(self.ask("POST", "/auth/guest")[1]["token"])
        status, _, _ = self.ask("POST", "/deposits", {"asset": "USDC", "amount": amount}, token)
        assert status == 201
        return token


class Load:
    """Clients that place orders without pause and repeat what was not answered."""

    def __init__(self, deployment: Deployment, clients: int, seed: int) -> None:
        self._deployment = deployment
        self._stopping = threading.Event()
        self.acknowledged: dict[str, str] = {}
        self.unavailable = 0
        self.wrong: list[str] = []
        self.tokens = [deployment.trader() for _ in range(clients)]
        self._threads = [
            threading.Thread(target=self._drive, args=(number, token, seed + number), daemon=True)
            for number, token in enumerate(self.tokens)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join(30)
            assert not thread.is_alive(), "an order was never answered"

    def _drive(self, client: int, token: str, seed: int) -> None:
        dice = random.Random(seed)
        for number in itertools.count():
            if self._stopping.is_set():
                return
            name = f"client-{client}-{number}"
            market_id, price = dice.choice(tuple(MIDDLES.items()))
            body = {
                "marketId": market_id,
                "side": dice.choice(("BUY", "SELL")),
                "type": "LIMIT",
                "quantity": "0.01",
                "price": str(price + dice.randint(-5, 5)),
                "clientOrderId": name,
            }
            self._insist(name, body, token)

    def _insist(self, name: str, body: dict[str, str], token: str) -> None:
        while True:
            try:
                status, answer, headers = self._deployment.ask("POST", "/orders", body, token)
            except (OSError, http.client.HTTPException):
                time.sleep(RETRY_S)
                continue
            if status == 503:
                self.unavailable += 1
                if "retry-after" not in headers:
                    self.wrong.append("503 without Retry-After")
                time.sleep(RETRY_S)
                continue
            if status != 202:
                self.wrong.append(f"{status} {answer}")
            else:
                self.acknowledged[name] = answer["orderId"]
            return
