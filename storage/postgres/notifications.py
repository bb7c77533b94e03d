"""What PostgreSQL notifies, over a connection that does nothing else."""

from collections.abc import AsyncIterator

import psycopg

from storage.errors import wrapped
from storage.postgres.database import CONNECT_TIMEOUT_S, SILENT_SERVER


async def notifications(database_url: str, channel: str) -> AsyncIterator[str]:
    """The payloads from now on, the first empty as soon as it is listened: what was notified before
    was heard by nobody. Raises DatabaseUnavailable when the connection is lost."""
    with wrapped():
        connection = await psycopg.AsyncConnection.connect(
            database_url,
            autocommit=True,
            connect_timeout=CONNECT_TIMEOUT_S,
            application_name="sandpit-notifications",
            **SILENT_SERVER,
        )
        async with connection:
            await connection.execute(f"LISTEN {channel}")
            yield ""
            async for told in connection.notifies():
                yield told.payload
