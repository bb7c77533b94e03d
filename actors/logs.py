"""Logs: one JSON object a line, one file a process, in the data directory's log folder."""

import logging
import sys
from pathlib import Path
from typing import TextIO, cast

import structlog

from storage.log_stream import LogStream

LOG_BYTES_MAX = 50_000_000
"""A log file larger than this is moved aside once when its process starts."""


def log_to_file(log_dir: str | None, name: str, level: str) -> None:
    """Write this process's log to log_dir/name.log, or to stderr where there is no directory.

    A log that cannot be written is no reason to stop, nor to raise.
    """
    if log_dir is not None and Path(log_dir).is_dir():
        path = Path(log_dir) / f"{name.replace(':', '-')}.log"
        make_room(path)
        stream = LogStream.at(path)
    else:
        stream = LogStream.beside(sys.stderr)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[level.upper()]
        ),
        logger_factory=structlog.WriteLoggerFactory(cast(TextIO, stream)),
        cache_logger_on_first_use=False,
    )


def make_room(path: Path) -> None:
    """Move a log file that has grown too large aside."""
    try:
        if path.stat().st_size > LOG_BYTES_MAX:
            path.replace(path.with_suffix(".log.old"))
    except OSError:  # there is none yet, or it stays where it is
        return
