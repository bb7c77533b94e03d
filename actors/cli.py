"""The `sandpit` command."""

import os
import signal
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from actors.command_line import (
    DataDir,
    end_with,
    one_sentence,
    print_or_exit,
    settings_or_exit,
)
from actors.commands.chain import chain
from actors.commands.database import db
from actors.commands.pool import pool
from actors.ctrl_c import ends_at_once
from actors.kernel_cache import keep_kernels_somewhere
from actors.own_tree import refuse_namesakes

SIMULATE, DROID = "simulate", "droid"


class TwoWords(TyperGroup):
    """`simulate droid` is a command beside `simulate SCENARIO`, with options of its own."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that the first words of a command line name."""
        if args[:2] == [SIMULATE, DROID]:
            args = [f"{SIMULATE} {DROID}", *args[2:]]
        return super().resolve_command(ctx, args)


app = typer.Typer(
    name="sandpit",
    cls=TwoWords,
    help="A paper-trading exchange and a market simulator in one.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
bench = typer.Typer(help="Measure this machine.", no_args_is_help=True)
app.add_typer(bench, name="bench")
app.add_typer(chain, name="chain")
app.add_typer(db, name="db")
app.add_typer(pool, name="pool")
market = typer.Typer(
    help="List, halt, drain and resume markets of a running exchange.", no_args_is_help=True
)
app.add_typer(market, name="market")

Host = Annotated[str | None, typer.Option(help="Address to listen on. Default 127.0.0.1.")]
Port = Annotated[int | None, typer.Option(help="Port to listen on, 0 for any. Default 8000.")]
World = Annotated[str | None, typer.Option(help="default, quiet, or a world file (TOML).")]
Compare = Annotated[
    Path | None,
    typer.Option(
        help="Real trades (Binance's CSV, gz or zip) to put through the same stylised facts: "
        "beside the market whose base asset the file's name begins with, else beside all."
    ),
]
Replay = Annotated[
    Path | None,
    typer.Option(
        help="Recorded trades or candles (Binance's CSV, gz or zip) as a market's reference price: "
        "ETH-PERP's where the file's name begins with ETH, else the first market's. They loop."
    ),
]
ChainSpeed = Annotated[
    float | None,
    typer.Option(help="How fast the chain's time runs: 60 makes a block every 0.2 s. Default 1."),
]
ReplayOnce = Annotated[
    bool, typer.Option("--replay-once", help="Stop at the last of the recorded trades.")
]


def _say_version(wanted: bool) -> None:
    if wanted:
        from actors.simulate.run_origin import sandpit_version

        print(f"sandpit {sandpit_version()}")
        raise typer.Exit


Version = Annotated[
    bool,
    typer.Option("--version", callback=_say_version, is_eager=True, help="Say which version."),
]


@app.callback()
def look_around(version: Version = False) -> None:
    """A paper-trading exchange and a market simulator in one."""
    with one_sentence():
        refuse_namesakes()
        keep_kernels_somewhere()


class ScenariosBelow(TyperCommand):
    """A command whose help ends with the scenarios that ship."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Read when somebody asks: the list needs the engine's modules."""
        from storage.files.scenario_file import about_scenarios

        listed = (f"{name}: {about}" for name, about in about_scenarios())
        self.epilog = "Scenarios that ship:\n\n" + "\n\n".join(listed)
        super().format_help(ctx, formatter)


@app.command()
def up(
    host: Host = None,
    port: Port = None,
    data_dir: DataDir = None,
    world: World = None,
    replay: Replay = None,
    replay_once: ReplayOnce = False,
    chain_speed: ChainSpeed = None,
) -> None:
    """Start the exchange: servers, actors and API, until Ctrl-C."""
    for number in (signal.SIGINT, signal.SIGTERM):  # nothing has been started yet
        signal.signal(number, lambda *_: os._exit(0))
    settings = settings_or_exit(
        host=host,
        port=port,
        data_dir=data_dir,
        world=world,
        replay=replay,
        replay_loops=False if replay_once else None,
        chain_speed=chain_speed,
    )
    if replay_once and settings.replay is None:
        end_with("--replay-once needs --replay.")
    from actors.commands.signals import end_at_once
    from actors.commands.up import up as run

    end_at_once(run(settings))


@app.command(cls=ScenariosBelow)
def simulate(
    scenario: Annotated[str, typer.Argument(help="A shipped scenario, or a scenario file (TOML).")],
    seed: Annotated[int | None, typer.Option(min=0, help="Instead of the scenario's own.")] = None,
    actors: Annotated[
        str,
        typer.Option(help="auto, 0 for one process, or the most for markets, and for strategies."),
    ] = "auto",
    address: Annotated[
        str | None,
        typer.Option(help="On a Ray cluster: HOST:PORT, or auto for RAY_ADDRESS or this node's."),
    ] = None,
    duration: Annotated[
        str | None, typer.Option(help="Simulated time: 90, 90s, 10m, 2h or 1d.")
    ] = None,
    record: Annotated[
        str | None, typer.Option(help="Trades: none, sampled or all; with --compare all.")
    ] = None,
    to: Annotated[str | None, typer.Option(help="Trades, quotes: postgres, parquet.")] = None,
    data_dir: DataDir = None,
    out: Annotated[Path | None, typer.Option(help="Where results go.")] = None,
    resume: Annotated[Path | None, typer.Option(help="Go on with an interrupted run.")] = None,
    replay: Replay = None,
    compare: Compare = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Run a scenario as fast as this machine can; the same result every time."""
    with ends_at_once():
        from actors.simulate.command import Request
        from actors.simulate.command import simulate as run
        from actors.simulate.worlds import SimulateError

    request = Request(
        scenario=scenario,
        seed=seed,
        actors=actors,
        duration=duration,
        record=record,
        out=out,
        resume=resume,
        as_json=json,
        to=to,
        data_dir=data_dir,
        replay=replay,
        address=address,
        compare=compare,
    )
    with one_sentence(SimulateError):
        raise typer.Exit(run(request))


@app.command(name=f"{SIMULATE} {DROID}")
def simulate_droid(
    swaps: Annotated[
        str, typer.Option(help="A log that ships, or a file (CSV, gz) beside its start.json.")
    ],
    droid: Annotated[Path, typer.Option(help="The droid (TOML), with the fields of a request.")],
    seed: Annotated[int, typer.Option(min=0, help="Makes the droid's address.")] = 1,
    as_called: Annotated[
        bool,
        typer.Option(
            "--as-called/--price-exact",
            help="Swaps as they were called, or as large as brings the price to where it was.",
        ),
    ] = False,
    base_fee: Annotated[str, typer.Option(help="Of every block, in gwei.")] = "12.5",
    grid: Annotated[
        str | None, typer.Option(help='Each combination: "FIELD=VALUE,VALUE;FIELD=VALUE,VALUE".')
    ] = None,
    actors: Annotated[
        str, typer.Option(help="For a grid: auto, 0 for one process, or how many processes.")
    ] = "auto",
    out: Annotated[Path | None, typer.Option(help="Where results go.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Run a droid on what happened in a real pool; the same result every time."""
    with ends_at_once():
        from actors.simulate import droid_command
        from actors.simulate.worlds import SimulateError

    asked = (swaps, droid, seed, as_called, base_fee, grid, actors, out, json)
    with one_sentence(SimulateError):
        raise typer.Exit(droid_command.simulate_droid(droid_command.DroidRequest(*asked)))


@app.command()
def role(
    email: Annotated[str, typer.Argument(help="Of a registered user.")],
    role: Annotated[str, typer.Argument(help="PENDING, VIEWER, TRADER, OPERATOR or ADMIN.")],
    data_dir: DataDir = None,
) -> None:
    """Give a user another role; the exchange must be running."""
    from actors.commands.role import role as run

    settings = settings_or_exit(data_dir=data_dir)
    print_or_exit(lambda: run(settings, email, role))


MarketId = Annotated[str, typer.Argument(help="Such as BTC-PERP.", metavar="MARKET")]


@market.command(name="list")
def list_markets(data_dir: DataDir = None) -> None:
    """Every market: its status, open orders, and why it is halted."""
    from actors.commands import market as market_command

    settings = settings_or_exit(data_dir=data_dir)
    print_or_exit(lambda: market_command.list_markets(settings))


@market.command()
def halt(
    market_id: MarketId,
    reason: Annotated[str | None, typer.Option(help="Told to whoever asks why.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Refuse orders from now on; cancels are still done."""
    from actors.commands import market as market_command

    settings = settings_or_exit(data_dir=data_dir)
    print_or_exit(lambda: market_command.halt_market(settings, market_id, reason))


@market.command()
def drain(market_id: MarketId, data_dir: DataDir = None) -> None:
    """End every resting and waiting order of a halted market."""
    from actors.commands import market as market_command

    settings = settings_or_exit(data_dir=data_dir)
    print_or_exit(lambda: market_command.drain_market(settings, market_id))


@market.command()
def resume(market_id: MarketId, data_dir: DataDir = None) -> None:
    """Open a halted market again, if its state is the one that the journal says."""
    from actors.commands import market as market_command

    settings = settings_or_exit(data_dir=data_dir)
    print_or_exit(lambda: market_command.resume_market(settings, market_id))


@app.command()
def doctor(
    host: Host = None,
    port: Port = None,
    data_dir: DataDir = None,
    world: World = None,
    replay: Replay = None,
) -> None:
    """Say what is wrong with this machine, and with what `up` would be told."""
    from actors.commands.doctor import run_doctor

    given = {"host": host, "port": port, "data_dir": data_dir, "world": world, "replay": replay}
    raise typer.Exit(run_doctor(settings_or_exit(**given)))


@bench.command()
def book(
    instructions: Annotated[int, typer.Option(help="How many, each time.")] = 500_000,
    seed: Annotated[int, typer.Option(min=0, help="Of the flow.")] = 1,
) -> None:
    """Instructions a second of the order book, beside liquibook where it is installed."""
    from actors.bench.book import bench_book

    bench_book(instructions, seed)


@bench.command()
def orders(
    seconds: Annotated[float, typer.Option(help="Length of each part.")] = 30.0,
    seed: Annotated[int, typer.Option(min=0, help="Of the orders.")] = 1,
) -> None:
    """Orders a second from POST to visible, against a real deployment."""
    from actors.bench.orders import bench_orders

    raise typer.Exit(bench_orders(seconds, seed))


@bench.command()
def stream(
    clients: Annotated[int, typer.Option(min=1, max=900, help="Who listen.")] = 200,
    seconds: Annotated[float, typer.Option(help="Length of each part.")] = 30.0,
    seed: Annotated[int, typer.Option(min=0, help="Of the orders.")] = 1,
) -> None:
    """How soon clients hear of what is committed, against a real deployment."""
    from actors.bench.stream import bench_stream

    raise typer.Exit(bench_stream(clients, seconds, seed))


@bench.command(name="pool")
def pool_bench(
    swaps: Annotated[int, typer.Option(min=1, help="How many, each time.")] = 20_000,
    seed: Annotated[int, typer.Option(min=0, help="Of the swaps.")] = 1,
    log: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="A pool's, FILE.csv.gz.")
    ] = None,
    bytecode: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="UniswapV3Factory.json of v3-core 1.0.1."),
    ] = None,
) -> None:
    """The compiled pool beside the plain one and the contract's bytecode in revm."""
    from actors.bench.pool import Extent, bench_pool

    bench_pool(Extent(swaps, seed, log, bytecode))


@bench.command(name="simulate")
def simulate_bench(
    only: Annotated[
        str | None, typer.Option(help="bourse, pams, rmsc04, spread, recording, million, actors.")
    ] = None,
    runs: Annotated[int, typer.Option(min=1, help="Medians of so many.")] = 3,
    share: Annotated[float, typer.Option(min=0.0001, max=1, help="Of the usual work.")] = 1.0,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Simulations beside bourse and PAMS: speed, actors, recording, a million traders."""
    from actors.bench.simulate import bench_simulate

    raise typer.Exit(bench_simulate(only, runs, share, json))


@bench.command(name="agents")
def agents_bench(
    only: Annotated[str | None, typer.Option(help="rules, similar, cycle, restart.")] = None,
    decisions: Annotated[
        int, typer.Option(min=1_000, help="Among which similar ones are looked for.")
    ] = 100_000,
    share: Annotated[float, typer.Option(min=0.0001, max=1, help="Of the usual work.")] = 1.0,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Signal agents: cycles beside live markets, rules, similar decisions, restarts."""
    from actors.bench.agents import bench_agents

    raise typer.Exit(bench_agents(only, decisions, share, json))


@bench.command()
def facts(
    scenario: Annotated[str, typer.Argument(help="A shipped scenario, or a file.")] = "calm",
    seeds: Annotated[int, typer.Option(min=1, help="How many runs.")] = 10,
    seed: Annotated[int, typer.Option(min=0, help="Of the first run.")] = 1,
    duration: Annotated[int | None, typer.Option(min=1, help="Simulated seconds.")] = None,
    compare: Annotated[list[Path] | None, typer.Option(help="Real trades, CSV or CSV.gz.")] = None,
) -> None:
    """Which stylised facts a scenario shows, seed by seed, beside real trades."""
    from actors.bench.facts import bench_facts

    raise typer.Exit(bench_facts(scenario, seed, seeds, duration, compare or []))


if __name__ == "__main__":
    app()
