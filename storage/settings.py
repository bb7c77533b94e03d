"""One settings object, read from the environment and from an optional TOML file."""

import ipaddress
import os
import re
from difflib import get_close_matches
from functools import cached_property
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from limits import parse_many
from pydantic import (
    AfterValidator,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from sim.market import GAS_ASSET
from sim.scenario.toml_text import toml_table
from sim.units import DEPOSIT_UNITS_MAX, asset_decimals, parse_atoms
from storage.model_settings import ModelSettings
from storage.regular_file import at_home, followed

CONFIG_VARIABLE = "SANDPIT_CONFIG"
CONFIG_FILE_DEFAULT = "sandpit.toml"
PREFIX = "SANDPIT_"
ADDRESSES = (
    "DATABASE_URL",
    "SANDPIT_ENGINE_DATABASE_URL",
    "SANDPIT_API_DATABASE_URL",
    "REDIS_URL",
    "SANDPIT_LIMITS_REDIS_URL",
    "SANDPIT_LLM_API_KEY",
)
"""Variables that hold passwords: no process inherits those of another."""

API_PROCESSES_USUAL, CONNECTIONS_USUAL = 1, 8
"""Processes of the API, and connections to PostgreSQL of one."""

GAS_UNITS_MAX = 1_000
"""The most that a droid's session may get for gas, in ether."""

NOT_SETTINGS = {CONFIG_VARIABLE, "SANDPIT_BENCH_ROUTE"}
HOST_NAME = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")
ORIGIN = re.compile(r"https?://([A-Za-z0-9_.-]+|\[[0-9A-Fa-f:]+\])(:[0-9]{1,5})?")
ADDRESS = re.compile(rf"{ORIGIN.pattern}(/[A-Za-z0-9_.~-]+)*/?")
QUOTED = re.compile(r'"(\w+)"')


class ConfigurationError(Exception):
    """What a person set is wrong; the message is one sentence that says what to change."""


def _a_rate(text: str) -> str:
    try:
        parse_many(text)
    except ValueError:
        raise ValueError("must read like 10/minute or 100/second") from None
    return text


def _a_network(text: str) -> str:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise ValueError("must hold addresses or networks such as 10.0.0.0/8") from None
    return text


def _a_host_name(text: str) -> str:
    if HOST_NAME.fullmatch(text) is None:
        raise ValueError("must be host names without scheme and port, such as exchange.example.com")
    return text.lower()


def _an_origin(text: str) -> str:
    if ORIGIN.fullmatch(text) is None:
        raise ValueError("must be exact origins, such as https://app.example.com; * is none")
    return text.lower()


def _an_address(text: str) -> str:
    if ADDRESS.fullmatch(text) is None:
        raise ValueError("must be where clients reach us, such as https://exchange.example.com")
    return text.rstrip("/")


Rate = Annotated[str, AfterValidator(_a_rate)]
Network = Annotated[str, AfterValidator(_a_network)]
HostName = Annotated[str, AfterValidator(_a_host_name)]
Origin = Annotated[str, AfterValidator(_an_origin)]
Address = Annotated[str, AfterValidator(_an_address)]
Port = Annotated[int, Field(ge=0, le=65_535)]


class Settings(ModelSettings, BaseSettings):
    """Variables are SANDPIT_ and the field's name; the three server addresses stand as they are."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="forbid", env_ignore_empty=True
    )

    # An address that is absent means: start that server here, from its wheel.
    database_url: SecretStr | None = Field(None, validation_alias="database_url")
    redis_url: SecretStr | None = Field(None, validation_alias="redis_url")
    # Users of the same database for the actors and for the API; made where they are absent.
    engine_database_url: SecretStr | None = None
    api_database_url: SecretStr | None = None
    # Rate limits may have a Redis user of their own; without it they use redis_url.
    limits_redis_url: str | None = Field(None, repr=False)
    ray_address: str | None = Field(None, validation_alias="ray_address")

    data_dir: Path = Path(".sandpit")
    # Who PostgreSQL and Valkey run as where sandpit is run as root; sandpit or nobody if not said.
    servers_user: str | None = None
    host: str = "127.0.0.1"
    port: Port = 8000
    # Where clients reach the API, for links in answers; without it, where this machine does.
    public_url: Address | None = None
    api_processes: int = Field(API_PROCESSES_USUAL, ge=1, le=64)
    world: str = "default"
    replay: Path | None = None
    replay_loops: bool = True
    # A file of headlines, JSON lines, in place of the world's own news.
    headlines: Path | None = None
    # Seconds of the chain's time in one of ours.
    chain_speed: float = Field(1, gt=0, le=10_000)
    log_level: str = Field("info", pattern="^(debug|info|warning|error)$")

    token_ttl_s: int = Field(900, ge=1, le=86_400)
    # A login that is not refreshed for so long has ended; a guest who did nothing is gone.
    refresh_ttl_s: int = Field(2_592_000, ge=60, le=31_536_000)
    guest_ttl_s: int = Field(86_400, ge=60, le=31_536_000)
    body_limit_bytes: int = Field(65_536, ge=1_024, le=16_777_216)
    body_timeout_s: float = Field(10, gt=0, le=120)
    write_timeout_s: float = Field(30, gt=0, le=600)
    connections_max: int = Field(1_000, ge=1, le=100_000)
    connections_of_address_max: int = Field(256, ge=1, le=100_000)
    # A WebSocket is asked for a sign of life so often, and closed when none has come for so long.
    socket_ping_s: float = Field(54, gt=0, le=600)
    socket_pong_s: float = Field(6, gt=0, le=600)
    # Whose X-Forwarded-For is believed: addresses or networks of one's own proxies.
    proxies_trusted: tuple[Network, ...] = ()
    # Host names beside loopback's, the machine's own and plain addresses.
    hosts_allowed: tuple[HostName, ...] = ()
    # Web pages of these origins may use the API from a browser.
    cors_origins: tuple[Origin, ...] = ()

    # Of one user; an address may use as much as `users_an_address` of them.
    order_rate: Rate = "100/second"
    cancel_rate: Rate = "100/second"
    write_rate: Rate = "20/second"
    read_rate: Rate = "200/second"
    users_an_address: int = Field(4, ge=1, le=1_000_000)
    # Of one address: wrong passwords, and users and guests that it makes.
    login_rate: Rate = "10/minute"
    account_rate: Rate = "300/hour"
    # /health and /metrics, of each address: a budget that nothing else uses up.
    probe_rate: Rate = "100/second"
    # Whether the agents' routes want credentials: open or required; if not said, open where this
    # machine alone reaches the API.
    agents_auth: Literal["open", "required"] | None = None
    # What a user of the trading app gets who becomes ACTIVE, as far as it is traded here.
    opening_balance: dict[str, str] = {"USDC": "200000", "USDT": "200000", "ETH": "20"}
    # What goes with a droid's funding, to pay for its transactions.
    droid_gas_eth: str = "0.2"
    # Of one account, and of one user over all accounts.
    open_orders_max: int = Field(1_000, ge=1, le=100_000)
    user_open_orders_max: int = Field(5_000, ge=1, le=2_000_000, validate_default=True)

    # Simulations by REST: how many run at a time and wait, what a TRADER may ask for.
    simulations_max: int = Field(1, ge=0, le=64)
    simulations_waiting_max: int = Field(100, ge=1, le=10_000)
    simulations_kept_max: int = Field(5_000, ge=1, le=1_000_000)
    simulations_kept_of_trader_max: int = Field(100, ge=1, le=1_000_000)
    # After the end; a guest's go after `guest_ttl_s`.
    simulation_days: int = Field(30, ge=1, le=3_650)
    simulations_of_trader_max: int = Field(5, ge=1, le=10_000)
    simulation_traders_max: int = Field(10_000, ge=1, le=16_777_214)
    simulation_trader_steps_max: int = Field(1_000_000_000, ge=1, le=2**50)
    simulation_markets_max: int = Field(8, ge=1, le=1_000)
    simulation_memory_mb_max: int = Field(2_048, ge=256, le=1_048_576)
    simulation_wall_s_max: int = Field(3_600, ge=1, le=31 * 86_400)

    # The journal, commands, the public tape and strategies' entries; clients' rows stay for ever.
    history_hours: int = Field(48, ge=1, le=87_600)
    # Decisions of agents: so old, and so many. And what was done through their routes.
    decision_days: int = Field(30, ge=1, le=3_650)
    decisions_max: int = Field(1_000_000, ge=1_000, le=100_000_000)
    audit_days: int = Field(365, ge=1, le=36_500)

    database_connections_max: int = Field(CONNECTIONS_USUAL, ge=1, le=100)
    valkey_memory_mb_max: int = Field(256, ge=16, le=65_536)
    object_store_mb: int = Field(300, ge=80, le=65_536)

    @field_validator("user_open_orders_max")
    @classmethod
    def _no_less_than_of_an_account(cls, most: int, others: ValidationInfo) -> int:
        of_account = others.data.get("open_orders_max", 0)  # absent where it is wrong itself
        if most < of_account:
            raise ValueError(f"must be at least open_orders_max, which is {of_account}")
        return most

    @field_validator("opening_balance")
    @classmethod
    def _amounts(cls, sent: dict[str, str]) -> dict[str, str]:
        for asset, text in sent.items():
            try:
                atoms = parse_atoms(text, asset)
            except ValueError as error:
                raise ValueError(f"{asset}: {error}") from None
            if not 0 < atoms <= DEPOSIT_UNITS_MAX * 10 ** asset_decimals(asset):
                raise ValueError(f"{asset} must be more than 0 and at most {DEPOSIT_UNITS_MAX}")
        return sent

    @field_validator("droid_gas_eth")
    @classmethod
    def _ether(cls, text: str) -> str:
        if not 0 < parse_atoms(text, GAS_ASSET) <= 10 ** asset_decimals(GAS_ASSET) * GAS_UNITS_MAX:
            raise ValueError(f"must be more than 0 and at most {GAS_UNITS_MAX}")
        return text

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments win over the environment, the environment over the file."""
        file = SettingsFile(settings_cls, toml_file=_config_file())
        return init_settings, env_settings, file

    @cached_property
    def data_path(self) -> Path:
        """The data directory, absolute, links resolved."""
        return followed(at_home(self.data_dir))

    @cached_property
    def opening_atoms(self) -> dict[str, int]:
        """The opening balance in atoms, by asset."""
        return {asset: parse_atoms(text, asset) for asset, text in self.opening_balance.items()}

    @cached_property
    def droid_gas_atoms(self) -> int:
        """What a droid's session gets for gas."""
        return parse_atoms(self.droid_gas_eth, GAS_ASSET)

    @property
    def address(self) -> str:
        """Where the API is for whoever sits at this machine."""
        host = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(self.host, self.host)
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    @property
    def public_address(self) -> str:
        """Where the API is for its clients."""
        return self.public_url or self.address

    @property
    def api_connections(self) -> int:
        """To PostgreSQL, of all API processes and of one that takes another's place."""
        return connections_of(self.api_processes, self.database_connections_max)

    @property
    def auth_secret_file(self) -> Path:
        return self.data_path / "auth.secret"

    @classmethod
    def load(cls, **overrides: Any) -> Self:
        """Reads the settings; an override that is None counts as not given.

        Raises ConfigurationError.
        """
        given = {name: value for name, value in overrides.items() if value is not None}
        try:
            cls._refuse_strangers()
            return cls(**given)
        except ValidationError as error:
            raise ConfigurationError(_sentence(error)) from None
        except SettingsError as error:
            raise ConfigurationError(_not_a_list(error)) from None
        except (OSError, ValueError) as error:
            raise ConfigurationError(f"{_config_file()} cannot be read: {error}.") from None

    @classmethod
    def _refuse_strangers(cls) -> None:
        """A misspelt variable would be ignored, and nobody would know."""
        known = NOT_SETTINGS | {
            (str(field.validation_alias) if field.validation_alias else PREFIX + name).upper()
            for name, field in cls.model_fields.items()
        }
        given = {name for name in os.environ if name.startswith(PREFIX)}
        for name in sorted(given - known):
            bare = {one.removeprefix(PREFIX): one for one in known}
            close = get_close_matches(name.removeprefix(PREFIX), bare, 1)
            hint = f"; did you mean {bare[close[0]]}?" if close else "."
            raise ConfigurationError(f"There is no setting called {name}{hint}")


def connections_of(api_processes: int, connections: int) -> int:
    """What all API processes may open: one more may be there, that takes another's place, and each
    hears notifications over a connection of its own."""
    return (api_processes + 1) * (connections + 1)


class SettingsFile(TomlConfigSettingsSource):
    """Read with the same checks as all TOML text."""

    def _read_file(self, file_path: Path | Traversable) -> dict[str, Any]:
        with toml_table(file_path.read_bytes().decode(), "settings") as table:
            return table


def _config_file() -> Path:
    named = os.environ.get(CONFIG_VARIABLE)
    if named and not Path(named).is_file():
        raise ConfigurationError(f"{CONFIG_VARIABLE} names {named}, which is not a file.")
    return Path(named or CONFIG_FILE_DEFAULT)


def _sentence(error: ValidationError) -> str:
    """Names the first thing that is wrong; never repeats a value, which may be a secret."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    name = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return f"{_config_file()}: there is no setting called {name}{_meant(name)}"
    message = first["msg"].removeprefix("Value error, ")
    return f"The setting {name} is wrong: {message[:1].lower()}{message[1:]}."


def _meant(name: str) -> str:
    """The end of a sentence about a name in the file, where settings have no prefix."""
    bare = name.lower().removeprefix(PREFIX.lower())
    close = get_close_matches(bare, Settings.model_fields, 1)
    return f"; did you mean {close[0]}?" if close else "."


def _not_a_list(error: SettingsError) -> str:
    """Names a variable that should hold JSON and does not."""
    named = QUOTED.search(str(error))
    variable = f"{PREFIX}{named[1].upper()}" if named else "A setting"
    return f'{variable} must be a list in JSON, such as ["127.0.0.1"].'
