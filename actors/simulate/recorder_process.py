"""A recorder of trades beside a simulation that runs in one process: a process of its own. And what
one beside actors does, which spread_world.py puts into Ray.

Rows go through memory that both map, in slots; what is said about them goes through a pair of
sockets. The recorder holds no lock of the simulation's and shares no interpreter with it, and it
ends when the simulation's process does.
"""

import json
import mmap
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from actors.own_tree import command
from storage.errors import StorageError
from storage.runs.recorded_trades import DatabaseTrades, TradesMissing

Rows = npt.NDArray[np.void]

QUEUED_CHUNKS_MAX = 16
CHUNK_ROWS_MAX = 65_536
"""Rows of a slot; of these chunks at most QUEUED_CHUNKS_MAX wait, then the run does."""

POLL_S = 0.2
END_S_MAX = 120.0


class RecordingFailed(Exception):
    """Trades cannot be written any more. The message is a clause that says why."""


class TradeWriter(Protocol):
    """DatabaseTrades and ParquetTrades alike."""

    written: list[int]

    def write(self, market_no: int, first: int, rows: Rows) -> None: ...

    def end(self) -> None: ...


def writer_of(told: Mapping[str, Any]) -> TradeWriter:
    """The writer that a run's `recorder` describes."""
    given = {name: value for name, value in told.items() if name != "to"}
    if told["to"] == "postgres":
        return DatabaseTrades(**given)
    from storage.runs.parquet_run import ParquetTrades

    return ParquetTrades(**given)


class TradeRecorder:
    """What a recorder beside actors does, as a plain class: `told` is what a run's `recorder`
    answered."""

    def __init__(self, told: Mapping[str, Any]) -> None:
        self._writer, self._busy_s = writer_of(told), 0.0

    def write(self, markets: Sequence[int], taken: Sequence[tuple[int, Rows]]) -> None:
        """What Tape.taken gave for each. Raises StorageError, TradesMissing."""
        began = time.monotonic()
        for market_no, (first, rows) in zip(markets, taken, strict=True):
            self._writer.write(market_no, first, rows)
        self._busy_s += time.monotonic() - began

    def end(self) -> tuple[list[int], float]:
        """Trades written of each market, and seconds spent writing."""
        self._writer.end()
        return self._writer.written, self._busy_s


class RecorderProcess:
    """The simulation's end.

    told   what the run's `recorder` answered
    row    dtype of the rows

    waits, waited_s   how often, and how long in all, the run waited for a free slot
    """

    def __init__(self, told: Mapping[str, Any], row: np.dtype[np.void]) -> None:
        self.waits, self.waited_s = 0, 0.0
        self._free = list(range(QUEUED_CHUNKS_MAX))
        self._failure: str | None = None
        self._done: tuple[list[int], float] | None = None
        ours, theirs = socket.socketpair()
        memory = _shared_memory(QUEUED_CHUNKS_MAX * CHUNK_ROWS_MAX * row.itemsize)
        self._slots = _mapped(memory, row)
        # A group of its own: a terminal's Ctrl-C is for the simulation.
        self._process = subprocess.Popen(
            command("actors.simulate.recorder_process", theirs.fileno(), memory),
            pass_fds=(theirs.fileno(), memory),
            stdin=subprocess.DEVNULL,
            process_group=0,
        )
        theirs.close()
        os.close(memory)
        self._channel = Connection(ours.detach())
        self._channel.send_bytes(json.dumps({"told": told, "row": row.descr}).encode())

    @property
    def failure(self) -> str | None:
        """Why nothing more is written; None while all is well."""
        self._hear(0)
        return self._failure

    def put(self, markets: Sequence[int], taken: Sequence[tuple[int, Rows]]) -> None:
        """Hand over what Tape.taken gave for each; waits where all slots are full.

        Raises RecordingFailed.
        """
        for market_no, (first, rows) in zip(markets, taken, strict=True):
            for start in range(0, len(rows), CHUNK_ROWS_MAX):
                part = rows[start : start + CHUNK_ROWS_MAX]
                slot = self._free_slot()
                self._slots[slot, : len(part)] = part
                self._say([slot, market_no, first + start, len(part)])

    def flush(self) -> None:
        """All that was put is written. Raises RecordingFailed."""
        while len(self._free) < QUEUED_CHUNKS_MAX:
            self._hear_or_fail()

    def end(self) -> tuple[list[int], float]:
        """Trades written of each market, and seconds spent writing. Raises RecordingFailed."""
        self._say(None)
        deadline = time.monotonic() + END_S_MAX
        while self._done is None:
            self._hear_or_fail()
            if time.monotonic() > deadline:
                raise RecordingFailed(f"the recorder has not ended within {END_S_MAX:.0f} s")
        return self._done

    def stop(self) -> None:
        """End the process, whatever it does."""
        self._channel.close()
        self._process.kill()
        self._process.wait()

    def _free_slot(self) -> int:
        self._hear(0)
        if not self._free:
            began = time.monotonic()
            while not self._free:
                self._hear_or_fail()
            self.waits += 1
            self.waited_s += time.monotonic() - began
        return self._free.pop()

    def _say(self, message: object) -> None:
        try:
            self._channel.send_bytes(json.dumps(message).encode())
        except OSError:
            self._failure = self._failure or "the recorder has ended"
            raise RecordingFailed(self._failure) from None

    def _hear_or_fail(self) -> None:
        self._hear(POLL_S)
        if self._failure:
            raise RecordingFailed(self._failure)

    def _hear(self, wait_s: float) -> None:
        """Take in what the recorder has said."""
        try:
            while self._channel.poll(wait_s):
                wait_s = 0
                kind, said = json.loads(self._channel.recv_bytes())
                if kind == "free":
                    self._free.append(said)
                elif kind == "done":
                    self._done = (said[0], said[1])
                else:
                    self._failure = said
        except (EOFError, OSError):
            if self._done is None:
                self._failure = self._failure or "the recorder has ended"


def _shared_memory(size: int) -> int:
    """A file descriptor of so many bytes without a name, gone with the last who has it."""
    if hasattr(os, "memfd_create"):
        handle = os.memfd_create("sandpit-recorder")
    else:
        with tempfile.TemporaryFile() as file:
            handle = os.dup(file.fileno())
    os.truncate(handle, size)
    return handle


def _mapped(handle: int, row: np.dtype[np.void]) -> Rows:
    size = QUEUED_CHUNKS_MAX * CHUNK_ROWS_MAX
    memory = mmap.mmap(handle, size * row.itemsize)
    return np.frombuffer(memory, row).reshape(QUEUED_CHUNKS_MAX, CHUNK_ROWS_MAX)


def serve(channel: Connection, memory: int) -> None:
    """The recorder's end: write what stands in slots until told that nothing more comes."""
    about = json.loads(channel.recv_bytes())
    slots = _mapped(memory, np.dtype([(name, kind) for name, kind in about["row"]]))
    busy_s = 0.0

    def say(kind: str, said: object) -> None:
        channel.send_bytes(json.dumps([kind, said]).encode())

    try:
        writer = writer_of(about["told"])
        while (message := json.loads(channel.recv_bytes())) is not None:
            slot, market_no, first, count = message
            began = time.monotonic()
            writer.write(market_no, first, slots[slot, :count])
            busy_s += time.monotonic() - began
            say("free", slot)
        writer.end()
        say("done", [writer.written, busy_s])
    except (StorageError, TradesMissing, OverflowError) as error:
        say("failed", str(error).rstrip("."))


def main() -> None:
    """Its arguments SOCKET and MEMORY are file descriptors that it inherits."""
    try:
        serve(Connection(int(sys.argv[1])), int(sys.argv[2]))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        os._exit(1)  # the simulation is gone: what is half written is nobody's


if __name__ == "__main__":
    main()
