"""Synthetic students who join beside each other keep their cookies apart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import count

import httpx

from emotions.simulation.joining import Joiner, join_class

SESSION = "/session/0b8f"


async def _body() -> AsyncIterator[bytes]:
    """Arrives after the headers, as on a wire: others go on meanwhile."""
    await asyncio.sleep(0.005)
    yield b"<form></form>"


async def test_nobody_comes_in_with_another_students_cookie() -> None:
    """A server that, as ours does, sends whoever has a cookie already on to their own page."""
    numbers = count(1)

    async def serve(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0.001)
        known = "participant-" in request.headers.get("Cookie", "")
        if request.url.path == "/join/ABC/" and known:
            return httpx.Response(302, headers={"Location": SESSION + "/"})
        if request.url.path == "/join/ABC/" and request.method == "POST":
            cookie = f"participant-0b8f={next(numbers)}; Path=/"
            headers = {"Location": SESSION + "/consent/", "Set-Cookie": cookie}
            return httpx.Response(302, headers=headers, content=_body())
        return httpx.Response(302 if request.method == "POST" else 200, text="<form></form>")

    async with httpx.AsyncClient(transport=httpx.MockTransport(serve)) as client:
        joiner = Joiner(client, "http://class.example", "ABC")
        tickets = await join_class(joiner, ["aggregate"] * 60, lambda done, of: None)
    assert len({ticket.cookie for ticket in tickets}) == 60
