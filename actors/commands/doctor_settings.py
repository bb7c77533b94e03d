"""What is wrong with what a deployment has been told: its world, its directory, its servers."""

import os
from collections.abc import Callable, Iterator
from functools import wraps

from actors.cluster.ours import check_ray_address
from actors.commands.beginning import read_beginning
from actors.commands.finding import Finding
from sim.scenario.fields import ScenarioError
from storage.errors import StorageError
from storage.files.headlines_file import HeadlinesFileError
from storage.files.trades_file import TradesFileError
from storage.servers.data_directory import look_at, socket_directory
from storage.servers.embedded import programs, refuse_another_version
from storage.servers.given import check_postgres, check_redis
from storage.servers.given_roles import given_urls, may_make_users
from storage.servers.server_identity import server_identity
from storage.servers.server_programs import SHELTER, is_open_to_all
from storage.settings import ConfigurationError, Settings

FAULTS = (ConfigurationError, ScenarioError, TradesFileError, HeadlinesFileError, StorageError)
Check = Callable[[Settings], Iterator[Finding]]


def told(subject: str) -> Callable[[Check], Check]:
    """Whatever the check is refused with is a problem of that subject."""

    def decorate(check: Check) -> Check:
        @wraps(check)
        def guarded(settings: Settings) -> Iterator[Finding]:
            try:
                yield from check(settings)
            except FAULTS as error:
                yield Finding("problem", subject, str(error))

        return guarded

    return decorate


@told("world")
def world(settings: Settings) -> Iterator[Finding]:
    """Read as `up` reads it, with the prices and headlines that it needs."""
    found = read_beginning(settings).world
    markets = ", ".join(listed.spec.market_id for listed in found.markets)
    yield Finding("good", "world", f"{settings.world}, with {markets}.")


@told("data directory")
def data_directory(settings: Settings) -> Iterator[Finding]:
    """Whether it is ours or free, and whether nobody works in it."""
    path = settings.data_path
    look_at(path)
    refuse_another_version(path / "postgres")
    sockets = socket_directory(path)
    where = "" if sockets.parent == path else f"; sockets in {sockets.parent}"
    yield Finding("good", "data directory", f"{path}{where}.")


@told("PostgreSQL")
def database(settings: Settings) -> Iterator[Finding]:
    """A server that is given answers, and has users for each part of us or may have them."""
    if settings.database_url is None:
        return
    url = settings.database_url.get_secret_value()
    check_postgres(url)
    if (given := given_urls(settings)) is not None:
        check_postgres(given.engine, "SANDPIT_ENGINE_DATABASE_URL")
        check_postgres(given.api, "SANDPIT_API_DATABASE_URL")
        yield Finding("good", "PostgreSQL", "answers at DATABASE_URL, and to the other two users.")
    elif may_make_users(url):
        yield Finding("good", "PostgreSQL", "answers at DATABASE_URL, and users can be made there.")
    else:
        yield Finding(
            "warning",
            "PostgreSQL",
            "answers at DATABASE_URL, whose user may make no others, so that all processes share "
            "its rights: `sandpit db grants` prints what to run there, then set "
            "SANDPIT_ENGINE_DATABASE_URL and SANDPIT_API_DATABASE_URL.",
        )


@told("Valkey")
def valkey(settings: Settings) -> Iterator[Finding]:
    """A server that is given answers."""
    if settings.redis_url is None:
        return
    check_redis("REDIS_URL", settings.redis_url.get_secret_value())
    if settings.limits_redis_url is not None:
        check_redis("SANDPIT_LIMITS_REDIS_URL", settings.limits_redis_url)
    yield Finding("good", "Valkey", "answers at REDIS_URL.")


@told("Ray")
def cluster(settings: Settings) -> Iterator[Finding]:
    """A cluster that is given answers."""
    if settings.ray_address is None:
        return
    check_ray_address(settings)
    yield Finding("good", "Ray", f"answers at {settings.ray_address}.")


@told("servers")
def own_servers(settings: Settings) -> Iterator[Finding]:
    """Whether the servers that come with us can be executed, and as whom."""
    if settings.database_url is not None and settings.redis_url is not None:
        return
    identity = server_identity(settings.servers_user)
    who = f"user {identity.name}" if identity.kind == "drop" else "this user"
    copied = ""
    for name, program in programs().items():
        if not os.access(program, os.X_OK):
            yield Finding("problem", name, f"{program} cannot be executed: run make setup.")
        elif identity.kind == "drop" and not is_open_to_all(program):
            copied = f", from a copy in {SHELTER}, as it cannot reach {program.parent}"
    yield Finding("good", "servers", f"run as {who}{copied}.")


CHECKS = (world, data_directory, database, valkey, cluster, own_servers)
