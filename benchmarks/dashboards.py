"""Dashboards beside a large class: bytes of a tick, and what ten of them cost the web process."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.test import Client
from websockets.asyncio.client import connect

from benchmarks import processes
from classroom.local.running import RunningProduct

SETTLE_SECONDS = 5.0
"""The first ticks after a snapshot tell every tile once."""
ROUNDS = 3
"""How often the class is left alone, then watched: one difference says more of the minute than of the dashboards."""


def cookie() -> str:
    """The signed-in instructor's session cookie, as `Cookie` header."""
    client = Client()
    client.force_login(get_user_model().objects.get(username="bench"))
    return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"


def measure(running: RunningProduct, session_id: str, who: str, count: int, seconds: float) -> dict[str, Any]:
    """`in_turns` for the web processes of this product and `count` dashboards. `who`: the instructor's `cookie()`."""
    web = {"web": running.pids()["web"]}
    return in_turns(
        lambda: processes.cpu_by_name(web)["web"],
        lambda: watch(running.ws_url, session_id, who, count, seconds),
        seconds,
    )


def rounds_take(seconds: float) -> float:
    """How long `in_turns` takes at most, where each turn has so many seconds."""
    return 2 * ROUNDS * (seconds + 1)


def in_turns(spent: Callable[[], float], watch: Callable[[], list[int]], seconds: float) -> dict[str, Any]:
    """The same class alone and watched, ROUNDS times one after the other: ticks, and what watching costs.

    `spent`: CPU seconds of the web processes so far. `watch`: comes, looks for so many seconds, goes, and returns the
    bytes of each tick. `more_cores`: of each watched turn, what it cost beyond the one before it.
    """
    alone, watched, ticks = [], [], []
    for _ in range(ROUNDS):
        alone.append(_cores(spent, lambda: time.sleep(seconds)))
        watched.append(_cores(spent, lambda: ticks.extend(watch())))
    more = [after - before for before, after in zip(alone, watched, strict=True)]
    return {
        "ticks_heard": len(ticks),
        "bytes_median": statistics.median(ticks) if ticks else None,
        "bytes_largest": max(ticks, default=None),
        "web_cores_alone": _rounded(alone),
        "web_cores_watched": _rounded(watched),
        "more_cores": {
            "median": round(statistics.median(more), 4),
            "least": round(min(more), 4),
            "most": round(max(more), 4),
        },
    }


def _cores(spent: Callable[[], float], meanwhile: Callable[[], object]) -> float:
    """Cores that were busy meanwhile."""
    before, began = spent(), time.monotonic()
    meanwhile()
    return (spent() - before) / (time.monotonic() - began)


def _rounded(cores: list[float]) -> list[float]:
    return [round(one, 4) for one in cores]


def watch(ws_url: str, session_id: str, who: str, count: int, seconds: float) -> list[int]:
    """Bytes of the ticks that `count` dashboards of this session hear in so many seconds, the first ones left out.

    `who`: the instructor's `cookie()`.
    """
    heard = asyncio.run(_all(ws_url, session_id, who, count, seconds - SETTLE_SECONDS))
    return [size for one in heard for size in one]


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
