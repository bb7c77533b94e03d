"""What is asked of a droid that there is: another config, to run, pause, begin anew or close.

The caller's transaction commits. The droid's lock comes first, then its session's, then its
account's.
"""

from collections.abc import Mapping
from dataclasses import replace

from sim.droid.config import patched
from sim.droid.states import Active, Note, is_reset_due
from sim.refusals import Refusal, Refused
from storage.droids.rows import Droid, Onlooker, locked, write
from storage.droids.sessions import Session, add_gas, begin, last_look, open_session, raise_funding
from storage.postgres.unit_of_work import Connection


async def set_active(
    connection: Connection, onlooker: Onlooker, droid_id: int, wanted: Active, gas_atoms: int
) -> Droid:
    """The droid, which is from now on what was asked. Raises Refused: NOT_FOUND,
    INSUFFICIENT_BALANCE where a session is to begin, DROID_CLOSING. One that runs and has no ether
    gets more, where it is asked to run, once for each time that it says so."""
    droid = await locked(connection, onlooker, droid_id)
    session = await open_session(connection, droid_id)
    if wanted == droid.active == Active.RUN and session and session.note == Note.NO_ETH:
        if await add_gas(connection, session, droid, gas_atoms):
            await write(connection, droid)
        return droid
    if droid.active == wanted and (session is not None or wanted != Active.RUN):
        return droid
    await refuse_while_closing(connection, droid, session, wanted)
    after = following(droid, wanted)
    if session is None and after.active == Active.RUN:
        await begin(connection, after, gas_atoms)
    await write(connection, after)
    return after


def following(droid: Droid, wanted: Active) -> Droid:
    """The droid as it is once it was asked."""
    if wanted == Active.RESET:
        return replace(droid, active=Active.RUN, resets=droid.resets + 1)
    return replace(droid, active=wanted)


async def refuse_while_closing(
    connection: Connection, droid: Droid, session: Session | None, wanted: Active
) -> None:
    """Raises Refused where positions are being closed: what ends is not taken up again, and who
    pauses would leave a reset half done."""
    if session is None:
        return
    looked = await last_look(connection, session)
    is_resetting = looked is not None and is_reset_due(looked.sessions, looked.resets, droid.resets)
    if droid.active == Active.CLOSE or (is_resetting and wanted == Active.PAUSE):
        raise Refused(
            Refusal.DROID_CLOSING,
            "The droid is closing its positions: wait until its session is STOPPED",
        )


async def change_config(
    connection: Connection, onlooker: Onlooker, droid_id: int, changes: Mapping[str, object]
) -> Droid:
    """The droid with these fields changed; more funding is taken from its account at once where a
    session is open. Raises Refused, and ConfigRefused as sim/droid/config.py."""
    droid = await locked(connection, onlooker, droid_id)
    config = patched(droid.config, changes, droid.pool.terms)
    after = replace(droid, config=config, revision=droid.revision + 1)
    session = await open_session(connection, droid_id)
    if session is not None and droid.active != Active.CLOSE:
        await raise_funding(connection, session, after)
    await write(connection, after)
    return after
