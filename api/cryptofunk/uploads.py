"""A file in a form (multipart/form-data), as curl's -F and browsers send one."""

from collections.abc import AsyncGenerator

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from api.door.content_type import JSON
from sim.refusals import Refusal, Refused

FORM = "multipart/form-data"
FIELDS_MAX = 8
"""Beside the file; what they say is not looked at."""

YAML = "application/yaml"
ENDINGS = {".yaml": YAML, ".yml": YAML, ".json": JSON}
ONE_FILE = "A form must have one file"
ENDING = f"A file's name must end with {', '.join(ENDINGS)}"


class HeldForm(MultiPartParser):
    """A form whose file stays in memory, where its body is already."""

    spool_max_size = 0  # of a spooled file: never goes to the disk


async def uploaded(request: Request, body: bytes) -> tuple[str, bytes]:
    """What the only file of a form is called by its name's ending, and what is in it.

    Raises Refused."""
    bounds = {"max_files": 1, "max_fields": FIELDS_MAX, "max_part_size": len(body)}
    try:
        form = await HeldForm(request.headers, pieces_of(body), **bounds).parse()
    except MultiPartException as error:
        said = f"The form cannot be read: {error.message}"
        raise Refused(Refusal.INVALID_REQUEST, said) from None
    files = [one for _, one in form.multi_items() if isinstance(one, UploadFile)]
    if len(files) != 1:
        raise Refused(Refusal.INVALID_REQUEST, ONE_FILE)
    name = (files[0].filename or "").lower()
    for ending, kind in ENDINGS.items():
        if name.endswith(ending):
            return kind, await files[0].read()
    raise Refused(Refusal.UNSUPPORTED_MEDIA_TYPE, ENDING)


async def pieces_of(body: bytes) -> AsyncGenerator[bytes, None]:
    """A body as its reader wants it."""
    yield body
