"""What the doctor has to say about one thing."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["good", "warning", "problem"]


@dataclass(frozen=True)
class Finding:
    """A thing that was looked at, how it is, and a sentence for whoever may change it."""

    level: Level
    subject: str
    sentence: str
