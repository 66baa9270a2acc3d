"""Students against the running product: rows by the classroom's own actions, frames over real WebSockets."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import lru_cache, wraps
from typing import Any, ParamSpec

import cv2
import numpy as np
from django.contrib.auth.models import User
from django.db import connections
from django.http import HttpResponse
from django.test import Client
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin

from classroom import access, actions, consent
from classroom.local.running import RunningProduct
from classroom.models import ClassSession, Course, Participant
from emotions.frames.frame import FrameHeader
from ml.synthetic import SyntheticFaces, compose_frame

_P = ParamSpec("_P")
ANSWERS = {"reading.own", "frame.replaced", "frame.rejected"}


def closing_connections(test: Callable[_P, Awaitable[None]]) -> Callable[_P, Awaitable[None]]:
    """An asynchronous test has database connections of its own context; nobody else can close them."""

    @wraps(test)
    async def closed(*args: _P.args, **kwargs: _P.kwargs) -> None:
        try:
            await test(*args, **kwargs)
        finally:
            connections.close_all()

    return closed


def new_session(owner: User) -> ClassSession:
    return actions.start_session(Course.objects.create(title=f"Course {uuid.uuid4().hex[:6]}", instructor=owner))


def new_student(session: ClassSession, name: str, scope: str = "individual") -> Participant:
    student = actions.join(session, name)
    if scope:
        actions.record_consent(student, scope, consent.text_for(session).sha256)
    return student


@lru_cache(maxsize=32)
def portrait(label: str = "happy", seed: int = 1) -> bytes:
    """A webcam-like picture of a synthetic face, as JPEG."""
    rng = np.random.default_rng(seed)
    done, data = cv2.imencode(".jpg", compose_frame(SyntheticFaces.load().face(label, rng), rng))
    assert done
    return bytes(data)


@dataclass
class Tab:
    """A student's open page: sends frames, keeps every answer."""

    socket: ClientConnection
    epoch: int
    sent: int = 0
    heard: list[dict[str, Any]] = field(default_factory=list)

    async def show(self, picture: bytes, captured_ms: float | None = None) -> int:
        """Send one frame; returns its sequence."""
        self.sent += 1
        header = FrameHeader(self.sent, captured_ms or time.time() * 1000, self.epoch)
        await self.socket.send(header.pack() + picture)
        return self.sent

    async def stream(self, seconds: float, interval: float, picture: bytes) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            await self.show(picture)
            await asyncio.sleep(interval)

    @property
    def answers(self) -> dict[int | None, dict[str, Any]]:
        """The answer to each frame, by sequence."""
        return {message["sequence"]: message for message in self.heard if message["type"] in ANSWERS}

    def answer_to(self, sequence: int) -> dict[str, Any] | None:
        return self.answers.get(sequence)

    def readings(self) -> set[int]:
        """Sequences whose face was read: each must be stored."""
        return {message["sequence"] for message in self.heard if message.get("label") is not None}

    async def wait_for(self, condition: Callable[[], Any], seconds: float = 15.0) -> Any:
        return await until(condition, seconds)

    async def closed_with(self, seconds: float = 15.0) -> int | None:
        await asyncio.wait_for(self.socket.wait_closed(), seconds)
        return self.socket.close_code


async def until(condition: Callable[[], Any], seconds: float = 15.0) -> Any:
    """Wait until it is true; returns it."""
    end = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < end, f"not within {seconds} s"
        await asyncio.sleep(0.05)
    return answer


@asynccontextmanager
async def page(product: RunningProduct, path: str, cookies: dict[str, str]) -> AsyncIterator[ClientConnection]:
    """A socket as the product's own page opens it."""
    cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
    async with connect(
        product.ws_url + path,
        origin=Origin(product.base_url),
        additional_headers={"Cookie": cookie},
        compression=None,
    ) as socket:
        yield socket


@asynccontextmanager
async def camera(product: RunningProduct, student: Participant) -> AsyncIterator[Tab]:
    """A student's page after its welcome."""
    async with page(product, f"/ws/camera/{student.session.public_id}/", student_cookies(student)) as socket:
        welcome = json.loads(await asyncio.wait_for(socket.recv(), 15))
        assert welcome["type"] == "welcome", welcome
        await socket.send(json.dumps({"type": "hello", "client_ms": time.time() * 1000}))
        await socket.send(json.dumps({"type": "camera.state", "state": "on"}))
        tab = Tab(socket, welcome["consent_epoch"])
        listener = asyncio.create_task(listen(socket, tab.heard))
        try:
            yield tab
        finally:
            listener.cancel()


async def listen(socket: ClientConnection, heard: list[dict[str, Any]]) -> None:
    try:
        async for message in socket:
            heard.append(json.loads(message))  # noqa: PERF401 - others read the list meanwhile
    except ConnectionClosed:
        return


def student_cookies(student: Participant) -> dict[str, str]:
    response = HttpResponse()
    access.set_participant_cookie(response, student)
    return {name: morsel.value for name, morsel in response.cookies.items()}


def instructor_cookies(user: User) -> dict[str, str]:
    client = Client()
    client.force_login(user)
    return {name: morsel.value for name, morsel in client.cookies.items()}
