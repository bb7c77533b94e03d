"""Commands as somebody types them into a shell: the real curl, with a file of cookies."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.api.documented_requests import exact
from tests.waiting import PROGRAM_S_MAX

SETTINGS = """silent
show-error
max-time = 60
dump-header = headers.txt
output = body.txt
"""
"""Read by curl by itself, so that commands stay as they are."""


@dataclass(frozen=True)
class Answered:
    """What curl has written of an answer; its headers' names are in small letters."""

    status: int
    headers: list[tuple[str, str]]
    text: str

    @property
    def told(self) -> Any:
        """The body, numbers as they are written; None where it is no object."""
        return exact(self.text) if self.text.startswith("{") else None

    def header(self, name: str) -> list[str]:
        return [value for known, value in self.headers if known == name]


class Shell:
    """In a directory of its own."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True)
        self.directory = directory
        (directory / ".curlrc").write_text(SETTINGS)

    @property
    def cookies(self) -> Path:
        return self.directory / "cookies.txt"

    def types(self, command: str) -> Answered:
        """What a command is answered. Raises CalledProcessError where nobody answers."""
        for name in ("headers.txt", "body.txt"):
            (self.directory / name).write_text("")
        subprocess.run(
            ["sh", "-c", command],
            cwd=self.directory,
            env={"PATH": os.environ["PATH"], "CURL_HOME": str(self.directory)},
            check=True,
            timeout=PROGRAM_S_MAX,
        )
        status, *lines = (self.directory / "headers.txt").read_text().split("\n")
        pairs = [line.strip().partition(": ") for line in lines if line.strip()]
        headers = [(name.lower(), value) for name, _, value in pairs]
        return Answered(int(status.split()[1]), headers, (self.directory / "body.txt").read_text())
