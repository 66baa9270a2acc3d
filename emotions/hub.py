"""One per event loop: this process's student sockets, the channel on which their answers come, and their presence.

Workers publish the answers of a whole batch in one message; every web process hears it and hands on what is for its
own sockets. So an answer costs no subscription, no queue and no serialisation of its own.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from uuid import UUID

import redis.asyncio
from django.conf import settings
from redis.exceptions import RedisError

from emotions.mood import presence
from emotions.mood.presence import Seat
from emotions.per_loop import OncePerLoop
from emotions.store import ANSWER_TIMEOUT, CONNECT_TIMEOUT, async_redis, own_channel

log = logging.getLogger(__name__)

Send = Callable[[str], Awaitable[None]]
# A browser that takes nothing in hears nothing more until it does; its answers would pile up in memory.
UNSENT_LIMIT = 16
RECONNECT_SECONDS = 0.5
QUIET_SECONDS = 5.0
"""After so long without an answer to hand on, Redis is asked whether it is there; it has as long again to say so."""


class Outlet:
    """One socket's way out. `offer` never waits: one slow browser must not hold up the others."""

    def __init__(self, send: Send) -> None:
        self._send = send
        # Asked for once: each time is a call of the system in Python 3.11.
        self._loop = asyncio.get_running_loop()
        self._unsent: set[asyncio.Task[None]] = set()

    def offer(self, text: str) -> bool:
        """Send it soon; False if too much waits already."""
        if len(self._unsent) >= UNSENT_LIMIT:
            return False
        task = self._loop.create_task(self._deliver(text))
        self._unsent.add(task)
        task.add_done_callback(self._unsent.discard)
        return True

    async def _deliver(self, text: str) -> None:
        try:
            await self._send(text)
        except (OSError, RuntimeError) as error:
            # The browser went while the answer was on its way; its consumer hears of it from the server.
            log.debug("an answer found its socket closed: %s", error)


class Hub(OncePerLoop):
    """The sockets of this process to which answers go."""

    def __init__(self) -> None:
        self._outlets: dict[str, Outlet] = {}
        self._seats: dict[str, Seat] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._listening = asyncio.Event()

    async def open(self, connection: UUID, send: Send, seat: Seat | None = None) -> None:
        """Answers for `connection` go to `send`; a `seat` is kept present. Returns once answers can arrive, or after
        ANSWER_TIMEOUT (Redis is away: they will come when it is back)."""
        self._outlets[connection.hex] = Outlet(send)
        if seat is not None:
            self._seats[connection.hex] = seat
        if not self._tasks:
            self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._refresh())]
        try:
            await asyncio.wait_for(self._listening.wait(), ANSWER_TIMEOUT)
        except TimeoutError:
            log.warning("answers can't be heard: no subscription to Redis yet")

    def close(self, connection: UUID) -> None:
        """The socket is gone; nothing is sent to it any more."""
        self._outlets.pop(connection.hex, None)
        self._seats.pop(connection.hex, None)

    def deliver(self, connection: UUID | str, text: str) -> None:
        """To the socket, if it is one of this process's."""
        outlet = self._outlets.get(connection if isinstance(connection, str) else connection.hex)
        if outlet is not None and not outlet.offer(text):
            log.debug("a browser does not take its answers in; one is dropped")

    async def stop(self) -> None:
        """End the tasks (tests; a process just exits)."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._listening.clear()

    async def _listen(self) -> None:
        """Hear the channel for ever, whatever comes on it; a lost connection is made again."""
        while True:
            try:
                await self._hear()
            except (RedisError, OSError) as error:
                log.warning("the answers' channel is lost, trying again: %s", error)
            except Exception:
                log.exception("what came on the answers' channel could not be handed on")
            self._listening.clear()
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _hear(self) -> None:
        client = redis.asyncio.Redis.from_url(
            settings.REDIS_URL,
            socket_connect_timeout=CONNECT_TIMEOUT,
            # A quiet channel is no broken one.
            socket_timeout=None,
        )
        async with client, client.pubsub(ignore_subscribe_messages=True) as channel:
            await channel.subscribe(own_channel())
            self._listening.set()
            asked = False
            while True:
                message = await channel.get_message(timeout=QUIET_SECONDS)
                if message is None and asked:
                    # Its host is gone without a word: the system would find that out after a quarter of an hour.
                    raise redis.exceptions.ConnectionError("no answer to a ping")
                asked = message is None
                if message is None:
                    await channel.ping()
                elif message["type"] == "message":
                    self._hand_on(message["data"])

    def _hand_on(self, payload: bytes) -> None:
        """What another version of the product sends is none of ours, and no reason to hear nothing for a while."""
        try:
            answers = [(str(connection), str(text)) for connection, text in json.loads(payload)]
        except (ValueError, TypeError) as error:
            log.warning("a message on the answers' channel holds no answers: %s", error)
            return
        for connection, text in answers:
            self.deliver(connection, text)

    async def _refresh(self) -> None:
        """Say every few seconds, for all sockets at once, that they are still here; for ever, as above."""
        while True:
            await asyncio.sleep(presence.REFRESH_SECONDS)
            try:
                await presence.mark(async_redis(), list(self._seats.values()))
            except (RedisError, OSError) as error:
                log.warning("presence is not refreshed: %s", error)
            except Exception:
                log.exception("presence could not be refreshed")
