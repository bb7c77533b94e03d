"""Cookies that a request brings, for families that know by one who asks."""

from starlette.requests import Request

TOKEN = "auth_token"
"""The cookie with an access token."""


def cookie_in(header: bytes | None, name: str) -> str | None:
    """A cookie's value; empty, which opens nothing, where several claim the name: one of them is
    not ours."""
    if header is None:
        return None
    pairs = (pair.strip().partition("=") for pair in header.decode("latin-1").split(";"))
    values = {value for key, _, value in pairs if key == name}
    return values.pop() if len(values) == 1 else "" if values else None


def sent_cookie(request: Request, name: str) -> str | None:
    """The same of a request, however many headers it has."""
    headers = request.headers.getlist("cookie")
    return cookie_in("; ".join(headers).encode("latin-1"), name)
