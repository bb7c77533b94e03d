"""Making the token that opens the explorer."""

from api.credentials.app_tokens import make_app_token
from api.desk.digests import digest
from sim.refusals import Refusal, Refused
from storage.intake.idempotency import Asked, Outcome, once
from storage.people.app_tokens import keep_app_token
from storage.postgres.database import AsyncPool
from storage.postgres.unit_of_work import Connection

ROUTE = "user/token"
SHOWN_BEFORE = (
    "This request was done before, and a token is shown once. Where it is lost, make another one"
    " with another Idempotency-Key: it takes the place of the lost one"
)


async def make(pool: AsyncPool, user_id: int, idempotency_key: str | None) -> str:
    """The text of a new token, which nobody can show again; the one before it is dead.

    Raises Refused IDEMPOTENCY_KEY_REUSED for the same request again.
    """
    made, is_new = make_app_token(), False

    async def work(connection: Connection) -> Outcome:
        nonlocal is_new
        is_new = True
        await keep_app_token(connection, user_id, made.prefix, made.token_hash)
        return {}

    await once(pool, Asked(user_id, ROUTE, digest(ROUTE), idempotency_key), work)
    if not is_new:
        raise Refused(Refusal.IDEMPOTENCY_KEY_REUSED, SHOWN_BEFORE)
    return made.text
