"""Answers that are large: few are read from the database at a time, and few are kept until their
clients have taken them; addresses take turns at both."""

from collections.abc import Awaitable, Callable

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.fair_turns import FairTurns, TurnLimits

READ_AT_ONCE_MAX = 2
"""Of one kind: the other connections to the database are orders' and everything else's."""

REPORTS = TurnLimits(24, 2, waiting_max=200, waiting_of_address_max=20)
"""Pages of megabytes."""

RESULTS = TurnLimits(64, 8, waiting_max=200, waiting_of_address_max=50)
"""Objects of some hundred kilobytes; that of the largest grid has a megabyte. They are small before
the end, and asked for again and again until then."""


class LargeAnswers:
    """Turns at answers of one kind."""

    def __init__(self, kind: str, kept: TurnLimits) -> None:
        read = TurnLimits(READ_AT_ONCE_MAX, 1, kept.at_once_max, kept.at_once_of_address_max)
        self.reading = FairTurns(kind, read)
        self.leaving = FairTurns(kind, kept)

    def answer(self, address: str, make: Callable[[], Awaitable[Response]]) -> Response:
        """What make answers, as soon as it is this address's turn."""
        return AnswerInTurn(self, address, make)


class AnswerInTurn(Response):
    """Made when its turn has come. The turn ends when all but the last pieces have left."""

    def __init__(
        self, turns: LargeAnswers, address: str, make: Callable[[], Awaitable[Response]]
    ) -> None:
        super().__init__()
        self._turns = turns
        self._address = address
        self._make = make

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raises what make raises, and Refused UNAVAILABLE where too many wait."""
        async with self._turns.leaving.turn(self._address):
            async with self._turns.reading.turn(self._address):
                answer = await self._make()
            await answer(scope, receive, send)
