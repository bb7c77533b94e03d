"""A log that cannot be written loses lines, says how many, and breaks nothing."""

import json
import os
from pathlib import Path

import structlog

from storage.log_stream import LogStream

LINE = "x" * 999 + "\n"


def test_lines_that_find_no_room_are_counted_and_told_when_there_is_room_again() -> None:
    reader, writer = os.pipe()  # a pipe that nobody reads is full at once, like a disk
    os.set_blocking(writer, False)
    stream = LogStream(writer)
    while not stream.lost:
        stream.write(LINE)
    for _ in range(4):
        stream.write(LINE)
    assert stream.lost == 5
    before = os.read(reader, 1 << 20).decode()
    stream.write("after\n")
    stream.close()
    after = os.read(reader, 1 << 20).decode()
    os.close(reader)
    assert set(before) <= {"x", "\n"}
    lines = (before + after).splitlines()
    assert lines[-1] == "after"
    assert json.loads(lines[-2]) == {"event": "log_lines_lost", "level": "warning", "lines": 5}
    assert set(lines[:-3]) == {LINE.strip()}


def test_a_full_device_and_a_file_that_cannot_be_made_are_no_error(tmp_path: Path) -> None:
    for path in (Path("/dev/full"), tmp_path / "none" / "actor.log"):
        stream = LogStream.at(path)
        log = structlog.WriteLogger(stream)  # type: ignore[arg-type]
        log.error("this is nowhere")
        assert stream.lost == 1
        stream.close()
        stream.write("after its end\n")
        assert stream.lost == 2


def test_an_existing_log_is_gone_on_with(tmp_path: Path) -> None:
    path = tmp_path / "actor.log"
    path.write_text("before\n")
    stream = LogStream.at(path)
    stream.write("ümlaut \ud800\n")
    stream.close()
    assert path.read_text() == "before\nümlaut \\ud800\n"
