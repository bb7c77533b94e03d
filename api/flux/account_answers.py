"""What Flux answers about the accounts of a user, and how it words it."""

from typing import Any

from pydantic import Field

from api.credentials.tokens import user_id_text
from api.desk.identifiers import account_id_text
from api.door.answers import example, milliseconds
from api.door.wire import Wire
from api.flux.answers import BALANCE, BalanceAnswer
from api.flux.wording import balance_answer
from storage.intake.own_accounts import Transferred
from storage.people.owned_accounts import OwnedAccount

TARGET: dict[str, Any] = {**BALANCE, "accountId": "account_1043", "total": "2500", "locked": "0"}


class OwnedAccountAnswer(Wire):
    """An account of a user. The MAIN one came with the user and has its number."""

    id: str
    account_id: str
    user_id: str
    kind: str
    name: str | None = None
    created_at: int
    archived_at: int | None = None

    model_config = example(
        id="account_1043",
        accountId="account_1043",
        userId="user_1042",
        kind="PAPER",
        name="second bot",
        createdAt=1767225600000,
    )


class TransferAnswer(Wire):
    """Money that moved between two accounts, and what each has now."""

    transaction_id: str
    source: BalanceAnswer = Field(alias="from")
    target: BalanceAnswer = Field(alias="to")

    model_config = example(**{"transactionId": "transfer-9", "from": BALANCE, "to": TARGET})


def owned_answer(account: OwnedAccount) -> OwnedAccountAnswer:
    """One account."""
    return OwnedAccountAnswer(
        id=account_id_text(account.account_id),
        account_id=account_id_text(account.account_id),
        user_id=user_id_text(account.owner_id),
        kind=account.kind,
        name=account.name,
        created_at=account.created_at_us // 1_000,
        archived_at=milliseconds(account.archived_at_us),
    )


def transfer_answer(done: Transferred, user_id: int) -> TransferAnswer:
    """Both sides, under the name that the ledger has for the transaction."""
    return TransferAnswer(
        transaction_id=f"transfer-{done.seq}",
        source=balance_answer(done.source, user_id),
        target=balance_answer(done.target, user_id),
    )
