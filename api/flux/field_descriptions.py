"""What the fields of Flux's requests and answers mean. A name means the same everywhere, so each is
described once; `Schema.field` is for the few that do not."""

from api.credentials.passwords import PASSWORD_CHARACTERS
from api.door.limits import ROWS_A_REQUEST
from api.door.wire import MILLISECONDS
from sim.market import LEVERAGE_DEFAULT

DECIMAL = "a decimal as text"

FIELDS: dict[str, str] = {
    # Who and what
    "name": "What it is called.",
    "userId": "Whose it is.",
    "accountId": "In which of the user's accounts.",
    "OwnedAccountAnswer.accountId": "The same as `id`.",
    "OwnedAccountAnswer.id": "What the header `X-Account` names it by.",
    "X-Account": "Which of your accounts it is about, such as account_123; your main one where it "
    "is missing. `GET /accounts` lists them.",
    "account_id": "The account's id, such as account_123.",
    "kind": "MAIN came with the user, PAPER was opened beside it.",
    "MarketAnswer.kind": "PERPETUAL: trades make positions, which margin backs. SPOT: both assets "
    "change hands at the fill.",
    "from": "The account that pays.",
    "to": "The account that is paid.",
    "TransferAnswer.from": "What the account that paid has now.",
    "TransferAnswer.to": "What the account that was paid has now.",
    "archived": "true: takes no orders and moves no money, and is not listed unless asked for.",
    "archivedAt": f"Since when it is archived, in {MILLISECONDS}; absent where it is not.",
    "id": "The same as `orderId`, `tradeId` and role, or `marketId`: every thing has an `id`.",
    "LedgerAnswer.id": "The entry's number.",
    "ApiKeyAnswer.id": "The API key's id, by which it is revoked.",
    "NewApiKeyAnswer.id": "The API key's id, by which it is revoked.",
    "RevokedAnswer.id": "The API key's id.",
    "TradeAnswer.id": "The trade's id.",
    "FillAnswer.id": "The trade's id and this side's role.",
    "orderId": "The order's id.",
    "order_id": "The order's id, such as order_123.",
    "clientOrderId": "Your own id of the order, unique in your account for ever: the same id and "
    "order again is the same order, another order with it is refused.",
    "tradeId": "The trade's id; both sides have the same.",
    "marketId": "The market, such as BTC-PERP.",
    "market_id": "The market, such as BTC-PERP.",
    "market": "The same as `marketId`.",
    "symbol": "The same as `marketId`.",
    "haltReason": "Why the market is halted; absent where it is not.",
    "haltedMarkets": "Markets that are halted, and so were left as they are, with the reason.",
    # Money
    "asset": "USDC, ETH, USDT, or the base asset of a spot market.",
    "amount": f"How much, {DECIMAL} or a number; at most 6 decimals of USDC and USDT,"
    " 8 of any other asset.",
    "LedgerAnswer.amount": "By how much the balance changed, with its sign.",
    "total": f"All of it, {DECIMAL}.",
    "locked": "The part of `total` that open orders reserve.",
    "balanceAfter": "The balance after this entry; absent where another asset's leg.",
    "transactionId": "The transaction whose legs sum to zero.",
    "referenceId": "What caused it, where that has an id.",
    "LedgerAnswer.type": "What moved it: DEPOSIT, WITHDRAW, TRANSFER, TRADING_FEE and so on.",
    # Orders and fills
    "orders": "The orders, each accepted or refused by itself.",
    "side": "BUY or SELL.",
    "TradeAnswer.side": "The side of the order that took.",
    "type": "MARKET takes what there is at once; LIMIT names its worst price. The others wait "
    "outside of the book until a price meets their trigger: a stop to buy is met from below and "
    "one to sell from above, a TAKE_PROFIT the other way round. Then STOP, TAKE_PROFIT and "
    "TRAILING_STOP become MARKET, never further than 5 % from the trigger, STOP_LIMIT and "
    "TAKE_PROFIT_LIMIT become LIMIT.",
    "triggerPrice": f"What the order waits for, {DECIMAL} or a number: a multiple of the tick "
    "size. Needed by STOP, STOP_LIMIT, TAKE_PROFIT and TAKE_PROFIT_LIMIT.",
    "trailingOffset": f"How far a TRAILING_STOP's trigger stays behind the best price since it "
    f"came, {DECIMAL} or a number: a multiple of the tick size.",
    "triggerBy": "LAST waits for a trade, MARK for the mark price; LAST where it is missing.",
    "triggered": "Whether it has come in; absent where it never waits.",
    "triggeredAt": f"When it came in, in {MILLISECONDS}; absent before.",
    "linkId": "Your own name for two orders of a market of which a fill or the trigger of one "
    "cancels the other: the first open order with it begins the link, the next one completes it.",
    "amendPending": "true from when an amendment is accepted until the market has done it or not; "
    "absent otherwise.",
    "amendRejectionReason": "Why the market did not do the last amendment; absent where it did, "
    "and while `amendPending` is true.",
    "quantity": f"How much of the base asset, {DECIMAL} or a number: a multiple of the lot size.",
    "PositionAnswer.quantity": "How much is held: positive is long, negative is short.",
    "LevelAnswer.quantity": "How much rests at this price.",
    "price": f"In the quote asset, {DECIMAL} or a number: a multiple of the tick size. What is or "
    "becomes a MARKET order has none.",
    "LevelAnswer.price": "The level's price.",
    "timeInForce": "GTC rests until it is cancelled, IOC takes what it can at once, FOK all or "
    "nothing, GTD is GTC until `expiresAt`. MARKET is IOC and all others are GTC unless they say "
    "otherwise; what waits does so until it is cancelled, whichever it has.",
    "reduceOnly": "Never opens a position and never turns one around: what rests of it is cut to "
    "what the position leaves beside the account's other such orders, when it is placed or amended "
    "and whenever the position changes, the newest order first. `quantity` says to what, and no "
    "reason is given for it. Refused in a spot market, where there are no positions.",
    "postOnly": "Never takes: rejected where it would.",
    "OrderSent.leverage": "How many times the margin the position may be worth; up to the market's "
    "`maxLeverage`. While you have a position or open orders in the market it has to be theirs, "
    f"which is meant where it is missing; at first {LEVERAGE_DEFAULT} where it is missing and the "
    "market allows as much. A spot market has none, and refuses any.",
    "leverage": "How many times the margin the position may be worth; up to the market's "
    "`maxLeverage`.",
    "remainingQuantity": "What has not been filled.",
    "filledQuantity": "What has been filled.",
    "averagePrice": "The mean price of what was filled; absent before the first fill.",
    "rejectionReason": "Why the market rejected it; absent unless it is REJECTED.",
    "cancelReason": "Who or what ended it before it was filled: CLIENT, DEAD_MANS_SWITCH, "
    "OPERATOR, SELF_TRADE, IOC_UNFILLED, FOK_UNFILLABLE, MARKET_LIQUIDITY_EXHAUSTED, "
    "PRICE_BAND, REDUCE_ONLY_EXCESS, TIME, LINKED or POST_ONLY_WOULD_TAKE; absent unless it is "
    "CANCELLED or EXPIRED.",
    "balances": "With how much of which asset to begin anew; nothing where it is missing.",
    "status": "The state at this moment: PENDING is durably accepted, then OPEN, PARTIALLY_FILLED, "
    "FILLED, CANCELLED, REJECTED or EXPIRED.",
    "PlacedAnswer.status": "PENDING: the order is durably accepted. PENDING_CANCEL, PENDING_AMEND: "
    "the market is asked to cancel or amend it, and the order tells how that ended. In answer to a "
    "repetition of an order, its state at this moment.",
    "MarketAnswer.status": "ACTIVE while orders are taken.",
    "CancelAllAnswer.status": "PENDING_CANCEL: each order tells how it ended.",
    "CancelEntry.status": "PENDING_CANCEL: the order tells how it ended. Absent where `error` says "
    "why not.",
    "requested": "How many open orders are asked to be cancelled.",
    "results": "One entry an order, in the orders' order.",
    "timeoutMs": "In how many milliseconds; 0 takes the switch away.",
    "cancelAt": f"When, in {MILLISECONDS}; absent for never.",
    "liquidityRole": "MAKER rested in the book, TAKER came to it.",
    "notional": "Price times quantity.",
    "fee": "What this side paid; negative where it was paid.",
    "FillAnswer.realizedPnl": "Profit or loss that this fill realised, before its fee.",
    "PositionAnswer.realizedPnl": "Profit or loss that the account has realised in this market, in "
    "all positions that it ever had there, less their fees.",
    "equity": "What backs positions: `total` of USDC and `unrealizedPnl`. What the account owns of "
    "other assets is no part of it.",
    "initialMargin": "What positions bind: their notional ÷ leverage.",
    "maintenanceMargin": "What the account's equity must stay above.",
    "openLoss": "What the open orders would lose at once, with their fees, if they traded at their "
    "limits, and all that purchases in spot markets would pay; never more than `equity` when an "
    "order is taken.",
    "available": "What new orders may reserve: `equity` less `initialMargin` and `locked`. Below 0 "
    "where open positions have lost so much, or orders that only reduce them have locked more than "
    "that: then no order that opens is taken.",
    "HeldBalanceAnswer.available": "What new orders may reserve; of USDC less the margin of "
    "positions, of other assets `total` less `locked`. Below 0 where open positions have lost "
    "so much.",
    "withdrawable": "What may leave, never below 0: the least of `available`, `total` less "
    "`locked` and what positions have lost, and `equity` less what open orders may lose, where "
    "each lot counts for an atom more, since each fill rounds its fee up.",
    "marginRatio": "`maintenanceMargin` ÷ `equity`; at 1 an account is due to be liquidated, which "
    "this server does not do yet. Absent where no equity is left.",
    "liquidationPrice": "The mark price, to the nearest tick, at which `equity` is the maintenance "
    "margin if nothing else moves; absent where there is none.",
    "positions": "The open positions, at mark.",
    "leverages": "The leverage in each market where one was ever set, by an order or by request.",
    "entryPrice": "The mean price at which the position was entered.",
    "unrealizedPnl": "Profit or loss at the mark price; absent where the market has none.",
    # Markets
    "baseAsset": "What is bought and sold.",
    "quoteAsset": "What prices and money are in.",
    "tickSize": "Prices are multiples of it.",
    "lotSize": "Quantities are multiples of it.",
    "minQuantity": "The least an order may be for.",
    "maxQuantity": "The most an order may be for.",
    "maxPrice": "The highest price an order may have.",
    "maxLeverage": "The highest leverage an order may have.",
    "initialMarginRate": "The share of a position's worth that is needed to open it at the highest "
    "leverage.",
    "maintenanceMarginRate": "The share of a position's worth below which it is liquidated.",
    "makerFeeRate": "The share of the notional that a maker pays.",
    "takerFeeRate": "The share of the notional that a taker pays.",
    "fundingIntervalHours": "Hours between two payments of funding.",
    "fundingRateCap": "The most that one payment of funding may be, as a share of the notional.",
    "priceBand": "How far from mark, as a share of it, an order may take.",
    "fundingRate": "The last rate of funding that was paid; absent of a spot market.",
    "markPrice": "The fair price by which positions are valued.",
    "indexPrice": "The price of the underlying elsewhere.",
    "sequence": "The number of the event in its market: it only grows.",
    "bids": "Levels of buyers, the highest first.",
    "asks": "Levels of sellers, the lowest first.",
    "orderCount": "How many orders rest at this price.",
    "priceTicks": "The same as `price`.",
    "totalQtyLots": "The same as `quantity`.",
    "depth": f"How many levels a side; each {ROWS_A_REQUEST} of both count as a request.",
    "interval": "The length of a candle.",
    "openTime": f"When the interval begins, in {MILLISECONDS}.",
    "open": "The first price.",
    "high": "The highest price.",
    "low": "The lowest price.",
    "close": "The last price.",
    "volume": "How much of the base asset was traded.",
    "quoteVolume": "What was traded in the quote asset.",
    "trades": "How many trades there were.",
    "simulated": "True where some of it is from before the world began; else it is absent.",
    # Pages and times
    "limit": f"The most rows of a page; it counts as a request for each {ROWS_A_REQUEST}.",
    "cursor": "The header `X-Next-Cursor` of the page before.",
    "end": "The older name of `until`; not both.",
    "since": f"What happened then or later, in {MILLISECONDS}.",
    "until": f"What happened before then, in {MILLISECONDS}.",
    "time": f"The server's clock, in {MILLISECONDS}.",
    "timestamp": f"When this was so, in {MILLISECONDS}.",
    "createdAt": f"When, in {MILLISECONDS}.",
    "FillAnswer.createdAt": f"When the account saw it, in {MILLISECONDS}: what an account sees "
    "never goes back in time, so it may be some milliseconds after the trade's own time.",
    "updatedAt": f"When it last changed, in {MILLISECONDS}.",
    # Users
    "email": "An e-mail address; it is only ever a name here, nothing is sent to it.",
    "password": "{} to {} characters where one registers.".format(*PASSWORD_CHARACTERS),
    "token": "The bearer token: `Authorization: Bearer TOKEN`.",
    "expiresIn": "For how many seconds the token opens anything.",
    "refreshToken": "Gets the next token and refresh token, once.",
    "refreshExpiresIn": "For how many seconds the refresh token can be used.",
    "LoggedOutAnswer.status": "LOGGED_OUT",
    # API keys
    "key": "The API key: `X-API-Key: KEY`. It is shown this once.",
    "key_id": "The API key's id, such as key_7.",
    "prefix": "How the key begins, to tell it from others.",
    "scopes": "`read` opens GET routes, `trade` all others.",
    "expiresInS": "In how many seconds it expires; without it, when it is revoked.",
    "expiresAt": f"When it expires, in {MILLISECONDS}; absent for never.",
    "OrderSent.expiresAt": f"When a GTD order ends, in {MILLISECONDS}; in the future.",
    "OrderAnswer.expiresAt": f"When it ends by itself, in {MILLISECONDS}; absent for never.",
    "lastUsedAt": f"When it was last used, to the hour, in {MILLISECONDS}; absent for never.",
    "RevokedAnswer.status": "REVOKED",
    # Refusals
    "error": "Why not.",
    "code": "A stable name for programs.",
    "message": "A sentence for people.",
    "details": "Facts that help, such as `nearest`, `required` and `available`.",
    # Operations
    "processed": "How many accepted commands were waited for.",
}
