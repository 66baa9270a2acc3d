"""Sockets in tests: opened as a browser does, on the product's own addresses and middleware, without a server."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from channels.layers import get_channel_layer
from channels.routing import URLRouter
from channels.sessions import CookieMiddleware
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client

from classroom import access
from classroom.models import Participant
from emotions.consumers.roll_call import RollCall
from emotions.hub import Hub
from emotions.routing import sockets
from emotions.store import close_async_redis

APPLICATION = CookieMiddleware(URLRouter(sockets))
PATIENCE = 5.0


class Browser:
    """One open socket."""

    def __init__(self, path: str, cookies: Mapping[str, str]) -> None:
        header = "; ".join(f"{name}={value}" for name, value in cookies.items())
        address, _, query = path.partition("?")
        self._socket = ApplicationCommunicator(
            APPLICATION,
            {
                "type": "websocket",
                "path": address,
                "query_string": query.encode(),
                "headers": [(b"cookie", header.encode())],
                "subprotocols": [],
            },
        )

    async def open(self) -> None:
        """Every socket is accepted first, so that its close code can be read."""
        await self._socket.send_input({"type": "websocket.connect"})
        assert (await self._socket.receive_output(timeout=PATIENCE))["type"] == "websocket.accept"

    async def say(self, **message: Any) -> None:
        await self.say_text(json.dumps(message))

    async def say_text(self, text: str) -> None:
        await self._socket.send_input({"type": "websocket.receive", "text": text})

    async def show(self, data: bytes) -> None:
        await self._socket.send_input({"type": "websocket.receive", "bytes": data})

    async def hear(self) -> dict[str, Any]:
        """The next message; an assertion with the code if the socket closes instead."""
        event = await self._socket.receive_output(timeout=PATIENCE)
        assert event["type"] == "websocket.send", event
        heard: dict[str, Any] = json.loads(event["text"])
        return heard

    async def hear_type(self, *types: str) -> dict[str, Any]:
        """The next message of one of these types; others are passed over."""
        while (message := await self.hear())["type"] not in types:
            pass
        return message

    async def close_code(self) -> int:
        """Wait for the close; messages before it are passed over."""
        while (event := await self._socket.receive_output(timeout=PATIENCE))["type"] != "websocket.close":
            pass
        return int(event["code"])

    async def silent(self, seconds: float = 0.1) -> bool:
        return bool(await self._socket.receive_nothing(timeout=seconds, interval=0.02))

    async def shut(self) -> None:
        await self._socket.send_input({"type": "websocket.disconnect", "code": 1000})
        await self._socket.wait(timeout=PATIENCE)


@asynccontextmanager
async def browser(path: str, cookies: Mapping[str, str] | None = None) -> AsyncIterator[Browser]:
    opened = Browser(path, cookies or {})
    await opened.open()
    try:
        yield opened
    finally:
        await opened.shut()


@asynccontextmanager
async def camera(participant: Participant, cookies: Mapping[str, str] | None = None) -> AsyncIterator[Browser]:
    """A student's socket after its welcome."""
    path = f"/ws/camera/{participant.session.public_id}/"
    async with browser(path, student_cookies(participant) if cookies is None else cookies) as opened:
        await opened.hear_type("welcome")
        yield opened


@asynccontextmanager
async def web_process() -> AsyncIterator[None]:
    """What belongs to a process's event loop, tidied up afterwards."""
    try:
        yield
    finally:
        await Hub.here().stop()
        await RollCall.here().stop()
        await close_async_redis()
        await get_channel_layer().flush()


def student_cookies(participant: Participant) -> dict[str, str]:
    response = HttpResponse()
    access.set_participant_cookie(response, participant)
    return {name: morsel.value for name, morsel in response.cookies.items()}


def instructor_cookies(user: User) -> dict[str, str]:
    client = Client()
    client.force_login(user)
    return {name: morsel.value for name, morsel in client.cookies.items()}


async def eventually(condition: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    """Wait until a synchronous question is answered with yes; returns the answer."""
    end = time.monotonic() + seconds
    while not (answer := await sync_to_async(condition)()):
        assert time.monotonic() < end, f"not within {seconds} s"
        await asyncio.sleep(0.02)
    return answer
