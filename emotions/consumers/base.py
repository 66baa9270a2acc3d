"""What all sockets share: accept first, then close with a code that a browser can read."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

from channels.consumer import get_handler_name
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import DatabaseError
from redis.exceptions import RedisError

from emotions.messages import CloseCode, Message

log = logging.getLogger(__name__)

TRY_AGAIN_LATER = 1013
"""Not one of ours: a browser comes back after it."""

# What a part that is down raises. OSError is also what a server raises for a browser that has gone.
DOWN = (RedisError, OSError, DatabaseError)

_P = ParamSpec("_P")
_T = TypeVar("_T")
# A class that joins at once waits here in line, not at the database's limit of connections.
_database = ThreadPoolExecutor(max_workers=4, thread_name_prefix="socket-database")


async def in_database(function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """Call it in one of the few threads that sockets use for the database."""
    call = database_sync_to_async(function, thread_sensitive=False, executor=_database)
    result: _T = await call(*args, **kwargs)
    return result


class Socket(AsyncWebsocketConsumer):
    """Accepts, then calls `enter`; afterwards `text_received` and `binary_received` until it closes."""

    closing = False

    async def enter(self) -> None:
        """Settle access; join groups. Whatever fails to answer closes the socket, and the browser comes back."""
        raise NotImplementedError

    async def text_received(self, text: str) -> None:
        raise NotImplementedError

    async def binary_received(self, data: bytes) -> None:
        raise NotImplementedError

    async def leave(self) -> None:
        """The socket has ended, however it did: undo what `enter` did."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self.closing = True
            await self.leave()

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Channels' own hops to a thread for each message, to tidy connections that this loop never opens."""
        handler = getattr(self, get_handler_name(message), None)
        if handler is None:
            raise ValueError(f"no handler for a message of type {message['type']}")
        await handler(message)

    async def connect(self) -> None:
        await self.accept()
        try:
            await self.enter()
        except DOWN as error:
            log.warning("a socket is sent away for now: %s", error)
            await self.turn_away(TRY_AGAIN_LATER)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self.closing:
            return
        try:
            if text_data is not None:
                await self.text_received(text_data)
            else:
                await self.binary_received(bytes_data or b"")
        except DOWN as error:
            log.warning("a message can't be dealt with, its socket is sent away for now: %s", error)
            await self.turn_away(TRY_AGAIN_LATER)

    async def tell(self, message: Message) -> None:
        await self.tell_text(message.to_json())

    async def tell_text(self, text: str) -> None:
        """A finished message; nothing, once the socket is closing."""
        if not self.closing:
            await self.send(text_data=text)

    async def turn_away(self, code: CloseCode | int) -> None:
        """Close; what still comes in is not looked at."""
        if not self.closing:
            self.closing = True
            await self.close(code=int(code))
