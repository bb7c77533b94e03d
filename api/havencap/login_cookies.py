"""The cookies that a browser keeps for us while its user is logged in.

Scripts of a page cannot read them, no other site's writes bring them (SameSite=Lax), and none
travels unencrypted but to this very machine.
"""

from starlette.responses import Response

from api.desk.sessions import LoggedIn
from api.door.cookies import TOKEN
from api.door.services import Services

REFRESH = "refresh_token"
REFRESH_PATH = "/api/auth"
"""Nothing else needs to see a refresh token."""


def keep_login(response: Response, services: Services, logged_in: LoggedIn) -> Response:
    """The answer that makes a browser stay logged in as long as its tokens live."""
    for name, value, path, age_s in (
        (TOKEN, logged_in.token, "/", services.tokens.ttl_s),
        (REFRESH, logged_in.refresh_token, REFRESH_PATH, services.refreshing.ttl_s),
    ):
        response.set_cookie(
            name,
            value,
            max_age=age_s,
            path=path,
            secure=not services.on_loopback,
            httponly=True,
            samesite="lax",
        )
    response.headers["Cache-Control"] = "no-store"
    return response


def forget_login(response: Response, services: Services) -> Response:
    """The answer that makes it forget them."""
    for name, path in ((TOKEN, "/"), (REFRESH, REFRESH_PATH)):
        response.delete_cookie(
            name, path=path, secure=not services.on_loopback, httponly=True, samesite="lax"
        )
    return response
