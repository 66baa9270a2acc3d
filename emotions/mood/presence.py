"""Who is connected, and what their camera does: a hash per session in Redis.

Written when a socket opens, changes or closes, and refreshed by each web process for all its sockets together: a
process that dies stops refreshing, and its students are disconnected without anybody having to say so.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

import redis.asyncio
from redis.typing import EncodableT

from emotions import other_versions
from emotions.messages import CameraState
from emotions.store import presence_key

REFRESH_SECONDS = 4.0
# Two refreshes may be late.
GONE_AFTER_MS = 12_000
# So far may the clock of the host that wrote a time be ahead of the one that reads it. What is farther ahead was
# written before a clock was set back.
AHEAD_MS = 60_000
PRESENCE_SECONDS = 60

# The field goes only if it is still this connection's: a second tab may have taken over.
_LEAVE = """
local value = redis.call('HGET', KEYS[1], ARGV[1])
if value and string.sub(value, 1, 32) == ARGV[2] then redis.call('HDEL', KEYS[1], ARGV[1]) end
"""


@dataclass(slots=True)
class Seat:
    """One student's socket in this process."""

    session: int
    participant: int
    connection: UUID
    camera: CameraState = "off"


@dataclass(frozen=True, slots=True)
class Presence:
    """A student who was connected at `seen_ms` (Unix milliseconds)."""

    connection: str
    camera: CameraState
    seen_ms: int

    def fresh(self, now_ms: float) -> bool:
        return -AHEAD_MS <= now_ms - self.seen_ms <= GONE_AFTER_MS


async def mark(client: redis.asyncio.Redis, seats: Iterable[Seat]) -> None:
    """Each is connected now: one command per session, one round trip."""
    by_session: defaultdict[int, dict[EncodableT, EncodableT]] = defaultdict(dict)
    now_ms = int(time.time() * 1000)
    for seat in seats:
        by_session[seat.session][str(seat.participant)] = f"{seat.connection.hex}:{seat.camera}:{now_ms}"
    async with client.pipeline(transaction=False) as pipe:
        for session, fields in by_session.items():
            pipe.hset(presence_key(session), mapping=fields)
            pipe.expire(presence_key(session), PRESENCE_SECONDS)
        await pipe.execute()


async def leave(client: redis.asyncio.Redis, seat: Seat) -> None:
    """The socket closed."""
    await client.eval(_LEAVE, 1, presence_key(seat.session), str(seat.participant), seat.connection.hex)


def parse(rows: Mapping[Any, Any]) -> dict[int, Presence]:
    """A session's hash as HGETALL gives it, by participant, without what another version put there."""
    return other_versions.readable(rows, _presence, "presences")


def _presence(value: bytes) -> Presence:
    connection, camera, seen_ms = value.decode().split(":")
    return Presence(connection, cast(CameraState, camera), int(seen_ms))
