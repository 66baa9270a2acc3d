"""Answers reach their sockets, also past a slow browser and a Redis that was restarted."""

from __future__ import annotations

import asyncio
import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from asgiref.sync import sync_to_async
from pytest_django.fixtures import Settings

from classroom.local.folder import DataFolder
from classroom.local.network import free_port
from classroom.local.wheels import valkey_executable
from emotions import hub
from emotions.frames import slots
from emotions.frames.intake import Intake
from emotions.hub import UNSENT_LIMIT, Hub, Outlet
from emotions.mood import presence
from emotions.mood.presence import Seat
from emotions.publish import Answer, own_readings
from emotions.store import presence_key, sync_redis
from tests.emotions.parts import slot_frame
from tests.emotions.sockets import eventually, web_process


class Valkey:
    """A server of the test's own, with a password; it can be restarted, and then knows nothing."""

    def __init__(self, folder: Path) -> None:
        self._executable = valkey_executable(DataFolder.open(folder), None)
        self._port, self._password = free_port(), "a secret: with /odd?characters"
        self.url = f"redis://:a%20secret%3A%20with%20%2Fodd%3Fcharacters@127.0.0.1:{self._port}/0"

    def start(self) -> None:
        options = ["--save", "", "--bind", "127.0.0.1", "--port", str(self._port), "--requirepass", self._password]
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
