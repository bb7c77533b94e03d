"""`sandpit chain`: what whoever runs the exchange does with its chain."""

from typing import Annotated

import typer

from actors.command_line import DataDir, end_with, print_or_exit, settings_or_exit

BLOCKS_MAX = 1_000
"""About a minute's work."""

DEPTH_MAX = 3

chain = typer.Typer(
    help="Build blocks of a running exchange's chain, replace some, say how it stands.",
    no_args_is_help=True,
)


@chain.command()
def status(data_dir: DataDir = None) -> None:
    """The newest block, the base fee of the next, what is wished for, and why there are no more."""
    from actors.commands.chain_work import status_of

    settings = settings_or_exit(data_dir=data_dir)
    print_or_exit(lambda: status_of(settings))


@chain.command()
def mine(
    count: Annotated[int, typer.Argument(min=1, help=f"How many: at most {BLOCKS_MAX:,}.")],
    data_dir: DataDir = None,
) -> None:
    """Build blocks at once, each twelve seconds of the chain's time after the last.

    Ctrl-C takes back what is not built yet.
    """
    from actors.commands.chain_work import mined

    if count > BLOCKS_MAX:
        end_with(f"At most {BLOCKS_MAX:,} blocks at a time: ask again once they are there.")
    settings = settings_or_exit(data_dir=data_dir)
    print_or_exit(lambda: mined(settings, count))


@chain.command()
def reorganise(
    depth: Annotated[int, typer.Argument(min=1, max=DEPTH_MAX, help="How many blocks.")],
    data_dir: DataDir = None,
) -> None:
    """Replace the newest blocks by others, as happens on every chain now and then."""
    from actors.commands.chain_work import reorganised

    settings = settings_or_exit(data_dir=data_dir)
    print_or_exit(lambda: reorganised(settings, depth))


@chain.command()
def resume(data_dir: DataDir = None) -> None:
    """Build on after a halt, from what the database has."""
    from actors.commands.chain_work import resumed

    settings = settings_or_exit(data_dir=data_dir)
    print_or_exit(lambda: resumed(settings))
