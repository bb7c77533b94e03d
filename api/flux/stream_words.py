"""How Flux words what it tells over its WebSocket: the answers of its GETs, in an envelope."""

from typing import Any

from pydantic import BaseModel

from api.credentials.tokens import user_id_text
from api.desk.identifiers import account_id_text
from api.door.json_text import json_bytes
from api.door.stream_topics import Channel, Levels, Told, Topic
from api.door.wire import Wire
from api.flux import wording
from api.flux.envelope import error_of
from api.flux.margin_answers import balance_answers
from sim.market import MarketSpec
from sim.refusals import Refused

CHANNELS = {
    "trades": Channel.TRADES,
    "orderbook": Channel.BOOK,
    "candles": Channel.CANDLES,
    "mark_price": Channel.MARK_PRICE,
    "funding": Channel.FUNDING,
    "orders": Channel.ORDERS,
    "fills": Channel.FILLS,
    "positions": Channel.POSITIONS,
    "balances": Channel.BALANCES,
}
NAMES = {channel: name for name, channel in CHANNELS.items()}
NOT_PAID = "Funding is paid in simulations; here not yet, so there is no next time"
NOWHERE = {"method": "", "path": ""}


class FundingAnswer(Wire):
    """What is known of a market's funding."""

    market_id: str
    funding_rate: str
    funding_interval_hours: int
    funding_rate_cap: str
    note: str


class ClosedPositionAnswer(Wire):
    """A position that is none any more."""

    user_id: str
    account_id: str
    market_id: str
    quantity: str = "0"


def message(kind: str, topic: Topic, sequence: int | None = None, data: str | None = None) -> str:
    """The envelope around data that is JSON already."""
    head: dict[str, Any] = {"type": kind, "channel": NAMES[topic.channel]}
    if topic.channel.is_private:
        head["account"] = account_id_text(topic.account_id)
    else:
        head["market"] = topic.market_id
    if topic.interval:
        head["interval"] = topic.interval
    if sequence is not None:
        head["sequence"] = sequence
    text = json_bytes(head).decode()
    return text if data is None else f'{text[:-1]},"data":{data}}}'


def authenticated(user_id: int) -> str:
    """Who the client is."""
    return json_bytes({"type": "authenticated", "userId": user_id_text(user_id)}).decode()


def error(refused: Refused) -> str:
    """The envelope's code, sentence and details, the sentence as `reason`."""
    inside = error_of(refused, NOWHERE)
    told = {"type": "error", "code": inside.pop("code"), "reason": inside.pop("message")}
    return json_bytes(told | inside).decode()


def data_of(told: Told, user_id: int | None) -> str:
    """What is told, as JSON."""
    if told.topic.channel.is_private:
        assert user_id is not None, "private topics are somebody's"
        return text_of(of_account(told, user_id))
    assert told.spec is not None, "public topics are a market's"
    return of_market(told, told.spec)


def of_account(told: Told, user_id: int) -> BaseModel:
    """An order, a fill, a position or a balance as GET shows it."""
    row, spec, channel = told.row, told.spec, told.topic.channel
    if channel == Channel.BALANCES:
        answers = balance_answers(row.standing, user_id)
        return next(one for one in answers if one.asset == row.asset)
    assert spec is not None, "what is traded is traded in a market"
    if channel == Channel.ORDERS:
        return wording.order_answer(row, spec, user_id)
    if channel == Channel.FILLS:
        return wording.fill_answer(row, spec, user_id)
    if isinstance(row, str):
        return ClosedPositionAnswer(
            user_id=user_id_text(user_id),
            account_id=account_id_text(told.topic.account_id),
            market_id=row,
        )
    return wording.position_answer(row, spec, user_id)


def of_market(told: Told, spec: MarketSpec) -> str:
    """The book, trades, a candle or a price as GET shows it."""
    row, channel = told.row, told.topic.channel
    if channel == Channel.TRADES:
        trades = (text_of(wording.trade_answer(trade, spec)) for trade in row)
        return f"[{','.join(trades)}]"
    if channel == Channel.BOOK:
        return book(told, row, spec)
    if channel == Channel.CANDLES:
        return text_of(wording.candle_answer(row, told.topic.interval, spec))
    if channel == Channel.MARK_PRICE:
        return text_of(wording.price_answer(row, spec))
    terms = wording.perpetual_terms(spec)
    return text_of(
        FundingAnswer(
            market_id=spec.market_id,
            funding_rate="0",
            funding_interval_hours=terms["funding_interval_hours"],
            funding_rate_cap=terms["funding_rate_cap"],
            note=NOT_PAID,
        )
    )


def book(told: Told, levels: Levels, spec: MarketSpec) -> str:
    """A book, or what has changed of the one with number `prevSeq`."""
    answer = wording.book_answer(spec, told.sequence, levels.at_us, levels.bids, levels.asks)
    numbers = {"seq": told.sequence}
    if not told.is_whole:
        numbers["prevSeq"] = levels.before_seq
    return f"{json_bytes(numbers).decode()[:-1]},{text_of(answer)[1:]}"


def text_of(answer: BaseModel) -> str:
    """A model as every answer has it."""
    return answer.model_dump_json(by_alias=True, exclude_none=True)
