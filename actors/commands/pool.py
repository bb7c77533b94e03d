"""`sandpit pool`: Uniswap v3 pools, exact to the wei."""

from pathlib import Path
from typing import Annotated

import typer

from actors.command_line import one_sentence, print_bytes

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
    from storage.files.answers_file import answers_of, write_answers
    from storage.files.sequences_file import SequencesFileError, about_sequences, read_sequences

    with one_sentence(SequencesFileError):
        try:
            answers = replayed(read_sequences(file))
            if out is not None:
                write_answers(out, answers)
                return
            with answers_of(answers) as content:
                print_bytes(content)
        except SequenceError as error:
            raise about_sequences(file, error) from error
