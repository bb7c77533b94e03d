"""Servers that others run: whether the addresses in the settings can be used, in one sentence."""

from urllib.parse import urlsplit

import psycopg
import redis
from psycopg.conninfo import conninfo_to_dict
from redis.backoff import NoBackoff
from redis.retry import Retry

from storage.errors import first_line
from storage.servers.given_roles import given_urls
from storage.settings import ConfigurationError, Settings

ANSWER_S_MAX = 3
POSTGRES_ADDRESS = "postgresql://USER:PASSWORD@HOST:PORT/DATABASE"
REDIS_ADDRESS = "redis://USER:PASSWORD@HOST:PORT/0 or unix://USER:PASSWORD@/PATH"


def check_given_servers(settings: Settings) -> None:
    """Looks at every server that is not started here. Raises ConfigurationError."""
    if settings.database_url is not None:
        check_postgres(settings.database_url.get_secret_value())
        given = given_urls(settings)
        if given is not None:
            check_postgres(given.engine, "SANDPIT_ENGINE_DATABASE_URL")
            check_postgres(given.api, "SANDPIT_API_DATABASE_URL")
    if settings.redis_url is not None:
        check_redis("REDIS_URL", settings.redis_url.get_secret_value())
        if settings.limits_redis_url is not None:
            check_redis("SANDPIT_LIMITS_REDIS_URL", settings.limits_redis_url)


def check_postgres(url: str, variable: str = "DATABASE_URL") -> None:
    """Raises ConfigurationError, which never repeats what may be a password."""
    if not url.startswith(("postgresql://", "postgres://")):
        raise ConfigurationError(f"{variable} does not read like {POSTGRES_ADDRESS}.")
    try:
        psycopg.connect(url, connect_timeout=ANSWER_S_MAX).close()
    except psycopg.OperationalError as error:
        raise ConfigurationError(
            f"The PostgreSQL that {variable} names cannot be used: {_told(error)}."
        ) from None
    except psycopg.Error:
        raise ConfigurationError(f"{variable} does not read like {POSTGRES_ADDRESS}.") from None


def check_redis(variable: str, url: str) -> None:
    """Raises ConfigurationError, which never repeats what may be a password."""
    try:
        urlsplit(url).port  # noqa: B018 - raises where it is not a number
        with redis.Redis.from_url(
            url,
            socket_connect_timeout=ANSWER_S_MAX,
            socket_timeout=ANSWER_S_MAX,
            retry=Retry(NoBackoff(), 0),
        ) as client:
            client.ping()
    except redis.RedisError as error:
        raise ConfigurationError(
            f"The Valkey or Redis that {variable} names cannot be used: {_told(error)}."
        ) from None
    except (TypeError, ValueError):  # how redis-py tells of an address that is none
        raise ConfigurationError(f"{variable} does not read like {REDIS_ADDRESS}.") from None


def database_place(url: str) -> str:
    """Which database an address names, whoever asks: host, port and name."""
    parts = conninfo_to_dict(url)
    return "/".join(str(parts.get(name, "")) for name in ("host", "hostaddr", "port", "dbname"))


def _told(error: Exception) -> str:
    return first_line(error).rstrip(".")
