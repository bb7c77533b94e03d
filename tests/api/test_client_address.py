"""Whom an address belongs to, and whose word about it is believed."""

import pytest

from api.door.client_address import FORWARDED_HOPS_MAX, Proxies, address_group
from storage.settings import ConfigurationError, Settings

PROXY = "10.0.0.1"


@pytest.mark.parametrize(
    ("host", "group"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::/64"),
        ("-", "-"),
        ("", ""),
    ],
)
def test_a_client_is_an_ipv4_address_or_an_ipv6_network(host: str, group: str) -> None:
    assert address_group(host) == group


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("192.0.2.1", ["198.51.100.1"], "192.0.2.1"),
        (PROXY, [], PROXY),
        (PROXY, ["198.51.100.1"], "198.51.100.1"),
        (PROXY, ["6.6.6.6, 198.51.100.1"], "198.51.100.1"),
        (PROXY, ["6.6.6.6", "198.51.100.1, 10.9.9.9"], "198.51.100.1"),
        (PROXY, ["6.6.6.6, 198.51.100.1:4711"], "198.51.100.1"),
        (PROXY, ["[2001:db8::1]:4711"], "2001:db8::1"),
        (PROXY, ["2001:db8::1"], "2001:db8::1"),
        ("::ffff:10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        (PROXY, ["10.0.0.2, 10.0.0.3"], "10.0.0.2"),
        (PROXY, ["6.6.6.6, nonsense, 10.0.0.3"], "10.0.0.3"),
        (PROXY, ["nonsense"], PROXY),
        (PROXY, [",,"], PROXY),
    ],
)
def test_the_header_is_read_from_the_right_and_only_behind_our_proxies(
    peer: str, forwarded: list[str], client: str
) -> None:
    proxies = Proxies(["10.0.0.0/8"])
    assert proxies.client(peer, ", ".join(forwarded).encode()) == client


def test_without_a_proxy_nobodys_header_is_believed() -> None:
    assert Proxies([]).client("127.0.0.1", b"198.51.100.1") == "127.0.0.1"


def test_an_endless_header_is_read_for_a_bounded_number_of_hops() -> None:
    hops = b"198.51.100.1," + b",".join([b"10.0.0.2"] * (FORWARDED_HOPS_MAX * 50))
    assert Proxies(["10.0.0.0/8"]).client(PROXY, hops) == "10.0.0.2"


@pytest.mark.parametrize("value", ['["*"]', '["proxy.example"]', '["10.0.0.0/33"]'])
def test_what_is_no_network_is_refused(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SANDPIT_PROXIES_TRUSTED", value)
    with pytest.raises(ConfigurationError, match=r"proxies_trusted.*10\.0\.0\.0/8"):
        Settings.load()
