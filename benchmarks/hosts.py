"""Workers on hosts of their own, here network namespaces: nothing but Postgres and Redis between them and the web.

Each host has its own network, name and /tmp; it reaches two ports of the machine and nothing else. Needs root and
`ip` (iproute2).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from classroom.local import services

PARTS = ("DATABASE_URL", "REDIS_URL")
_PRIVATE = 'mount -t tmpfs none /tmp && hostname {name} && exec "$@"'


@dataclass(frozen=True, slots=True)
class Host:
    """A namespace's name, its own address, and the machine's address as it sees it."""

    name: str
    address: str
    gateway: str


def refusal() -> str | None:
    """Why this machine can't make hosts; None if it can."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        return "network namespaces need root and the program `ip` (Debian: iproute2)"
    probe = subprocess.run(["ip", "netns", "add", "roomtone-probe"], capture_output=True, text=True, check=False)
    if probe.returncode:
        return probe.stderr.strip() or "`ip netns add` is refused"
    _ip("netns", "delete", "roomtone-probe")
    return None


@contextmanager
def workers(count: int, environment: Mapping[str, str]) -> Iterator[list[Host]]:
    """So many hosts with a worker of one process each. `environment`: that of the product, with its two addresses."""
    with ExitStack() as stack:
        hosts = [stack.enter_context(_host(number)) for number in range(count)]
        for host in hosts:
            stack.enter_context(_relays(host, environment))
            stack.enter_context(_worker(host, environment))
        yield hosts


@contextmanager
def _host(number: int) -> Iterator[Host]:
    host = Host(f"roomtone-{number}", f"10.213.{number}.2", f"10.213.{number}.1")
    outside = f"rtm{number}"
    _ip("netns", "add", host.name)
    try:
        _ip("link", "add", outside, "type", "veth", "peer", "name", "eth0", "netns", host.name)
        _ip("address", "add", f"{host.gateway}/30", "dev", outside)
        _ip("link", "set", outside, "up")
        _ip("-n", host.name, "address", "add", f"{host.address}/30", "dev", "eth0")
        _ip("-n", host.name, "link", "set", "eth0", "up")
        yield host
    finally:
        _ip("netns", "delete", host.name)


@contextmanager
def _worker(host: Host, environment: Mapping[str, str]) -> Iterator[None]:
    """A worker as the product starts it, but that its parts are at the gateway."""
    inside = dict(environment) | {name: _at(environment[name], host.gateway) for name in PARTS}
    private = ["unshare", "--mount", "--uts", "sh", "-c", _PRIVATE.format(name=host.name), "sh"]
    command = ["ip", "netns", "exec", host.name, *private, sys.executable, *services.worker(1).arguments]
    with subprocess.Popen(command, env=inside, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.terminate()


def _at(url: str, host: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=f"{parts.netloc.rpartition('@')[0]}@{host}:{parts.port}").geturl()


@contextmanager
def _relays(host: Host, environment: Mapping[str, str]) -> Iterator[None]:
    """The parts listen on 127.0.0.1 alone: two ports of the host's gateway lead there."""
    ends = [f"{urlsplit(environment[name]).hostname}:{urlsplit(environment[name]).port}" for name in PARTS]
    with subprocess.Popen([sys.executable, "-m", "benchmarks.relay", host.gateway, *ends]) as process:
        try:
            yield
        finally:
            process.kill()


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)
