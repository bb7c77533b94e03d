"""Which client a request comes from, as limits count clients."""

import ipaddress
from collections.abc import Iterable
from functools import lru_cache

ADDRESSES_REMEMBERED_MAX = 10_000
IPV6_CLIENT_BITS = 64
"""What one household or machine has of IPv6: whoever has one address of it has them all."""

FORWARDED_HOPS_MAX = 20
"""Entries of X-Forwarded-For that are looked at; what stands further left nobody vouches for."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@lru_cache(ADDRESSES_REMEMBERED_MAX)
def address_group(host: str) -> str:
    """The client that an address belongs to: IPv4 as it is, IPv6 by its /64."""
    address = parsed(host)
    if address is None:
        return host
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    return str(ipaddress.ip_network((address, IPV6_CLIENT_BITS), strict=False))


def parsed(host: str) -> Address | None:
    """The address that a text names, an IPv4 one in IPv6's clothes as IPv4; None for no address."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


class Proxies:
    """The proxies whose X-Forwarded-For is believed. Without any, nobody's is."""

    def __init__(self, trusted: Iterable[str]) -> None:
        self._networks = [ipaddress.ip_network(text, strict=False) for text in trusted]
        self.trusts = lru_cache(ADDRESSES_REMEMBERED_MAX)(self._trusts)

    def client(self, peer: str, forwarded: bytes) -> str:
        """The client's address: the peer's own, unless the peer is a proxy of ours.

        The header is read from the right, where our proxies wrote: the first
        address that is none of theirs is the client's. What stands left of it
        the client may have written itself.
        """
        if not self._networks or not forwarded or not self.trusts(peer):
            return peer
        hops = forwarded.decode("latin-1").rsplit(",", FORWARDED_HOPS_MAX)
        client = peer
        for hop in reversed(hops[-FORWARDED_HOPS_MAX:]):
            address = without_port(hop.strip())
            if parsed(address) is None:
                break
            client = address
            if not self.trusts(client):
                break
        return client

    def _trusts(self, host: str) -> bool:
        address = parsed(host)
        return address is not None and any(address in network for network in self._networks)


def without_port(text: str) -> str:
    """An address as some proxies write it, with a port behind, without that port."""
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if text.count(":") == 1 else text
