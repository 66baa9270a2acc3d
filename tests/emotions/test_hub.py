"""Answers reach their sockets, also past a slow browser and a Redis that was restarted."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from pytest_django.fixtures import Settings

from classroom.local.folder import CHECKOUT, DataFolder
from classroom.local.network import free_port
from classroom.local.wheels import valkey_executable
from classroom.throttle import Guesses
from emotions import hub
from emotions.frames import slots
from emotions.frames.intake import Intake
from emotions.hub import UNSENT_LIMIT, Hub, Outlet
from emotions.mood import presence
from emotions.mood.lease import Lease
from emotions.mood.presence import Seat
from emotions.publish import Answer, own_readings
from emotions.store import async_redis, key, own_channel, presence_key, sync_redis
from tests.emotions.parts import slot_frame
from tests.emotions.sockets import eventually, web_process


class Valkey:
    """A server of the test's own, with a password; it can be restarted, and then knows nothing."""

    def __init__(self, folder: Path) -> None:
        self._executable, self._folder = valkey_executable(DataFolder.open(folder), None), folder
        self._port, self._password = free_port(), "a secret: with /odd?characters"
        self.url = f"redis://:a%20secret%3A%20with%20%2Fodd%3Fcharacters@127.0.0.1:{self._port}/0"

    def start(self) -> None:
        place = ["--bind", "127.0.0.1", "--port", str(self._port), "--dir", str(self._folder)]
        options = ["--save", "", *place, "--requirepass", self._password]
        self._process = subprocess.Popen([str(self._executable), *options], stdout=subprocess.DEVNULL)
        with redis.Redis.from_url(self.url) as client:
            for _ in range(100):
                try:
                    client.ping()
                except redis.ConnectionError:
                    time.sleep(0.05)
                else:
                    return
        raise AssertionError("Valkey does not answer")

    def follow(self, other: Valkey) -> None:
        """Become a read-only copy of the other; what is connected stays so."""
        with redis.Redis.from_url(self.url) as client:
            client.replicaof("127.0.0.1", other._port)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()


@pytest.fixture
def valkey(tmp_path: Path, settings: Settings) -> Iterator[Valkey]:
    server = Valkey(tmp_path / "valkey")
    settings.REDIS_URL = server.url
    layer = {"hosts": [server.url], "prefix": f"{settings.REDIS_PREFIX}:layer"}
    settings.CHANNEL_LAYERS = {
        "default": {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": layer}
    }
    server.start()
    yield server
    sync_redis().close()
    server.stop()


class Page:
    """Takes answers in, unless it is stuck."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.free = asyncio.Event()
        self.free.set()

    async def send(self, text: str) -> None:
        await self.free.wait()
        self.heard.append(text)


def publish(connection: uuid.UUID, text: str) -> None:
    own_readings(sync_redis(), [Answer(connection, text)])


async def test_answers_come_through_a_restarted_redis(valkey: Valkey, monkeypatch: pytest.MonkeyPatch) -> None:
    """And with a password of odd characters; and presence is told again to a Redis that forgot it."""
    monkeypatch.setattr(presence, "REFRESH_SECONDS", 0.1)
    monkeypatch.setattr(hub, "RECONNECT_SECONDS", 0.05)
    page, connection = Page(), uuid.uuid4()
    async with web_process():
        await Hub.here().open(connection, page.send, Seat(1, 2, connection, "on"))
        await sync_to_async(publish)(connection, "before")
        await eventually(lambda: page.heard == ["before"])
        await sync_to_async(valkey.stop)()
        Intake.here().offer(slot_frame(connection=connection, sequence=7))
        await eventually(lambda: '"busy"' in page.heard[-1])
        await sync_to_async(valkey.start)()

        def again() -> bool:
            publish(connection, "after")
            return "after" in page.heard

        await eventually(again, 15)  # heard by a new subscription
        await eventually(lambda: sync_redis().hexists(presence_key(1), "2"), 15)
        Intake.here().offer(slot_frame(2, connection=connection, sequence=8))
        await eventually(lambda: sync_redis().exists(slots.slot_key(2)))


async def test_what_is_no_answer_ends_neither_the_listening_nor_the_presence(
    keys: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presence, "REFRESH_SECONDS", 0.05)
    monkeypatch.setattr(hub, "RECONNECT_SECONDS", 0.05)
    mark, faults = presence.mark, [ValueError("a fault of ours")]

    async def mark_at_last(*seats: Any) -> None:
        if faults:
            raise faults.pop()
        await mark(*seats)

    monkeypatch.setattr(presence, "mark", mark_at_last)
    page, connection = Page(), uuid.uuid4()
    async with web_process():
        await Hub.here().open(connection, page.send, Seat(1, 2, connection, "on"))
        for nothing in (b"no answer", b"7", b'[["half"]]'):
            await sync_to_async(sync_redis().publish)(own_channel(), nothing)
        # Once alone: what came before cost no moment of listening.
        await sync_to_async(publish)(connection, "an answer")
        await eventually(lambda: bool(page.heard))
        await eventually(lambda: sync_redis().hexists(presence_key(1), "2"))
    assert not faults


async def test_a_slow_browser_holds_up_nobody_and_does_not_fill_the_memory() -> None:
    slow, quick = Page(), Page()
    slow.free.clear()
    outlets = Outlet(slow.send), Outlet(quick.send)
    for n in range(3 * UNSENT_LIMIT):
        for outlet in outlets:
            outlet.offer(str(n))
        await asyncio.sleep(0)
    assert len(quick.heard) >= 3 * UNSENT_LIMIT - 1
    assert slow.heard == []
    slow.free.set()
    await eventually(lambda: len(slow.heard) == UNSENT_LIMIT)
    assert outlets[0].offer("it takes answers in again")
    await eventually(lambda: slow.heard[-1] == "it takes answers in again")


async def test_a_browser_that_has_gone_is_no_error() -> None:
    async def gone(_: str) -> None:
        raise OSError("the browser went")

    outlet = Outlet(gone)
    for _ in range(3 * UNSENT_LIMIT):
        assert outlet.offer("hello")
        await asyncio.sleep(0)
        await asyncio.sleep(0)


async def test_a_redis_that_is_gone_without_a_word_is_missed(
    valkey: Valkey, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its host has lost power: no connection ends, and none answers. Another serves at its address."""
    monkeypatch.setattr(hub, "QUIET_SECONDS", 0.3)
    monkeypatch.setattr(hub, "RECONNECT_SECONDS", 0.05)
    page, connection = Page(), uuid.uuid4()
    async with web_process(), relayed(settings) as relay:
        await Hub.here().open(connection, page.send)
        await asyncio.sleep(1)  # asked again and again, and answered
        await sync_to_async(publish)(connection, "before")
        await eventually(lambda: page.heard == ["before"])
        relay.swallow()

        def again() -> bool:
            with redis.Redis.from_url(valkey.url) as client:
                own_readings(client, [Answer(connection, "after")])
            return "after" in page.heard

        await eventually(again, 10)


async def _put_a_frame() -> None:
    await slots.put(async_redis(), [slot_frame(2)])


async def _mark_who_is_there() -> None:
    await presence.mark(async_redis(), [Seat(1, 2, uuid.uuid4(), "on")])


async def _hold_a_lease() -> None:
    assert await sync_to_async(Lease(sync_redis(), key(uuid.uuid4()), 60_000).hold)()


async def _count_a_guess() -> None:
    await sync_to_async(Guesses("code", limit=3, seconds=60).count)("somebody")


@pytest.mark.parametrize("write", [_put_a_frame, _mark_who_is_there, _hold_a_lease, _count_a_guess])
async def test_a_redis_that_has_become_a_copy_is_left(
    valkey: Valkey, settings: Settings, tmp_path: Path, write: Callable[[], Awaitable[None]]
) -> None:
    """Another serves at its address. It keeps the connections that it has, answers each, and writes nothing."""
    other = Valkey(tmp_path / "other")
    other.start()
    try:
        async with web_process(), relayed(settings) as relay:
            await write()
            relay.lead_to(other.url)
            await sync_to_async(valkey.follow)(other)
            await write()
            with redis.Redis.from_url(other.url) as client:
                assert client.dbsize()
    finally:
        other.stop()


class Relay:
    """Stands before a Redis."""

    def __init__(self, url: str) -> None:
        self._real = urlsplit(url)
        self._ends: list[asyncio.StreamWriter] = []
        self._lost: set[asyncio.StreamWriter] = set()
        self._pouring: set[asyncio.Task[None]] = set()

    def swallow(self) -> None:
        """All that passes on what is open now."""
        self._lost.update(self._ends)

    def lead_to(self, url: str) -> None:
        """What is opened from now on."""
        self._real = urlsplit(url)

    async def opened(self, source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
        back, there = await asyncio.open_connection(self._real.hostname, self._real.port)
        self._ends.extend((to, there))
        self._pouring.update(asyncio.create_task(self._pour(*way)) for way in ((source, there), (back, to)))

    async def _pour(self, source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await source.read(65_536):
                if to not in self._lost:
                    to.write(data)

    def close(self) -> None:
        for task in self._pouring:
            task.cancel()
        for end in self._ends:
            end.close()


@asynccontextmanager
async def relayed(settings: Settings) -> AsyncIterator[Relay]:
    """Puts a relay before Redis."""
    real = urlsplit(settings.REDIS_URL)
    relay = Relay(settings.REDIS_URL)
    server = await asyncio.start_server(relay.opened, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    settings.REDIS_URL = real._replace(netloc=real.netloc.replace(f":{real.port}", f":{port}")).geturl()
    try:
        yield relay
    finally:
        relay.close()
        server.close()


async def test_who_only_listens_notices_that_redis_is_gone(keys: str) -> None:
    """The channel layer's own connection: nothing that it sends could stay unanswered, so the system asks."""
    async with web_process():
        layer = get_channel_layer()
        await layer.group_add("a-group", await layer.new_channel())
        listening = layer._shards[0]._pubsub.connection._writer.get_extra_info("socket")
        assert listening.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        seconds = [
            listening.getsockopt(socket.IPPROTO_TCP, name) for name in (socket.TCP_KEEPIDLE, socket.TCP_KEEPCNT)
        ]
        assert seconds == [10, 3]
        assert listening.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 10_000


_GIVEN_UP_BY_THE_SYSTEM = """
import asyncio, errno
from channels.layers import get_channel_layer

async def main():
    layer = get_channel_layer()
    name = await layer.new_channel()
    await layer.group_add("a-group", name)
    heard = asyncio.create_task(layer.receive(name))
    listening = layer._shards[0]._pubsub.connection._writer.transport
    listening.get_protocol().connection_lost(TimeoutError(errno.ETIMEDOUT, "Connection timed out"))
    while not heard.done():
        await layer.group_send("a-group", {"type": "hello"})
        await asyncio.sleep(0.1)
    print(heard.result()["type"])
    await layer.flush()

asyncio.run(asyncio.wait_for(main(), 5))
"""


def test_who_only_listens_goes_on_after_the_system_gave_its_connection_up(keys: str, settings: Settings) -> None:
    """In a process of its own: one that asks the dead connection for ever answers nothing else, no limit of its own
    either."""
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "classroom.config.settings",
        "REDIS_URL": settings.REDIS_URL,
        "ROOMTONE_REDIS_PREFIX": keys,
        "ROOMTONE_DEBUG": "1",
    }
    process = subprocess.run(
        [sys.executable, "-c", _GIVEN_UP_BY_THE_SYSTEM],
        env=environment,
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert process.stdout == "hello\n", process.stderr
