"""Ports and addresses of this machine."""

from __future__ import annotations

import fcntl
import socket
import struct
from collections.abc import Iterator

SIOCGIFADDR = 0x8915
# Chosen by the person, with --lan or --host.
EVERYWHERE = "0.0.0.0"  # noqa: S104  # nosec B104
# Bridges of virtual machines and containers, and tunnels to elsewhere: no phone in the room reaches them.
_INNER = (
    *("lo", "docker", "br-", "veth", "virbr", "cni", "podman", "vmnet", "vboxnet"),
    *("tun", "tap", "wg", "ppp", "tailscale", "zt"),
)


class PortBusyError(Exception):
    """Another program listens on the port that was asked for."""


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_free(host: str, port: int) -> bool:
    """Whether a server could listen there. Connections that linger after a stop don't count as busy."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def web_port(host: str, wanted: int | None, first: int = 8000, tries: int = 100) -> int:
    """The wanted port, or the first free one from `first` on; raises PortBusyError in words."""
    if wanted is None:
        for port in range(first, first + tries):
            if is_free(host, port):
                return port
        raise PortBusyError(f"No free port from {first} to {first + tries - 1}: choose one with PORT=…")
    if not is_free(host, wanted):
        raise PortBusyError(f"Port {wanted} is busy: another program listens there. Try PORT={wanted + 1}.")
    return wanted


def lan_addresses() -> list[str]:
    """IPv4 addresses by which other devices in the room reach this machine, the likeliest first."""
    found = [address for name, address in _interfaces() if not name.startswith(_INNER)]
    likeliest = _outgoing_address()
    # With a VPN on, what goes out leaves through its tunnel, whose address nobody in the room reaches.
    ordered = ([likeliest] if likeliest in found else []) + found
    return [address for address in dict.fromkeys(ordered) if not address.startswith(("127.", "169.254."))]


def reached_at(host: str) -> str:
    """The name by which this machine itself reaches a server that listens on `host`."""
    return "localhost" if host in {EVERYWHERE, "127.0.0.1"} else host


def _outgoing_address() -> str | None:
    """The address of the default route; connecting a datagram socket sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # reserved for documentation (RFC 5737)
        except OSError:
            return None
        return str(probe.getsockname()[0])


def _interfaces() -> Iterator[tuple[str, str]]:
    """(name, IPv4 address) of every interface that has one (Linux)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        for _, name in socket.if_nameindex():
            try:
                answer = fcntl.ioctl(probe, SIOCGIFADDR, struct.pack("256s", name[:15].encode()))
            except OSError:  # no IPv4 address on this interface
                continue
            yield name, socket.inet_ntoa(answer[20:24])
