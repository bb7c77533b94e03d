"""What is wished of a droid, what it is doing, and why it may be doing nothing."""

from enum import IntEnum, StrEnum


class Active(IntEnum):
    """What is wished, as it stands in a request."""

    PAUSE = 0
    RUN = 1
    RESET = 2
    CLOSE = 3


class Status(StrEnum):
    """Of a session; a droid that has none yet is as one that is stopped."""

    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    CLOSING = "CLOSING"
    STOPPED = "STOPPED"


class Note(StrEnum):
    """Why nothing is done that should be, or FAILED: why a droid has paused by itself."""

    OUT_OF_BOUNDS = "OUT_OF_BOUNDS"
    GAS_PRICE = "GAS_PRICE"
    GAS_BUDGET = "GAS_BUDGET"
    NO_ETH = "NO_ETH"
    SPEED = "SPEED"
    FAILED = "FAILED"


class Duty(StrEnum):
    """What is to be done next: OPEN begins a session and works, CLOSE closes every rung and then
    ends the session."""

    REST = "REST"
    OPEN = "OPEN"
    WORK = "WORK"
    PAUSE = "PAUSE"
    CLOSE = "CLOSE"


DUTIES = {
    Status.STOPPED: (Duty.REST, Duty.OPEN, Duty.OPEN, Duty.REST),
    Status.RUNNING: (Duty.PAUSE, Duty.WORK, Duty.CLOSE, Duty.CLOSE),
    Status.PAUSED: (Duty.PAUSE, Duty.WORK, Duty.CLOSE, Duty.CLOSE),
    Status.CLOSING: (Duty.PAUSE, Duty.WORK, Duty.CLOSE, Duty.CLOSE),
}
"""By what is wished: pause, run, reset, close."""


def duty(status: Status, wished: Active) -> Duty:
    return DUTIES[status][wished]


def is_reset_due(sessions: int, done: int, asked: int) -> bool:
    """Whether a reset was asked that is not done; of what has not begun there is nothing to reset.

    sessions   that its mind has begun, here or before a reset
    """
    return sessions > 0 and asked > done


class Why(StrEnum):
    """What a plan is made for: the session's start, a signal outside its band, other bounds or
    another number of rungs, more funding, or a plan that was broken off after its rungs closed."""

    START = "START"
    TRIGGER = "TRIGGER"
    PATCHED = "PATCHED"
    FUNDING = "FUNDING"
    UNFINISHED = "UNFINISHED"


class Stage(StrEnum):
    """How far a plan has come."""

    CLOSE = "CLOSE"
    SWAP = "SWAP"
    MINT = "MINT"
