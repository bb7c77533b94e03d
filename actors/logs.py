"""Logs: one JSON object a line, one file a process, in the data directory's log folder."""

import logging
import sys
from pathlib import Path
from typing import TextIO

import structlog

LOG_BYTES_MAX = 50_000_000
"""A log file larger than this is moved aside once when its process starts."""


def log_to_file(log_dir: str | None, name: str, level: str) -> None:
    """Write this process's log to log_dir/name.log, or to stderr where there is no directory."""
    stream: TextIO = sys.stderr
    if log_dir is not None and Path(log_dir).is_dir():
        path = Path(log_dir) / f"{name.replace(':', '-')}.log"
        if path.exists() and path.stat().st_size > LOG_BYTES_MAX:
            path.replace(path.with_suffix(".log.old"))
        stream = path.open("a", buffering=1)
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
        logger_factory=structlog.WriteLoggerFactory(file=stream),
        cache_logger_on_first_use=False,
    )
