"""Whom a network address stands for, where something is counted per address."""

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

GROUPS_REMEMBERED_MAX = 4_096
IPV6_GROUP_BITS = 64
"""A household or a server is given a /64 at least, and may use any address in it."""


@lru_cache(GROUPS_REMEMBERED_MAX)
def address_group(host: str) -> str:
    """What is counted together: an IPv4 address, or a /64 of IPv6; other text is itself."""
    address = parsed(host)
    if isinstance(address, IPv6Address):
        return str(ip_network((address, IPV6_GROUP_BITS), strict=False))
    return str(address) if address is not None else host


def parsed(host: str) -> IPv4Address | IPv6Address | None:
    """The address, an IPv4 one that came as IPv6 as what it is; None for what is no address."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address
