"""A socket that comes while Redis is away is told to come back, and nothing of it stays."""

from __future__ import annotations

import asyncio
import socket
import time
import uuid

import pytest
from channels.layers import get_channel_layer
from pytest_django.fixtures import Settings

from classroom.config import env
from classroom.local.network import free_port
from emotions.consumers import base
from tests.emotions.sockets import browser, web_process


def _layer_on(port: int) -> dict[str, object]:
    hosts = [env.listening_host(f"redis://127.0.0.1:{port}/0")]
    return {"default": {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": hosts}}}


async def _close_code() -> int:
    async with browser(f"/ws/camera/{uuid.uuid4()}/") as tab:
        return await tab.close_code()


async def _all_are_sent_away() -> None:
    codes = await asyncio.gather(*(_close_code() for _ in range(20)))
    assert codes == 20 * [base.TRY_AGAIN_LATER]
    layer = get_channel_layer()
    assert (layer.channels, layer.groups) == ({}, {})


async def test_while_nobody_listens_there(settings: Settings) -> None:
    settings.CHANNEL_LAYERS = _layer_on(free_port())
    async with web_process():
        await _all_are_sent_away()


async def test_while_it_takes_connections_and_says_nothing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All wait at once, no one for those before."""
    monkeypatch.setattr(base, "CHANNEL_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        settings.CHANNEL_LAYERS = _layer_on(mute.getsockname()[1])
        begun = time.monotonic()
        async with web_process():
            await _all_are_sent_away()
    assert time.monotonic() - begun < 4
