"""What Flux answers about margin, and how it words it."""

from typing import Any

from api.credentials.tokens import user_id_text
from api.desk.identifiers import account_id_text
from api.desk.order_words import price_text, quantity_text
from api.door.answers import example
from api.door.wire import Wire
from api.flux.answers import BALANCE, BalanceAnswer
from api.flux.wording import balance_answer
from sim.market import COLLATERAL
from sim.money.margin import Exposure
from sim.money.position import entry_price_text
from sim.refusals import Refused
from sim.units import PPM, ceil_div, format_atoms, format_ppm
from storage.reading.standing import Standing

LEVERAGE: dict[str, Any] = {"marketId": "BTC-PERP", "leverage": 10}
MARGIN_POSITION: dict[str, Any] = {
    "marketId": "BTC-PERP",
    "quantity": "-0.25",
    "entryPrice": "66000.1",
    "markPrice": "66000",
    "notional": "16500",
    "unrealizedPnl": "0.025",
    "initialMargin": "1650",
    "maintenanceMargin": "82.5",
    "leverage": 10,
    "liquidationPrice": "105074.8",
}


class HeldBalanceAnswer(BalanceAnswer):
    """The same, and what new orders may reserve; absent while a position has no mark price."""

    available: str | None = None

    model_config = example(**BALANCE, available="1834.375")


class LeverageAnswer(Wire):
    """The leverage of an account's position and orders in a market."""

    market_id: str
    leverage: int

    model_config = example(**LEVERAGE)


class MarginPositionAnswer(Wire):
    """An open position as margin sees it, at mark."""

    market_id: str
    quantity: str
    entry_price: str
    mark_price: str
    notional: str
    unrealized_pnl: str
    initial_margin: str
    maintenance_margin: str
    leverage: int
    liquidation_price: str | None = None

    model_config = example(**MARGIN_POSITION)


class AccountAnswer(Wire):
    """How an account stands at mark. `openLoss` is what its open orders would lose at once, fees
    included, if they traded at their limits, all that purchases in spot markets pay among it;
    `marginRatio` is maintenance margin ÷ equity, null
    where there is no equity left."""

    user_id: str
    account_id: str
    asset: str
    total: str
    locked: str
    equity: str
    unrealized_pnl: str
    initial_margin: str
    maintenance_margin: str
    open_loss: str
    available: str
    withdrawable: str
    margin_ratio: str | None = None
    positions: list[MarginPositionAnswer]
    leverages: list[LeverageAnswer]

    model_config = example(
        userId="user_1042",
        accountId="account_1042",
        asset=COLLATERAL,
        total="10000",
        locked="0",
        equity="10000.025",
        unrealizedPnl="0.025",
        initialMargin="1650",
        maintenanceMargin="82.5",
        openLoss="0",
        available="8350.025",
        withdrawable="8350.025",
        marginRatio="0.00825",
        positions=[MARGIN_POSITION],
        leverages=[LEVERAGE],
    )


def balance_answers(standing: Standing, user_id: int) -> list[HeldBalanceAnswer]:
    """Every balance; the collateral's margin is that of all positions."""
    try:
        available = format_atoms(standing.available_atoms)
    except Refused:  # the money is there and can be told
        available = None
    return [
        HeldBalanceAnswer(
            **dict(balance_answer(one, user_id)),
            available=available
            if one.asset == COLLATERAL
            else format_atoms(one.total_atoms - one.locked_atoms, one.asset),
        )
        for one in standing.balances
    ]


def account_answer(standing: Standing, user_id: int) -> AccountAnswer:
    """The sums of an account, and its positions."""
    money, held = standing.collateral, standing.held
    equity = standing.equity_atoms
    ratio = format_ppm(ceil_div(standing.maintenance_atoms * PPM, equity)) if equity > 0 else None
    return AccountAnswer(
        user_id=user_id_text(user_id),
        account_id=account_id_text(money.account_id),
        asset=money.asset,
        total=format_atoms(money.total_atoms),
        locked=format_atoms(money.locked_atoms),
        equity=format_atoms(equity),
        unrealized_pnl=format_atoms(equity - money.total_atoms),
        initial_margin=format_atoms(sum(one.margin_atoms for one in held)),
        maintenance_margin=format_atoms(standing.maintenance_atoms),
        open_loss=format_atoms(sum(one.open_loss_atoms for one in held)),
        available=format_atoms(standing.available_atoms),
        withdrawable=format_atoms(standing.withdrawable_atoms),
        margin_ratio=ratio,
        positions=[position(one, standing) for one in held if one.position.quantity_lots],
        leverages=[
            LeverageAnswer(market_id=one.spec.market_id, leverage=one.leverage)
            for one in sorted(standing.exposures, key=lambda one: one.spec.market_id)
            if not one.spec.is_spot
        ],
    )


def position(held: Exposure, standing: Standing) -> MarginPositionAnswer:
    """One position, with the mark that would end it."""
    spec, liquidation = held.spec, standing.liquidation_ticks(held)
    return MarginPositionAnswer(
        market_id=spec.market_id,
        quantity=quantity_text(spec, held.position.quantity_lots),
        entry_price=entry_price_text(held.position, spec),
        mark_price=price_text(spec, held.mark_ticks),
        notional=format_atoms(held.worth_atoms),
        unrealized_pnl=format_atoms(held.unrealized_atoms),
        initial_margin=format_atoms(held.margin_atoms),
        maintenance_margin=format_atoms(held.maintenance_atoms),
        leverage=held.leverage_in_force,
        liquidation_price=price_text(spec, liquidation) if liquidation is not None else None,
    )
