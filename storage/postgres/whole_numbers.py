"""Numbers longer than 64 bits come from PostgreSQL as int, like all others of the exchange."""

from decimal import Decimal
from typing import Any

import psycopg
from psycopg.adapt import AdaptersMap, Buffer, Loader
from psycopg.pq import Format


class WholeLoader(Loader):
    """A numeric as int; as Decimal where it has digits behind the point."""

    def load(self, data: Buffer) -> int | Decimal:
        """From text."""
        text = bytes(data)
        return Decimal(text.decode()) if b"." in text else int(text)


class WholeBinaryLoader(Loader):
    """The same from PostgreSQL's binary form, by way of psycopg's own loader."""

    format = Format.BINARY

    def __init__(self, oid: int, context: Any = None) -> None:
        super().__init__(oid, context)
        loader = psycopg.adapters.get_loader(oid, Format.BINARY)
        assert loader is not None, "psycopg knows numeric"
        self._decimal = loader(oid, context)

    def load(self, data: Buffer) -> int | Decimal:
        """From binary."""
        number: Decimal = self._decimal.load(data)
        whole = int(number)
        return whole if whole == number else number


class WholeNumbers:
    """What a connection is opened with so that it reads in this way."""

    def __init__(self) -> None:
        self.adapters = AdaptersMap(psycopg.adapters)
        self.adapters.register_loader("numeric", WholeLoader)
        self.adapters.register_loader("numeric", WholeBinaryLoader)
        self.connection = None


WHOLE_NUMBERS = WholeNumbers()
