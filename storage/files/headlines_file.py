"""Headlines in a file: JSON lines, each an object with `at` (milliseconds since 1970), `asset`,
`text`, `score` (−1 to 1), `source`, and if need be `weight` (0 to 1, 1 where it is absent).
"""

from decimal import Decimal
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sim.prices.headlines import Headline
from sim.units import PPM
from storage.regular_file import open_regular

HEADLINES_MAX = 100_000
LINE_BYTES_MAX = 4_096

Words = Annotated[str, Field(min_length=1, max_length=1_000, pattern=r"^[^\x00-\x1f\x7f]+$")]


class HeadlinesFileError(ValueError):
    """The file cannot be used. The message is one sentence with file and line."""


class HeadlineLine(BaseModel):
    """One line."""

    model_config = ConfigDict(extra="forbid", strict=True)

    at: int = Field(ge=0, le=253_402_300_799_999)
    asset: str = Field(pattern=r"^[A-Z0-9]{2,12}$")
    text: Words
    score: Annotated[Decimal, Field(ge=-1, le=1, strict=False)]
    source: Words
    weight: Annotated[Decimal, Field(ge=0, le=1, strict=False)] = Decimal(1)

    def headline(self) -> Headline:
        """To the millionth, towards zero."""
        score_ppm, weight_ppm = int(self.score * PPM), int(self.weight * PPM)
        at_us = self.at * 1_000
        return Headline(at_us, self.asset, self.text, score_ppm, self.source, weight_ppm)


def read_headlines(path: Path) -> list[Headline]:
    """All headlines of the file; empty lines are none. Raises HeadlinesFileError."""
    found = []
    try:
        with open_regular(path) as file:
            number = 0
            while line := file.readline(LINE_BYTES_MAX + 1):
                number += 1
                if line.strip():
                    found.append(_headline(path, number, line))
                if len(found) > HEADLINES_MAX:
                    raise HeadlinesFileError(f"{path} has more than {HEADLINES_MAX} headlines.")
    except OSError as error:
        raise HeadlinesFileError(f"{path} cannot be read: {error.strerror}.") from error
    return found


def _headline(path: Path, number: int, line: bytes) -> Headline:
    if len(line) > LINE_BYTES_MAX:
        raise HeadlinesFileError(f"{path}, line {number}: longer than {LINE_BYTES_MAX} bytes.")
    try:
        return HeadlineLine.model_validate_json(line).headline()
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        name = ".".join(str(part) for part in first["loc"])
        said = first["msg"][:1].lower() + first["msg"][1:]
        where = f"{name}: " if name else ""
        raise HeadlinesFileError(f"{path}, line {number}: {where}{said}.") from error
