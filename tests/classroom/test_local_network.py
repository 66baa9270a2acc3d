"""Ports and addresses."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from classroom.local import network


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield int(listener.getsockname()[1])


def test_a_free_port_can_be_listened_on() -> None:
    assert network.is_free("127.0.0.1", network.free_port())


def test_a_port_that_was_asked_for_and_is_busy_is_refused_in_words(taken: int) -> None:
    with pytest.raises(network.PortBusyError, match=f"Port {taken} is busy.*PORT={taken + 1}"):
        network.web_port("127.0.0.1", taken)


def test_without_a_wish_the_next_free_port_is_taken(taken: int) -> None:
    assert taken < network.web_port("127.0.0.1", None, first=taken) < taken + 100


def test_no_free_port_at_all_is_said(taken: int) -> None:
    with pytest.raises(network.PortBusyError, match="No free port"):
        network.web_port("127.0.0.1", None, first=taken, tries=1)


def test_addresses_of_the_network_are_not_the_machine_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "_outgoing_address", lambda: "192.168.1.7")
    interfaces = [("lo", "127.0.0.1"), ("wlan0", "192.168.1.7"), ("docker0", "172.17.0.1"), ("eth0", "10.0.0.4")]
    monkeypatch.setattr(network, "_interfaces", lambda: iter(interfaces))
    assert network.lan_addresses() == ["192.168.1.7", "10.0.0.4"]


def test_a_machine_without_a_network_has_no_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "_outgoing_address", lambda: None)
    monkeypatch.setattr(network, "_interfaces", lambda: iter([("lo", "127.0.0.1"), ("eth0", "169.254.3.3")]))
    assert network.lan_addresses() == []


def test_every_interface_is_read_from_the_kernel() -> None:
    assert ("lo", "127.0.0.1") in list(network._interfaces())


@pytest.mark.parametrize("tunnel", ["wg0", "ppp0", "tailscale0", "ztabc123", "tun0"])
def test_a_tunnels_address_is_given_to_nobody(monkeypatch: pytest.MonkeyPatch, tunnel: str) -> None:
    """With a VPN on, the default route leads through it."""
    monkeypatch.setattr(network, "_outgoing_address", lambda: "10.8.0.2")
    monkeypatch.setattr(network, "_interfaces", lambda: iter([(tunnel, "10.8.0.2"), ("wlan0", "192.168.1.7")]))
    assert network.lan_addresses() == ["192.168.1.7"]


@pytest.mark.parametrize("name", ["vmnet8", "vboxnet0"])
def test_networks_of_virtual_machines_are_no_rooms(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(network, "_outgoing_address", lambda: None)
    monkeypatch.setattr(network, "_interfaces", lambda: iter([(name, "192.168.56.1"), ("eth0", "10.0.0.4")]))
    assert network.lan_addresses() == ["10.0.0.4"]


def test_the_likeliest_address_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "_outgoing_address", lambda: "10.0.0.4")
    monkeypatch.setattr(network, "_interfaces", lambda: iter([("wlan0", "192.168.1.7"), ("eth0", "10.0.0.4")]))
    assert network.lan_addresses() == ["10.0.0.4", "192.168.1.7"]
