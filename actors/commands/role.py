"""`sandpit role`: who runs the exchange says who may do what."""

from sim.folding import lower, upper
from sim.roles import Role
from storage.people.accounts import give_role
from storage.postgres.database import connect
from storage.servers.kept_database import running_database
from storage.settings import ConfigurationError, Settings


def role(settings: Settings, email: str, wanted: str) -> str:
    """Give a user another role; what to say. Raises ConfigurationError."""
    if upper(wanted) not in list(Role):
        raise ConfigurationError(f"There is no role {wanted}; there are {', '.join(Role)}.")
    found = Role(upper(wanted))
    with running_database(settings) as url, connect(url, "role") as connection:
        if not give_role(connection, lower(email), found):
            raise ConfigurationError(f"Nobody is registered as {email}.")
    return f"{email} is {found} now."
