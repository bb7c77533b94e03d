"""What a request shows of who asks, and the words for what is wrong with it."""

from enum import StrEnum
from typing import NamedTuple

from sim.refusals import Refusal, Refused

BEARER = b"bearer "


class Lack(StrEnum):
    """Why nobody is known by what was shown; each asks for another remedy."""

    MISSING = "MISSING"
    INVALID = "INVALID"
    EXPIRED = "EXPIRED"


class Credentials(NamedTuple):
    """None: nothing of the kind was sent. Empty: something that cannot be right.

    cookie   the token in a browser's cookie, where the request's family looks at cookies
    """

    bearer: str | None = None
    api_key: str | None = None
    cookie: str | None = None

    @property
    def are_mixed(self) -> bool:
        """True where two kinds were sent, of which one would have to be the weaker."""
        return len(self) - self.count(None) > 1

    @property
    def token(self) -> str | None:
        """The access token, however it came."""
        return self.bearer if self.bearer is not None else self.cookie


NONE_SENT = Credentials()

MIXED = "Send one kind of credentials, not several: this request has more than one"
WORDS = {
    Lack.MISSING: "A bearer token or an API key is needed",
    Lack.INVALID: "This bearer token is not valid: log in again",
    Lack.EXPIRED: "This bearer token has expired: refresh it or log in again",
}
KEY_WORDS = {
    Lack.INVALID: "This API key is not valid",
    Lack.EXPIRED: "This API key has expired",
}
COOKIE_WORDS = {
    Lack.INVALID: "This login is not valid: log in again",
    Lack.EXPIRED: "This login has expired: refresh it or log in again",
}


def credentials_in(
    authorization: bytes | None, api_key: bytes | None, cookie: str | None = None
) -> Credentials:
    """The headers' values; what is sent twice comes as a list and is neither one nor the other."""
    if authorization is None and api_key is None and cookie is None:
        return NONE_SENT
    bearer = None
    if authorization is not None:
        is_bearer = authorization[: len(BEARER)].lower() == BEARER
        bearer = authorization[len(BEARER) :].strip().decode("latin-1") if is_bearer else ""
    key = api_key.decode("latin-1") if api_key is not None else None
    return Credentials(bearer, key, cookie)


def unauthenticated(sent: Credentials, lack: Lack) -> Refused:
    """The refusal that says what is missing, and machines the same in `details.reason`."""
    words = WORDS
    if sent.api_key is not None:
        words = KEY_WORDS
    elif sent.cookie is not None and sent.bearer is None:
        words = COOKIE_WORDS
    return Refused(Refusal.UNAUTHENTICATED, words[lack], {"reason": lack.value})
