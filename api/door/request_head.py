"""What is demanded of a request's head beyond what the parser demands."""

import re
from collections.abc import Sequence

HEADER_BYTES_MAX = 32_768
HEADERS_MAX = 128
VERSIONS = ("1.1", "1.0")
SINGULAR = frozenset({b"host", b"content-length", b"transfer-encoding"})
HOST_TEXT = re.compile(rb"([A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{0,5})?")
ABSOLUTE_TARGET = re.compile(rb"https?://([^/?#@]+)(/.*)?", re.IGNORECASE | re.DOTALL)

Headers = Sequence[tuple[bytes, bytes]]


def is_too_large(url: bytes, headers: Headers) -> bool:
    """True for a head that has too many bytes or fields."""
    size = len(url)
    for name, value in headers:
        size += len(name) + len(value)
    return size > HEADER_BYTES_MAX or len(headers) > HEADERS_MAX


def fault_of(version: str, method: bytes, headers: Headers) -> str | None:
    """What is wrong with a head that the parser took, in a sentence; None where it is clear."""
    seen: dict[bytes, bytes] = {}
    for name, value in headers:
        if name in SINGULAR:
            if name in seen:
                return f"The header {name.decode()} is given twice"
            seen[name] = value.strip()
    host, coding = seen.get(b"host"), seen.get(b"transfer-encoding")
    if version not in VERSIONS:
        return "This is not HTTP/1.1"
    if method == b"CONNECT":
        return "This is not a proxy"
    if host is None and version == "1.1":
        return "The header host is missing"
    if host is not None and HOST_TEXT.fullmatch(host) is None:
        return "The header host is not a host and port"
    if coding is None:
        return None
    if b"content-length" in seen:
        return "A body has either content-length or transfer-encoding"
    if version != "1.1" or coding.lower() != b"chunked":
        return "The only transfer-encoding is chunked"
    return None


def path_of_target(target: bytes, headers: Headers) -> bytes | None:
    """The target as path and query; of an absolute one only where it names the same host."""
    if target.startswith(b"/"):
        return target
    absolute = ABSOLUTE_TARGET.fullmatch(target)
    if absolute is None or absolute[1].lower() != dict(headers).get(b"host", b"").lower():
        return None
    return absolute[2] or b"/"


def without_upgrade(method: bytes, target: bytes, version: str, headers: Headers) -> bytes:
    """The same head again, which asks for no other protocol."""
    lines = [b"%s %s HTTP/%s" % (method, target, version.encode())]
    lines += [b"%s: %s" % header for header in headers if header[0] != b"upgrade"]
    return b"\r\n".join(lines) + b"\r\n\r\n"
