"""Dashboards beside a large class: bytes of a tick, and what ten of them cost the server."""

from __future__ import annotations

import asyncio
import statistics
import time
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.test import Client
from websockets.asyncio.client import connect

SETTLE_SECONDS = 5.0
"""The first ticks after a snapshot tell every tile once."""


def cookie() -> str:
    """The signed-in instructor's session cookie, as `Cookie` header."""
    client = Client()
    client.force_login(get_user_model().objects.get(username="bench"))
    return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"


def watch(ws_url: str, session_id: str, who: str, count: int, seconds: float) -> dict[str, Any]:
    """Bytes of the ticks that `count` dashboards of this session hear in so many seconds, the first ones left out.

    `who`: the instructor's `cookie()`.
    """
    heard = asyncio.run(_all(ws_url, session_id, who, count, seconds - SETTLE_SECONDS))
    ticks = [size for one in heard for size in one]
    return {
        "dashboards": count,
        "ticks_heard": len(ticks),
        "bytes_median": statistics.median(ticks) if ticks else None,
        "bytes_largest": max(ticks, default=None),
    }


async def _all(ws_url: str, session_id: str, who: str, count: int, seconds: float) -> list[list[int]]:
    return await asyncio.gather(*(_one(ws_url, session_id, who, seconds) for _ in range(count)))


async def _one(ws_url: str, session_id: str, who: str, seconds: float) -> list[int]:
    """Sizes of the messages after the snapshot has settled."""
    headers = {"Cookie": who, "Origin": ws_url.replace("ws", "http", 1)}
    sizes: list[int] = []
    async with connect(
        f"{ws_url}/ws/dashboard/{session_id}/", additional_headers=headers, compression=None
    ) as socket:
        until = time.monotonic() + SETTLE_SECONDS + seconds
        while (left := until - time.monotonic()) > 0:
            try:
                message = await asyncio.wait_for(socket.recv(), left)
            except TimeoutError:
                break
            if left < seconds:
                sizes.append(len(message))
    return sizes
