"""`sandpit role`: who runs the exchange says who may do what. Nobody becomes ADMIN by REST."""

from storage.accounts import Role, give_role
from storage.database import connect
from storage.embedded import EmbeddedPostgres
from storage.errors import DatabaseUnavailable
from storage.settings import ConfigurationError, Settings


def role(settings: Settings, email: str, wanted: str) -> str:
    """Give a user another role; what to say. Raises ConfigurationError."""
    if wanted.upper() not in list(Role):
        raise ConfigurationError(f"There is no role {wanted}; there are {', '.join(Role)}.")
    found = Role(wanted.upper())
    try:
        with connect(running_database_url(settings), "role") as connection:
            if not give_role(connection, email.lower(), found):
                raise ConfigurationError(f"Nobody is registered as {email}.")
    except DatabaseUnavailable as error:
        raise ConfigurationError(f"The database does not answer: {error}.") from None
    return f"{email} is {found} now."


def running_database_url(settings: Settings) -> str:
    """Of the deployment that runs in the data directory, where no other database is given.

    Raises ConfigurationError.
    """
    if settings.database_url is not None:
        return settings.database_url.get_secret_value()
    if not settings.data_path.is_dir():
        raise ConfigurationError(
            f"No sandpit runs in {settings.data_path}: start it first, or name its --data-dir."
        )
    return EmbeddedPostgres(settings.data_path).url
