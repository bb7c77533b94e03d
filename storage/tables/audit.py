"""What the auditor has read last."""

from sqlalchemy import BigInteger, String
from sqlmodel import Field, SQLModel


class AuditReadingRow(SQLModel, table=True):
    """One of reading/audit_readings.py. `market_id` is empty where it is about the whole house;
    `gap` is a sentence where what was read is wrong and has not healed."""

    __tablename__ = "audit_readings"
    name: str = Field(primary_key=True)
    market_id: str = Field(primary_key=True)
    value: int = Field(sa_type=BigInteger)
    gap: str | None = Field(sa_type=String, default=None)
    at_us: int = Field(sa_type=BigInteger)
