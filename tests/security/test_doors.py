"""Before any page or socket has looked: whose page a socket is of, and how much a request may bring."""

from __future__ import annotations

import asyncio
import io
import logging
import time
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
import uvicorn
from asgiref.testing import ApplicationCommunicator
from django.core.asgi import get_asgi_application
from pytest_django.fixtures import Settings
from uvicorn.server import ServerState

from classroom import logs
from classroom.config import bodies, patience
from classroom.config.bodies import LARGEST_BODY, limited
from classroom.config.same_origin import is_ours, same_origin
from classroom.local import services

# -- Sockets


@pytest.fixture
def _school(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["roomtone.school.example", "localhost"]
    settings.CSRF_TRUSTED_ORIGINS = ["https://portal.school.example"]
    settings.HTTPS = True


OURS = [
    ("https://roomtone.school.example", "roomtone.school.example"),
    ("https://localhost:8000", "localhost:8000"),
    ("https://roomtone.school.example", "ROOMTONE.school.example"),
    ("https://portal.school.example", "roomtone.school.example"),
]
NOT_OURS = [
    ("http://roomtone.school.example", "roomtone.school.example"),  # readable and changeable on its way
    ("https://roomtone.school.example:8443", "roomtone.school.example"),  # another program on that machine
    ("https://evil.example", "roomtone.school.example"),
    ("https://roomtone.school.example.evil.example", "roomtone.school.example"),
    ("https://roomtone.school.example@evil.example", "roomtone.school.example"),
    ("https://evil.example", "evil.example"),  # a name that was led to our address
    ("null", "roomtone.school.example"),  # a file, or a frame without an origin
    ("", "roomtone.school.example"),
    ("https://", ""),
    ("https://[::1", "localhost"),
    ("file://roomtone.school.example", "roomtone.school.example"),
]


@pytest.mark.usefixtures("_school")
@pytest.mark.parametrize(("origin", "host", "ours"), [(*p, True) for p in OURS] + [(*p, False) for p in NOT_OURS])
def test_whose_pages_may_open_a_socket(origin: str, host: str, ours: bool) -> None:
    assert is_ours(origin, host) is ours


@pytest.mark.usefixtures("_school")
@pytest.mark.parametrize(
    "origins", [[], [b"https://evil.example"], [b"https://evil.example", b"https://roomtone.school.example"]]
)
async def test_a_socket_that_is_not_ours_never_reaches_the_product(origins: list[bytes]) -> None:
    async def product(scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError("it did")

    named = [(b"host", b"roomtone.school.example"), *((b"origin", origin) for origin in origins)]
    asked = ApplicationCommunicator(same_origin(product), {"type": "websocket", "path": "/ws/try/", "headers": named})
    await asked.send_input({"type": "websocket.connect"})
    assert (await asked.receive_output(5))["type"] == "websocket.close"
    await asked.wait()


# -- Bodies


@pytest.fixture
def spooled(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How large the files became into which Django wrote what came in."""
    from tempfile import SpooledTemporaryFile

    sizes: list[int] = []

    class Watched(SpooledTemporaryFile):  # type: ignore[type-arg]
        def rollover(self) -> None:
            sizes.append(self.tell())
            super().rollover()

    monkeypatch.setattr("tempfile.SpooledTemporaryFile", Watched)
    return sizes


async def _post(announced: int | None, chunks: int, *, whole: bool = True) -> int:
    """Send it in pieces of 100 kB, and then, unless it is to be `whole`, nothing more; the status."""
    scope: dict[str, Any] = {"type": "http", "http_version": "1.1", "method": "POST", "path": "/join/"}
    scope |= {"query_string": b"", "scheme": "http", "server": ("testserver", 80), "client": ("127.0.0.1", 1)}
    scope["headers"] = [(b"host", b"testserver"), (b"content-type", b"multipart/form-data; boundary=x")]
    if announced is not None:
        scope["headers"].append((b"content-length", str(announced).encode()))
    asked = ApplicationCommunicator(limited(get_asgi_application()), scope)
    for number in range(chunks):
        more = number < chunks - 1 or not whole
        await asked.send_input({"type": "http.request", "body": b"x" * 100_000, "more_body": more})
    status = int((await asked.receive_output(10))["status"])
    await asked.wait(10)
    return status


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("announced", [None, 3, LARGEST_BODY + 1, 10**12])
async def test_a_flood_is_refused_whatever_it_announces(announced: int | None, spooled: list[int]) -> None:
    assert await _post(announced, 40) == 413
    assert spooled == [], "a stranger wrote to our disk"


@pytest.mark.django_db(transaction=True)
async def test_what_a_form_holds_passes() -> None:
    assert await _post(None, 2) != 413


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("chunks", [0, 2])
async def test_who_sends_half_a_body_is_let_go(chunks: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "BODY_SECONDS", 0.2)
    assert await _post(None, chunks, whole=False) == 408


async def test_who_sent_it_all_may_wait_for_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is streamed takes as long as it takes: Django listens meanwhile whether the browser goes."""
    monkeypatch.setattr(bodies, "BODY_SECONDS", 0.05)

    async def page(scope: Any, receive: Any, send: Any) -> None:
        assert (await receive())["type"] == "http.request"
        listening = asyncio.create_task(receive())
        await asyncio.sleep(0.2)
        assert not listening.done()
        listening.cancel()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    asked = ApplicationCommunicator(limited(page), {"type": "http", "headers": []})
    await asked.send_input({"type": "http.request", "body": b"", "more_body": False})
    assert (await asked.receive_output(5))["status"] == 200
    await asked.wait(5)


# -- Heads


@pytest.fixture
async def served(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    """A page behind uvicorn with the HTTP that the product is started with; its port."""
    monkeypatch.setattr(patience, "HEAD_SECONDS", 0.5)

    async def page(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(1)  # Longer than a head may take.
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    arguments = services.web("127.0.0.1", 0).arguments
    http = arguments[arguments.index("--http") + 1]
    config = uvicorn.Config(page, http=http, lifespan="off", log_config=None, log_level="error")
    config.load()
    protocol, state = cast(Any, config.http_protocol_class), ServerState()
    server = await asyncio.get_running_loop().create_server(
        lambda: protocol(config=config, server_state=state, app_state={}), "127.0.0.1", 0
    )
    async with server:
        yield int(server.sockets[0].getsockname()[1])


@pytest.mark.parametrize("head", [b"", b"GET", b"GET / HTTP/1.1\r\nHost: x\r\n"])
async def test_who_sends_half_a_head_is_let_go(head: bytes, served: int) -> None:
    """However it trickles in."""
    reader, writer = await asyncio.open_connection("127.0.0.1", served)
    writer.write(head)
    trickle = asyncio.create_task(_trickle(writer) if head.endswith(b"\r\n") else asyncio.sleep(0))
    assert await asyncio.wait_for(reader.read(), 5) == b""
    trickle.cancel()
    writer.close()


async def _trickle(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"x: y\r\n")
        await asyncio.sleep(0.1)


async def test_a_connection_serves_one_request_after_the_other(served: int) -> None:
    """And half a head after a whole one has no more time than the first."""
    reader, writer = await asyncio.open_connection("127.0.0.1", served)
    for _ in range(2):
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b" 204 " in await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
    began = time.monotonic()
    writer.write(b"GET / HTTP")
    assert await asyncio.wait_for(reader.read(), 5) == b""
    assert time.monotonic() - began < 4  # Uvicorn's own patience between two requests is 5 s.
    writer.close()


# -- Lines of the log


@pytest.mark.parametrize("kind", [logs.Plain, logs.Json])
def test_nobody_writes_a_line_of_the_log(kind: type[logging.Formatter]) -> None:
    """Not in a message, not by way of an error's words, and no terminal is moved."""
    typed = "Sam\n2026-01-01 00:00:00,000 CRITICAL root: all is lost\r\x1b[2J\u2028x"
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(kind())
    log = logging.getLogger("tests.forged")
    log.addHandler(handler)
    try:
        raise ValueError(typed)
    except ValueError:
        log.exception("refused: %s", typed)
    lines = stream.getvalue().splitlines()
    assert not [line for line in lines if line.startswith("2026-01-01")]
    assert len([line for line in lines if not line.startswith("    | ")]) == 1
    assert "\x1b" not in stream.getvalue()
    log.removeHandler(handler)
