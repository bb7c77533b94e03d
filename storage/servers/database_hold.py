"""One deployment a database: a second would fight the first for every market."""

from storage.errors import StorageError, wrapped
from storage.postgres.database import Link
from storage.settings import ConfigurationError

DEPLOYMENT_LOCK = 7_236_002
"""Advisory lock number, next to the migrations'."""


class DatabaseHold:
    """A session of its own that holds the database's deployment lock."""

    def __init__(self, database_url: str) -> None:
        self._link = Link(database_url, "deployment")

    def take(self) -> None:
        """Raises ConfigurationError where another deployment has it, or DatabaseUnavailable."""
        with wrapped():
            row = (
                self._link()
                .execute("SELECT pg_try_advisory_lock(%s)", (DEPLOYMENT_LOCK,))
                .fetchone()
            )
        if row != (True,):
            self.release()
            raise ConfigurationError(
                "Another sandpit runs on this database: stop it, or name another DATABASE_URL."
            )

    def keep(self) -> None:
        """Take it again after the server was away; once it is back."""
        if not self._link.is_closed:
            return
        try:
            self.take()
        except StorageError:
            return

    def release(self) -> None:
        """Give it back."""
        self._link.close()
