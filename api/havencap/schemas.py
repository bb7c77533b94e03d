"""What the trading app's clients send."""

from typing import Annotated

from pydantic import ConfigDict, Field

from api.door.wire import Asked, EmailText, PageAsked, PasswordText, Sent
from sim.roles import Role
from storage.people.accounts import UserStatus


class AppCredentials(Sent):
    """An e-mail address and a password."""

    email: EmailText
    password: PasswordText

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"email": "trader@havencap.io", "password": "mypassword123"}]
        }
    )


class PersonChange(Sent):
    """What an ADMIN changes of a user: role, status or both."""

    role: Role | None = None
    status: UserStatus | None = None

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"role": "OPERATOR", "status": "ACTIVE"}]}
    )


class RefreshAsked(Asked):
    """Where a browser goes once its login is refreshed: a path of this site."""

    callback_url: Annotated[str, Field(max_length=4_096)] = "/"


class PeopleAsked(PageAsked):
    """Which users: all, or those who wait, are in, or are kept out."""

    status: Annotated[UserStatus | None, Field(description="Only those with this status")] = None
