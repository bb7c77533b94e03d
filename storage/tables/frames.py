"""What is to be told to whoever listens to an account, in the order in which it happened."""

from sqlalchemy import BigInteger, Index
from sqlmodel import Field, SQLModel


class ListenedRow(SQLModel, table=True):
    """An account that somebody listens to, or has listened to lately.

    seq        its last frame's; a row that is made anew begins beyond those of before
    until_us   when it goes unless somebody still listens
    """

    __tablename__ = "listened_accounts"
    account_id: int = Field(sa_type=BigInteger, primary_key=True)
    seq: int = Field(sa_type=BigInteger)
    until_us: int = Field(sa_type=BigInteger)


class FrameRow(SQLModel, table=True):
    """Something of an account has changed. What it is now, its own row says.

    Written by triggers of the tables themselves, so that no writer can forget it.

    kind        one of storage.reading.account_frames.FrameKind
    reference   the order, the fill, the market of the position, the asset of the balance
    """

    __tablename__ = "account_frames"
    __table_args__ = (Index("account_frames_by_age", "at_us"),)
    account_id: int = Field(sa_type=BigInteger, primary_key=True)
    seq: int = Field(sa_type=BigInteger, primary_key=True)
    kind: str
    reference: str
    at_us: int = Field(sa_type=BigInteger)
