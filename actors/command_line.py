"""What the commands of `sandpit` share: options, and how one ends that cannot do what it should."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Annotated, NoReturn

import typer

from sim.printable import printable, printable_lines
from storage.settings import ConfigurationError, Settings

DataDir = Annotated[Path | None, typer.Option(help="Where everything is kept. Default .sandpit.")]


PART_BYTES = 1 << 20


def tell(sentence: str) -> None:
    """On standard error, and one line, whatever foreign text it quotes: what stands on standard
    output may be read by a program."""
    typer.echo(f"sandpit: {printable(sentence)}", err=True)


def end_with(sentence: str) -> NoReturn:
    """Tell it, and exit code 1."""
    tell(sentence)
    raise typer.Exit(1)


@contextmanager
def one_sentence(error_type: type[Exception] = ConfigurationError) -> Iterator[None]:
    """Inside, errors of this type end the command with their one sentence and exit code 1."""
    try:
        yield
    except error_type as error:
        end_with(str(error))


def settings_or_exit(**given: object) -> Settings:
    """The settings, or one sentence and exit code 1."""
    with one_sentence():
        return Settings.load(**given)


def print_bytes(content: IO[bytes]) -> None:
    """All of a text, a part at a time."""
    while part := content.read(PART_BYTES):
        typer.echo(part, nl=False)


def print_or_exit(say: Callable[[], str]) -> None:
    """What a command says, or one sentence and exit code 1."""
    with one_sentence():
        typer.echo(printable_lines(say()))
