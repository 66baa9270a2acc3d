"""No request may bring more than the largest form, or take longer than a slow line needs for it. Django writes what
comes to a temporary file before any page has seen who sends it: without a limit a stranger could fill the disk, and
whoever sends half a form, and then nothing, would keep their connection for good."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

Application = Callable[[Any, Any, Any], Awaitable[None]]

LARGEST_BODY = 1_000_000
"""Bytes. Less than Django keeps in memory, so that nothing that was sent touches a disk."""
BODY_SECONDS = 30.0
"""From the first look at a body to its end. The largest needs 270 kbit/s for it, a form hardly any."""
_TOO_LARGE = 413, b"This is more than any form of ours holds.\n"
_TOO_SLOW = 408, b"What was sent did not come to an end in time. Send it again.\n"


def limited(application: Application) -> Application:
    """Answers 413 to a larger body, announced or not, and 408 to one that is not there after BODY_SECONDS."""

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        if _announced(scope["headers"]) > LARGEST_BODY:
            await _refuse(send, *_TOO_LARGE)
            return
        body = _Body(receive)
        await application(scope, body.receive, send)
        if body.refusal:
            await _refuse(send, *body.refusal)

    return answer


class _Body:
    """Counts what comes in, and for how long; beyond the limits it looks to the application as if the client had
    gone. Then `refusal` says with which status and words it is answered."""

    def __init__(self, receive: Callable[[], Awaitable[dict[str, Any]]]) -> None:
        self._receive, self._bytes, self._whole = receive, 0, False
        self._until: float | None = None
        self.refusal: tuple[int, bytes] | None = None

    async def receive(self) -> dict[str, Any]:
        if self._whole:  # Whoever asks on wants to know when the client goes, which may be whenever it likes.
            return await self._receive()
        if self._until is None:
            self._until = asyncio.get_running_loop().time() + BODY_SECONDS
        try:
            async with asyncio.timeout_at(self._until):
                message = await self._receive()
        except TimeoutError:
            self.refusal = _TOO_SLOW
            return {"type": "http.disconnect"}
        return self._counted(message)

    def _counted(self, message: dict[str, Any]) -> dict[str, Any]:
        self._bytes += len(message.get("body", b""))
        if self._bytes > LARGEST_BODY:
            self.refusal = _TOO_LARGE
            return {"type": "http.disconnect"}
        self._whole = not message.get("more_body")
        return message


def _announced(headers: list[tuple[bytes, bytes]]) -> int:
    """What Content-Length says; 0 for none, or for nonsense, which the server refuses."""
    value = dict(headers).get(b"content-length", b"")
    return int(value) if value.isdigit() and len(value) < 20 else 0


async def _refuse(send: Callable[[dict[str, Any]], Awaitable[None]], status: int, words: bytes) -> None:
    """And the connection closes: on it the rest of the body would come."""
    length = str(len(words)).encode()
    headers = [(b"content-type", b"text/plain"), (b"content-length", length), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": words})
