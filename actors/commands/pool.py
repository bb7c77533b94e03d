"""`sandpit pool`: Uniswap v3 pools, exact to the wei."""

from pathlib import Path
from typing import Annotated

import typer

from actors.command_line import one_sentence

pool = typer.Typer(help="Uniswap v3 pools, exact to the wei.", no_args_is_help=True)


@pool.command()
def replay(
    file: Annotated[Path, typer.Argument(help="What is asked of pools, step by step (JSON, gz).")],
    out: Annotated[
        Path | None, typer.Option(help="Where the answers go (.gz packs them). Default: stdout.")
    ] = None,
) -> None:
    """Answer every step of a file as the contracts would, with what it changes in the pool."""
    from sim.pool.fields import SequenceError
    from sim.pool.replaying import replayed
    from storage.files.sequences_file import (
        SequencesFileError,
        about_sequences,
        as_text,
        read_sequences,
        write_sequences,
    )

    with one_sentence(SequencesFileError):
        try:
            answered = replayed(read_sequences(file))
        except SequenceError as error:
            raise about_sequences(file, error) from error
        if out is None:
            typer.echo(as_text(answered), nl=False)
        else:
            write_sequences(out, answered)
