"""Driver errors, wrapped once. Nothing above this room catches psycopg's or redis-py's."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import psycopg
import psycopg_pool
import redis
from psycopg import errors as pg

PATIENCE_S = 0.2
PATIENCE_TRIES = 1_500
Result = TypeVar("Result")


class StorageError(Exception):
    """The world failed us; asking again later may work."""


class DatabaseUnavailable(StorageError):
    """PostgreSQL did not do it, and for certain nothing was committed."""


class StreamUnavailable(StorageError):
    """Valkey did not answer, or did not do what it was asked."""


class OutcomeUnknown(StorageError):
    """The connection was lost while COMMIT was under way: it may have happened."""


class Superseded(StorageError):
    """Another process has taken this market over; this one must end."""


class CorruptState(StorageError):
    """What is stored contradicts itself; the market it belongs to must halt."""


@contextmanager
def wrapped() -> Iterator[None]:
    """Turns a driver's operational errors into DatabaseUnavailable or StreamUnavailable."""
    try:
        yield
    except (psycopg.OperationalError, psycopg_pool.PoolTimeout, psycopg_pool.PoolClosed) as error:
        raise DatabaseUnavailable(first_line(error)) from error
    except (psycopg.InterfaceError, pg.IdleInTransactionSessionTimeout) as error:
        raise DatabaseUnavailable(first_line(error)) from error
    except redis.RedisError as error:  # what Valkey refuses (no memory, say) is as good as away
        raise StreamUnavailable(first_line(error)) from error


def first_line(error: Exception) -> str:
    """An error's first line: drivers append hints and addresses below it."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def told(error: Exception) -> str:
    """An error as an operator reads it: what we raised ourselves speaks for itself."""
    ours = isinstance(error, (StorageError, AssertionError))
    said = first_line(error)
    return said if ours or said == type(error).__name__ else f"{type(error).__name__}: {said}"


def patiently(work: Callable[[], Result]) -> Result:
    """Try until PostgreSQL is there, PATIENCE_TRIES times at the most; then its last error."""
    for _ in range(PATIENCE_TRIES - 1):
        try:
            return work()
        except DatabaseUnavailable:
            time.sleep(PATIENCE_S)
    return work()
