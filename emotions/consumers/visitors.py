"""How many visitors the try page has at once, over all web processes."""

from __future__ import annotations

import time
from uuid import UUID

import redis.asyncio

from emotions.store import key

MOST = 12
"""Sessions come first: visitors share what they leave over."""
# A process that dies takes its visitors along after this; a visitor who stays says so with each frame.
GONE_AFTER_SECONDS = 60

_ENTER = """
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[2] - ARGV[3])
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) and redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[4]) then return 0 end
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[3])
return 1
"""


async def enter(client: redis.asyncio.Redis, connection: UUID) -> bool:
    """Come in, or say that one is still here. False when it is full."""
    arguments = (connection.hex, int(time.time()), GONE_AFTER_SECONDS, MOST)
    return bool(await client.eval(_ENTER, 1, key("try", "visitors"), *arguments))


async def leave(client: redis.asyncio.Redis, connection: UUID) -> None:
    await client.zrem(key("try", "visitors"), connection.hex)
