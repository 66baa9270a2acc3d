"""No request may bring more than the largest form. Django writes what comes to a temporary file before any page has
seen who sends it: without a limit a stranger could fill the disk."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

Application = Callable[[Any, Any, Any], Awaitable[None]]

LARGEST_BODY = 1_000_000
"""Bytes. Less than Django keeps in memory, so that nothing that was sent touches a disk."""
_WORDS = b"This is more than any form of ours holds.\n"


def limited(application: Application) -> Application:
    """Answers 413 to a larger body, announced or not."""

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        if _announced(scope["headers"]) > LARGEST_BODY:
            await _refuse(send)
            return
        body = _Body(receive)
        await application(scope, body.receive, send)
        if body.too_large:
            await _refuse(send)

    return answer


class _Body:
    """Counts what comes in; beyond the limit it looks to the application as if the client had gone."""

    def __init__(self, receive: Callable[[], Awaitable[dict[str, Any]]]) -> None:
        self._receive, self._bytes = receive, 0

    @property
    def too_large(self) -> bool:
        return self._bytes > LARGEST_BODY

    async def receive(self) -> dict[str, Any]:
        message = await self._receive()
        self._bytes += len(message.get("body", b""))
        return {"type": "http.disconnect"} if self.too_large else message


def _announced(headers: list[tuple[bytes, bytes]]) -> int:
    """What Content-Length says; 0 for none, or for nonsense, which the server refuses."""
    value = dict(headers).get(b"content-length", b"")
    return int(value) if value.isdigit() and len(value) < 20 else 0


async def _refuse(send: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
    headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(_WORDS)).encode())]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": _WORDS})
