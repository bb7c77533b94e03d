"""What a market's actor says of itself."""

from dataclasses import dataclass


@dataclass(frozen=True)
class MarketHealth:
    """How a market is, for the supervisor and for people. Zeros where it has no state."""

    market_id: str
    halted: str | None
    batch_no: int
    command_seq: int
    event_seq: int
    open_orders: int
    is_quoted: bool
