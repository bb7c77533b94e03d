"""The configuration as clients see it, without secrets, and what they change of it."""

from decimal import Decimal
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.cryptofunk.callers import Chief, Looker
from api.cryptofunk.config_fields import ConfigChange
from api.cryptofunk.decision_answers import as_written
from api.cryptofunk.envelope import malformed
from api.cryptofunk.models_told import NOBODY_ASKED, models_asked
from api.cryptofunk.symbols import listing_of
from api.cryptofunk.trading_answers import EXCHANGE
from api.cryptofunk.wire import Told
from api.door.answers import example, reply_exact
from api.door.describing import documented
from api.door.json_text import exact_json_bytes
from api.door.routing import ExactRoute, services_of
from api.door.wire import ExactDecimal
from api.root import VERSION
from sim.signals.terms import RiskTerms, VotingTerms
from storage.agents.control_entries import ControlAction, note_control
from storage.agents.settings import change_settings, changed_settings
from storage.postgres.unit_of_work import unit_of_work
from storage.settings import Settings

NOTHING_CHANGES = "no valid configuration fields to update"
UPDATED = "Configuration updated successfully"
FORGOTTEN = "Changes are in-memory only and will reset on server restart"
"""As the document has it: they hold for all processes, until the exchange is started again."""

RISK, VOTING = RiskTerms(), VotingTerms()
DEFAULTS: dict[str, Any] = {
    "trading_mode": "paper",
    "initial_capital": Decimal(10_000),
    "max_positions": RISK.max_positions,
    "max_position_size": as_written(RISK.max_position_size),
    "max_daily_loss": as_written(RISK.max_daily_loss),
    "max_drawdown": as_written(RISK.max_drawdown),
    "default_stop_loss": as_written(RISK.default_stop_loss),
    "default_take_profit": as_written(RISK.default_take_profit),
    "default_quantity": as_written(RISK.default_quantity),
    "min_confidence": as_written(VOTING.min_confidence),
    "llm_approval_required": False,
}
SHOWN: dict[str, Any] = {
    "app": {
        "name": "cryptofunk",
        "version": "1.0.0",
        "environment": "development",
        "log_level": "info",
    },
    "trading": {
        "mode": "paper",
        "symbols": ["BTC/USDT", "ETH/USDT"],
        "exchange": EXCHANGE,
        "initial_capital": 10_000,
        "max_positions": 3,
        "default_quantity": 0.1,
    },
    "risk": {
        "max_position_size": 0.1,
        "max_daily_loss": 0.02,
        "max_drawdown": 0.1,
        "default_stop_loss": 0.02,
        "default_take_profit": 0.05,
        "llm_approval_required": False,
        "min_confidence": 0.5,
    },
    "llm": {**NOBODY_ASKED, "temperature": 0.7, "max_tokens": 2_000},
}

router = APIRouter(route_class=ExactRoute, tags=["Agents"])


class AppConfig(Told):
    """What runs here."""

    name: str
    version: str
    environment: str
    log_level: str


class TradingConfig(Told):
    """What sessions trade."""

    mode: str
    symbols: list[str]
    exchange: str
    initial_capital: ExactDecimal
    max_positions: int
    default_quantity: ExactDecimal


class RiskConfig(Told):
    """What no session goes beyond."""

    max_position_size: ExactDecimal
    max_daily_loss: ExactDecimal
    max_drawdown: ExactDecimal
    default_stop_loss: ExactDecimal
    default_take_profit: ExactDecimal
    llm_approval_required: bool
    min_confidence: ExactDecimal


class LlmConfig(Told):
    """Which model is asked; without a gateway the rules decide."""

    gateway: str
    primary_model: str
    fallback_model: str
    temperature: ExactDecimal
    max_tokens: int
    enable_caching: bool


class Configuration(Told):
    """All of it."""

    app: AppConfig
    trading: TradingConfig
    risk: RiskConfig
    llm: LlmConfig


class ConfigAnswer(Told):
    """The configuration, without secrets."""

    config: Configuration

    model_config = example(config=SHOWN)


class ConfigChangedAnswer(Told):
    """What has changed. `note` is there where it will be forgotten."""

    message: str
    updates: dict[str, ExactDecimal | bool | str]
    note: str | None = None

    model_config = example(
        message=UPDATED,
        updates={"trading_mode": "paper", "max_position_size": 0.15},
        note=FORGOTTEN,
    )


@router.get("/api/v1/config", summary="The configuration", **documented(200, ConfigAnswer))
async def get_config(caller: Looker, request: Request) -> Response:
    """As it is now."""
    services = services_of(request)
    now = DEFAULTS | asking(services.settings) | await changed_settings(services.pool)
    told = Configuration(
        app=AppConfig(
            name="sandpit",
            version=VERSION,
            environment="paper",
            log_level=services.settings.log_level,
        ),
        trading=TradingConfig(
            mode=now["trading_mode"],
            symbols=list((await listing_of(request)).symbols.markets),
            exchange=EXCHANGE,
            initial_capital=now["initial_capital"],
            max_positions=int(now["max_positions"]),
            default_quantity=now["default_quantity"],
        ),
        risk=RiskConfig(**{name: now[name] for name in RiskConfig.model_fields}),
        llm=LlmConfig(
            **models_asked(services.settings),
            temperature=now["llm_temperature"],
            max_tokens=int(now["llm_max_tokens"]),
        ),
    )
    return reply_exact(ConfigAnswer(config=told))


def asking(settings: Settings) -> dict[str, Any]:
    """How models are asked where nobody has changed it."""
    return {
        "llm_temperature": as_written(settings.llm_temperature),
        "llm_max_tokens": settings.llm_max_tokens,
    }


@router.patch(
    "/api/v1/config", summary="Change the configuration", **documented(200, ConfigChangedAnswer)
)
async def patch_config(sent: ConfigChange, caller: Chief, request: Request) -> Response:
    """All that is sent or nothing; what is wrong is said all at once."""
    changes = sent.changes
    if not changes:
        raise malformed(NOTHING_CHANGES)
    text = exact_json_bytes(changes).decode()
    said = exact_json_bytes(changes | {"persist": sent.persist}).decode()
    async with unit_of_work(services_of(request).pool) as connection:
        await change_settings(connection, text, list(changes), sent.persist)
        await note_control(connection, caller.user_id, ControlAction.CONFIG_CHANGED, "config", said)
    answer = ConfigChangedAnswer(message=UPDATED, updates=changes)
    if not sent.persist:
        answer.note = FORGOTTEN
    return reply_exact(answer)
