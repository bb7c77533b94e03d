"""What the keeper has done and seen."""

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel


class UpkeepRow(SQLModel, table=True):
    """The one row of upkeep: when the database was last pruned, and why not since.

    failures   in a row; 0 after one that succeeded
    """

    __tablename__ = "upkeep"
    id: int = Field(primary_key=True)
    pruned_at_us: int = Field(sa_type=BigInteger, default=0)
    failed_at_us: int = Field(sa_type=BigInteger, default=0)
    failures: int = 0
    reason: str = ""


class TableSizeRow(SQLModel, table=True):
    """How large a table was, indexes and out-of-line values included."""

    __tablename__ = "table_sizes"
    at_us: int = Field(sa_type=BigInteger, primary_key=True)
    name: str = Field(primary_key=True)
    size_bytes: int = Field(sa_type=BigInteger)
