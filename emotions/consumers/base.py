"""What all sockets share: accept first, then close with a code that a browser can read."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from itertools import count
from typing import Any, ClassVar, ParamSpec, TypeVar

from channels.consumer import get_handler_name
from channels.db import database_sync_to_async
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.layers import get_channel_layer
from django.db import DatabaseError, InterfaceError
from redis.exceptions import RedisError

from emotions.messages import CloseCode, Message
from emotions.meters import counts
from emotions.page_format import is_outdated
from emotions.threads import database_threads

log = logging.getLogger(__name__)

TRY_AGAIN_LATER = 1013
"""Not one of ours: a browser comes back after it."""

# What a part that is down raises. OSError is also what a server raises for a browser that has gone.
DOWN = (RedisError, OSError, DatabaseError, InterfaceError)

CHANNEL_SECONDS = 5.0
"""So long a socket waits in the layer's line for a channel of its own: more than a class that comes back at once
needs, and an end to waiting for a Redis that is silent."""
_tries = count()

_P = ParamSpec("_P")
_T = TypeVar("_T")
# A class that joins at once waits here in line, not at the database's limit of connections.
_database = database_threads(4, "socket-database")


async def in_database(function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """Call it in one of the few threads that sockets use for the database."""
    call = database_sync_to_async(function, thread_sensitive=False, executor=_database)
    result: _T = await call(*args, **kwargs)
    return result


class Socket(AsyncWebsocketConsumer):
    """Accepts, then calls `enter`; afterwards `text_received` and `binary_received` until it closes."""

    closing = False
    kind: ClassVar[str]

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
        """Channels' own loop makes two tasks and waits anew for every message; here two tasks live as long as the
        socket, and a lock keeps what Channels promises: one handler at a time."""
        self.scope, self.base_send = scope, send
        self.channel_layer = get_channel_layer(self.channel_layer_alias)
        try:
            self.channel_name = await self._own_channel()
        except DOWN as error:
            await self._accept_and_send_away(receive, error)
            return
        self._turn = asyncio.Lock()
        try:
            with counts.OPEN.one_more(self.kind):
                await _until_one_ends(self._obey(receive), self._obey(self._hear))
        except StopConsumer:
            pass
        finally:
            self.closing = True
            try:
                await self.leave()
            finally:
                await self._forget_channel()

    async def _own_channel(self) -> str:
        """The layer's name for what is said to this socket. Raises one of DOWN; the layer knows of no name then."""
        mark = f"specific.{next(_tries)}."
        try:
            async with asyncio.timeout(CHANNEL_SECONDS):
                name: str = await self.channel_layer.new_channel(mark)
        except BaseException:
            # It takes a name down before it subscribes to it, and keeps one to which it couldn't.
            for known in [known for known in self.channel_layer.channels if mark in known]:
                del self.channel_layer.channels[known]
            raise
        return name

    async def _accept_and_send_away(self, receive: Callable[[], Awaitable[dict[str, Any]]], error: Exception) -> None:
        """An error before the handshake would show as one of the server, with no code that a page could read."""
        log.warning("a socket is sent away for now: %s", error)
        await receive()  # that it wants to connect
        with suppress(OSError):  # it has waited, and may have gone
            await self.accept()
            await self.turn_away(TRY_AGAIN_LATER)

    async def _obey(self, receive: Callable[[], Awaitable[dict[str, Any]]]) -> None:
        while True:
            message = await receive()
            async with self._turn:
                await self.dispatch(message)

    async def _forget_channel(self) -> None:
        """The layer forgets a channel where it is cancelled while it waits for a message, and nowhere else: not where
        a message was being handled."""
        with suppress(TimeoutError):
            while self.channel_name in self.channel_layer.channels:
                await asyncio.wait_for(self._hear(), 0.01)

    async def _hear(self) -> dict[str, Any]:
        """What is said to this socket's groups."""
        message: dict[str, Any] = await self.channel_layer.receive(self.channel_name)
        return message

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Channels' own hops to a thread for each message, to tidy connections that this loop never opens."""
        handler = getattr(self, get_handler_name(message), None)
        if handler is None:
            raise ValueError(f"no handler for a message of type {message['type']}")
        await handler(message)

    async def connect(self) -> None:
        await self.accept()
        try:
            if is_outdated(self.scope.get("query_string", b"")):
                await self.turn_away(CloseCode.OUTDATED)
            else:
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
            counts.CLOSED.add(str(int(code)))
            await self.close(code=int(code))


async def _until_one_ends(*loops: Coroutine[Any, Any, None]) -> None:
    """Run them together; the first that ends ends the others, and raises what it raised."""
    tasks = [asyncio.create_task(loop) for loop in loops]
    try:
        ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in ended:
        task.result()
