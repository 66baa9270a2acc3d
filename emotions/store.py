"""Connections to Redis, how the name of a key begins, and the names that several modules use. A key of one module
alone gets its name there, by `key`; docs/redis-keys.md tells of all.

A client belongs to one process and, where it is asynchronous, to one event loop: a worker forks, and a pool that
crossed the fork would read its parent's answers.
"""

from __future__ import annotations

import asyncio
import os
from weakref import WeakKeyDictionary

import redis
import redis.asyncio
from django.conf import settings
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.exceptions import ReadOnlyError
from redis.retry import Retry

# Seconds. Short: a frame is worth nothing after a second, so a part that hangs is treated as one that is down.
CONNECT_TIMEOUT = 1.0
ANSWER_TIMEOUT = 2.0
# The sweep of presence and the frames of one process go through a handful of connections; never one per socket.
ASYNC_CONNECTIONS = 16

_by_process: dict[tuple[int, str], redis.Redis] = {}
_by_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, redis.asyncio.Redis] = WeakKeyDictionary()


def sync_redis() -> redis.Redis:
    """This process's client, for workers, the ticker, views and receivers. Safe to use from several threads."""
    which = (os.getpid(), settings.REDIS_URL)
    client = _by_process.get(which)
    if client is None:
        client = _by_process[which] = redis.Redis.from_url(
            settings.REDIS_URL,
            socket_connect_timeout=CONNECT_TIMEOUT,
            socket_timeout=ANSWER_TIMEOUT,
            # Once more on a fresh connection: the server may have been restarted since the last command, or have
            # become a copy of another, which writes nothing and to which its address leads now.
            retry=Retry(NoBackoff(), 1),
            retry_on_error=[ReadOnlyError],
        )
    return client


def async_redis() -> redis.asyncio.Redis:
    """The running event loop's client."""
    loop = asyncio.get_running_loop()
    client = _by_loop.get(loop)
    if client is None:
        pool = redis.asyncio.BlockingConnectionPool.from_url(
            settings.REDIS_URL,
            max_connections=ASYNC_CONNECTIONS,
            timeout=ANSWER_TIMEOUT,
            socket_connect_timeout=CONNECT_TIMEOUT,
            socket_timeout=ANSWER_TIMEOUT,
            retry=AsyncRetry(NoBackoff(), 1),
            retry_on_error=[ReadOnlyError],
        )
        client = _by_loop[loop] = redis.asyncio.Redis(connection_pool=pool)
    return client


async def close_async_redis() -> None:
    """Give the running loop's connections back (a loop that ends without it leaves them to the garbage collector)."""
    client = _by_loop.pop(asyncio.get_running_loop(), None)
    if client is not None:
        await client.aclose(close_connection_pool=True)


def key(*parts: object) -> str:
    """A key of this deployment: its prefix and the parts, joined by colons."""
    return ":".join((settings.REDIS_PREFIX, *map(str, parts)))


def live_key(session_pk: int) -> str:
    return key("live", session_pk)


def presence_key(session_pk: int) -> str:
    return key("presence", session_pk)


def tiles_key(session_pk: int) -> str:
    return key("tiles", session_pk)


def cohort_key(session_pk: int) -> str:
    return key("cohort", session_pk)


def counting_key(session_pk: int) -> str:
    return key("counting", session_pk)


def purging_key() -> str:
    return key("purging")


def housekeeping_key() -> str:
    return key("housekeeping")


def notices_key(session_pk: int) -> str:
    return key("notices", session_pk)


def watch_key(session_pk: int) -> str:
    return key("watch", session_pk)


def dismissed_key(session_pk: int) -> str:
    return key("dismissed", session_pk)


def own_channel() -> str:
    """Pub/sub: the answers to frames, fanned out to their sockets by every web process."""
    return key("own")
