"""What the handlers of one API process work with; opened when it starts, closed when it ends."""

from api.credentials.ended_sessions import EndedSessions
from api.credentials.key_ring import KeyRing
from api.credentials.login_guard import LoginGuard, NewAccounts
from api.credentials.passwords import Passwords
from api.credentials.refresh_tokens import RefreshTokens
from api.credentials.tokens import Tokens
from api.desk.identity import Identity
from api.desk.scenario_reader import ScenarioReader
from api.desk.sessions import Sessions
from api.door.client_address import Proxies
from api.door.hub import Hub
from api.door.large_answers import REPORTS, RESULTS, LargeAnswers
from api.door.limits import RateLimits
from api.door.metrics import Metrics
from storage.intake.accept import Acceptor
from storage.intake.accept_state import OpenOrdersMax
from storage.people.limit_counters import ValkeyCounters
from storage.postgres.database import AsyncPool, open_pool
from storage.reading.market_data import MarketCatalog
from storage.servers.data_directory import secret
from storage.settings import ConfigurationError, Settings

CLOSE_S_MAX = 1.0
"""How long a stopping process waits for connections that are being made."""

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "::1", "localhost"})


class Services:
    """The pool and everything that is shared by the requests of a process."""

    pool: AsyncPool
    acceptor: Acceptor
    markets: MarketCatalog
    hub: Hub
    _ended: EndedSessions

    def __init__(self, settings: Settings) -> None:
        if settings.database_url is None:
            raise ConfigurationError("The API needs DATABASE_URL; `sandpit up` sets it.")
        self.settings = settings
        if settings.agents_auth == "open" and not self.on_loopback:
            raise ConfigurationError(
                f"SANDPIT_AGENTS_AUTH=open needs a bind that this machine alone reaches, and"
                f" {settings.host} is another; set it to required."
            )
        settings.data_path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.secret = secret(settings.auth_secret_file)
        self.tokens = Tokens(self.secret, settings.token_ttl_s)
        self.refreshing = RefreshTokens(self.secret, settings.refresh_ttl_s)
        self.keys = KeyRing()
        self.passwords = Passwords()
        self.proxies = Proxies(settings.proxies_trusted)
        self.rates = RateLimits(settings)
        self.scenarios = ScenarioReader()
        self.results = LargeAnswers("results", RESULTS)
        self.reports = LargeAnswers("reports", REPORTS)
        self.metrics = Metrics()
        self.draining = 0
        self._valkey = counters_in_valkey(settings)
        self.logins = LoginGuard(settings.login_rate, self._valkey)
        self.new_accounts = NewAccounts(settings.account_rate, self._valkey)

    @property
    def on_loopback(self) -> bool:
        """True where the server is bound to this machine only."""
        return self.settings.host in LOOPBACK_HOSTS

    @property
    def agents_open(self) -> bool:
        """True where agents and their sessions are there for whoever shows no credentials."""
        return self.on_loopback and self.settings.agents_auth != "required"

    @property
    def identity(self) -> Identity:
        """What registering and logging in work with."""
        return Identity(self.pool, self.passwords, self.logins, self.new_accounts, self.secret)

    @property
    def sessions(self) -> Sessions:
        """What staying logged in works with."""
        return Sessions(self.pool, self.tokens, self.refreshing)

    async def open(self) -> None:
        """Connect. PostgreSQL may be away: then requests are answered 503 until it is back."""
        assert self.settings.database_url is not None
        database_url = self.settings.database_url.get_secret_value()
        self.pool = await open_pool(database_url, self.settings.database_connections_max)
        self.markets = MarketCatalog(self.pool)
        self.hub = Hub(self.pool, database_url, self.markets)
        self.hub.start()
        most = OpenOrdersMax(self.settings.open_orders_max, self.settings.user_open_orders_max)
        self.acceptor = Acceptor(self.pool, most)
        await self.acceptor.start()
        self._ended = EndedSessions(self.pool, self.tokens)
        self._ended.start()

    async def close(self) -> None:
        """Finish what is under way and disconnect."""
        await self.hub.stop()
        await self._ended.stop()
        await self.acceptor.stop()
        await self.pool.close(CLOSE_S_MAX)
        self.passwords.close()
        self.scenarios.close()
        if self._valkey is not None:
            await self._valkey.close()


def counters_in_valkey(settings: Settings) -> ValkeyCounters | None:
    """The shared counters of failed logins and new accounts, where there is a Valkey."""
    if settings.limits_redis_url:
        return ValkeyCounters(settings.limits_redis_url)
    if settings.redis_url is not None:
        return ValkeyCounters(settings.redis_url.get_secret_value())
    return None
