"""Which host names are ours, and which web pages may ask: what a browser says of a request."""

import socket
from ipaddress import ip_address

from api.door.services import LOOPBACK_HOSTS
from storage.settings import Settings

HOSTS_REMEMBERED_MAX = 1_000
LOCAL_ENDINGS = (".localhost", ".local", ".internal", ".svc")
"""Nobody can register a name below these in the public DNS."""

READS = frozenset({"GET", "HEAD", "OPTIONS"})
SOCKET = "WEBSOCKET"
"""What stands for a method where a WebSocket is opened: no browser asks before whether it may, so
it counts as a write."""

OWN_SITES = frozenset({b"same-origin", b"none"})
PREFLIGHT_AGE_S = 600
EXPOSED = (
    b"X-Request-Id, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, X-Next-Cursor,"
    b" Retry-After"
)
METHODS_ALLOWED = b"GET, HEAD, POST, PUT, PATCH, DELETE"
HEADERS_ALLOWED = (
    b"Authorization, Content-Type, Idempotency-Key, X-API-Key, X-Account, X-Request-Id"
)
CREDENTIALS = frozenset({b"authorization", b"x-api-key"})
"""Headers that no browser adds by itself: a page must have been given what stands in them."""

Headers = list[tuple[bytes, bytes]]


class Hosts:
    """The names that a request's Host may have.

    A page whose name an attacker lets point at this machine (DNS rebinding) is taken by a browser
    for one of ours; its Host is the attacker's name. So a name is ours where no stranger can have
    it in the public DNS: loopback's, a plain address, one without a dot, the machine's own; on a
    bind that others reach also those of private networks.
    """

    def __init__(self, settings: Settings) -> None:
        self._on_loopback = settings.host in LOOPBACK_HOSTS
        own = () if self._on_loopback else (socket.gethostname().lower(), settings.host.lower())
        self._names = {"localhost", *own, *settings.hosts_allowed}
        self._verdicts: dict[bytes, bool] = {}

    def serve(self, host: bytes) -> bool:
        """True for a Host header that names this server."""
        verdict = self._verdicts.get(host)
        if verdict is None:
            if len(self._verdicts) >= HOSTS_REMEMBERED_MAX:
                self._verdicts.clear()
            verdict = self._verdicts[host] = self._serves(name_of(host))
        return verdict

    def _serves(self, name: str) -> bool:
        if name in self._names or "." not in name or is_address(name):
            return True
        return name.endswith(".localhost" if self._on_loopback else LOCAL_ENDINGS)


class Origins:
    """The pages that may use the API from a browser: its own, and those of the setting."""

    def __init__(self, settings: Settings) -> None:
        self._on_loopback = settings.host in LOOPBACK_HOSTS
        self._allowed = {origin.encode() for origin in settings.cors_origins}

    def allow(self, origin: bytes | None) -> bool:
        """True for a page that the setting names."""
        return origin in self._allowed

    def refuse(self, method: str, sent: dict[bytes, bytes]) -> bool:
        """True for a write that a foreign page makes a browser send.

        Whoever sends a bearer token or an API key may write, but on a loopback bind, where no
        page of elsewhere has any business.
        """
        if method in READS:
            return False
        if not CREDENTIALS.isdisjoint(sent) and not self._on_loopback:
            return False
        return self.is_foreign(sent)

    def is_foreign(self, sent: dict[bytes, bytes]) -> bool:
        """True for a request that a page of another site makes a browser send."""
        origin, site = sent.get(b"origin"), sent.get(b"sec-fetch-site")
        if (origin is None and site is None) or self.allow(origin):
            return False
        if site is not None and site not in OWN_SITES:
            return True
        host = sent.get(b"host", b"").lower()
        return origin is not None and origin.partition(b"://")[2].lower() != host

    def headers_for(self, origin: bytes | None) -> Headers:
        """What an answer says to browsers; nothing while the setting is empty."""
        if not self._allowed:
            return []
        vary = [(b"vary", b"Origin")]
        if origin is None or not self.allow(origin):
            return vary
        exposed = (b"access-control-expose-headers", EXPOSED)
        return [*vary, (b"access-control-allow-origin", origin), exposed]

    def preflight(self, method: str, sent: dict[bytes, bytes]) -> Headers | None:
        """The headers of the answer to a preflight of an allowed page; None for anything else."""
        asked = method == "OPTIONS" and b"access-control-request-method" in sent
        if not asked or not self.allow(sent.get(b"origin")):
            return None
        return [
            (b"access-control-allow-methods", METHODS_ALLOWED),
            (b"access-control-allow-headers", HEADERS_ALLOWED),
            (b"access-control-max-age", b"%d" % PREFLIGHT_AGE_S),
            (b"content-length", b"0"),
        ]


def name_of(host: bytes) -> str:
    """A Host header without its port and brackets."""
    text = host.decode("latin-1").lower()
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0]


def is_address(name: str) -> bool:
    """True for a plain IP address, which no DNS can point elsewhere."""
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
