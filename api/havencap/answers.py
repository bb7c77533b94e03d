"""What the trading app answers: every field is listed, so nothing else can leave by accident."""

from api.credentials.tokens import user_id_text
from api.door.answers import example
from api.door.wire import Wire
from api.havencap.spelling import iso_milliseconds
from sim.roles import Role
from storage.people.accounts import User, UserStatus

PENDING_MESSAGE = "Registration successful. Your account is pending admin approval."
PERSON = {
    "userId": "user_1042",
    "email": "trader@havencap.io",
    "role": "OPERATOR",
    "createdAt": "2026-04-01T09:00:00.000Z",
}
TOKEN_EXAMPLE = "eyJhbGciOiJIUzI1NiJ9.e30.c2ln"


class AppErrorAnswer(Wire):
    """A sentence, and the HTTP status as text."""

    error: str
    code: str

    model_config = example(error="E-mail or password is wrong", code="401")


class Person(Wire):
    """Who has logged in."""

    user_id: str
    email: str
    role: Role
    created_at: str

    model_config = example(**PERSON)


class PersonWithStatus(Person):
    """A user as ADMINs see them."""

    status: UserStatus

    model_config = example(**PERSON, status="ACTIVE")


class PersonAnswer(Wire):
    """Who has logged in."""

    user: Person

    model_config = example(user=PERSON)


class AppLoginAnswer(PersonAnswer):
    """Who has logged in, and the token that Flux's routes take as bearer."""

    access_token: str

    model_config = example(user=PERSON, accessToken=TOKEN_EXAMPLE)


class JoinedAnswer(Wire):
    """What became of it: the first who joins is logged in, everybody later waits."""

    user: Person | None = None
    access_token: str | None = None
    message: str | None = None

    model_config = example(message=PENDING_MESSAGE)


class MessageAnswer(Wire):
    """What was done, in a sentence."""

    message: str

    model_config = example(message="Logged out")


class NewAppTokenAnswer(Wire):
    """A token that opens the explorer, shown this once."""

    token: str

    model_config = example(token="hc_live_a1b2c3d4e5f6a1b2c3d4e5f6a1b2c3d4e5f6a1b2")


class AppTokenAnswer(Wire):
    """Whether there is a token, and since when."""

    exists: bool
    created_at: str | None = None

    model_config = example(exists=True, createdAt="2026-04-15T14:22:00.000Z")


class PeopleAnswer(Wire):
    """All users, newest first."""

    users: list[PersonWithStatus]

    model_config = example(users=[PERSON | {"status": "ACTIVE"}])


class PersonChangedAnswer(Wire):
    """A user as they are from now on."""

    user: PersonWithStatus

    model_config = example(user=PERSON | {"status": "ACTIVE"})


def person(user: User) -> Person:
    """A user as they see themselves."""
    return Person(
        user_id=user_id_text(user.user_id),
        email=user.email,
        role=user.role,
        created_at=iso_milliseconds(user.created_at_us),
    )


def person_with_status(user: User) -> PersonWithStatus:
    """A user as ADMINs see them."""
    return PersonWithStatus(**person(user).model_dump(), status=user.status)
