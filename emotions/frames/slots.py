"""The newest-frame slots in Redis: one per participant, overwritten, never queued. No frame outlives SLOT_MS.

A *lane* is what one drain works through: a shard of the participants, or the visitors of the try page. A lane's
`ready` set holds who has a frame waiting (the longest first), and its `queued` lease says that a drain is on its way,
so that a thousand frames don't put a thousand tasks on the broker.
"""

from __future__ import annotations

import logging
import struct
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import redis
import redis.asyncio
from django.conf import settings

from emotions.frames.frame import SLOT_HEADER_BYTES, SlotFrame
from emotions.store import key

log = logging.getLogger(__name__)

SLOT_MS = 5_000
# A drain that was killed is missed for so long.
LEASE_MS = 2_500
READY_MS = 2 * SLOT_MS
TRY_LANE = -1

# One round trip for all frames that a process gathered. KEYS: slot, ready, queued for each frame. ARGV: three
# lifetimes, the length of a slot's header; then whose, arrival time, value for each frame.
# Returns the headers of the frames that were overwritten ("" for none), and the positions of the frames whose lane
# has no drain on its way: the caller must send one.
_PUT = """
local replaced, wake = {}, {}
for i = 1, #KEYS, 3 do
  local slot, ready, queued = KEYS[i], KEYS[i + 1], KEYS[i + 2]
  local owner, arrived, value = ARGV[i + 4], ARGV[i + 5], ARGV[i + 6]
  replaced[#replaced + 1] = redis.call('GETRANGE', slot, 0, ARGV[4] - 1)
  redis.call('SET', slot, value, 'PX', ARGV[1])
  redis.call('ZADD', ready, 'NX', arrived, owner)
  redis.call('PEXPIRE', ready, ARGV[3])
  if redis.call('SET', queued, '1', 'NX', 'PX', ARGV[2]) then wake[#wake + 1] = (i - 1) / 3 end
end
return {replaced, wake}
"""

# KEYS: ready, queued, drained. ARGV: how many, the slots' prefix, the lease, now (ms), lifetime of the heartbeat.
# Taking and letting go of the lease is one step: whoever puts a frame after it finds the lease gone and sends a
# drain; whoever puts one before it has it taken here. So no frame waits unseen, and a drain that goes on needs no
# second one beside it.
_TAKE = """
local owners = redis.call('ZPOPMIN', KEYS[1], ARGV[1])
local frames = {}
for i = 1, #owners, 2 do
  local frame = redis.call('GETDEL', ARGV[2] .. owners[i])
  if frame then frames[#frames + 1] = frame end
end
local more = redis.call('EXISTS', KEYS[1])
if more == 1 then redis.call('SET', KEYS[2], '1', 'PX', ARGV[3]) else redis.call('DEL', KEYS[2]) end
redis.call('SET', KEYS[3], ARGV[4], 'PX', ARGV[5])
return {more, frames}
"""
_HEARTBEAT_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class PutOutcome:
    """`replaced`: headers of the frames that lost their place. `wake`: lanes that need a drain."""

    replaced: list[SlotFrame]
    wake: set[int]


def lane_of(frame: SlotFrame) -> int:
    """Which drain takes it: a shard 0..FRAME_SHARDS-1, or TRY_LANE."""
    return frame.participant % settings.FRAME_SHARDS if frame.participant else TRY_LANE


def lanes() -> range:
    """The sessions' lanes (not the try page's)."""
    return range(settings.FRAME_SHARDS)


def owner_of(frame: SlotFrame) -> str:
    return str(frame.participant) if frame.participant else f"try-{frame.connection.hex}"


def slot_key(owner: str | int) -> str:
    return key("frame", owner)


def ready_key(lane: int) -> str:
    return key("ready", "try" if lane == TRY_LANE else lane)


def queued_key(lane: int) -> str:
    return key("queued", "try" if lane == TRY_LANE else lane)


async def put(client: redis.asyncio.Redis, frames: Sequence[SlotFrame]) -> PutOutcome:
    """Write each frame into its participant's slot. In the order given: the last of a participant stays.

    Raises redis.RedisError or OSError when Redis does not answer; then nothing is known of the frames.
    """
    keys = [name for frame in frames for name in _keys_of(frame)]
    arguments: list[bytes | str | float] = [SLOT_MS, LEASE_MS, READY_MS, SLOT_HEADER_BYTES]
    for frame in frames:
        arguments += [owner_of(frame), frame.received_ms, frame.pack()]
    replaced, wake = await _put_script()(keys, arguments, client=client)
    return PutOutcome(_readable(replaced), {lane_of(frames[int(position)]) for position in wake})


def take(client: redis.Redis, lane: int, limit: int) -> tuple[list[SlotFrame], bool]:
    """Up to `limit` frames, who waits longest first, and whether more wait. They are gone from Redis.

    With more waiting, the lease is renewed: the caller comes back or sends another drain.
    """
    keys = [ready_key(lane), queued_key(lane), key("drained")]
    arguments: list[str | int] = [limit, slot_key(""), LEASE_MS, int(time.time() * 1000), _HEARTBEAT_MS]
    more, values = _take_script()(keys, arguments, client=client)
    return _readable(values), bool(more)


def _readable(values: Sequence[bytes]) -> list[SlotFrame]:
    """Those of these slots, or of their headers, that hold a frame. What another version of the product has put there
    (while a new one is brought up, both run) is nobody's: its browser sends the next in a moment."""
    frames, others = [], 0
    for value in filter(None, values):
        try:
            frames.append(SlotFrame.unpack(value))
        except (struct.error, ValueError, IndexError):
            others += 1
    if others:
        log.warning("%d slots hold frames of another version: they are passed over", others)
    return frames


def release(client: redis.Redis, lane: int) -> None:
    """No drain is on its way after all: the next frame sends one."""
    client.delete(queued_key(lane))


def left_behind(client: redis.Redis, candidates: Iterable[int]) -> list[int]:
    """Lanes where frames wait and no drain is on its way. Each one's lease is taken for the caller."""
    waiting = [lane for lane in candidates if client.exists(ready_key(lane))]
    return [lane for lane in waiting if client.set(queued_key(lane), "1", nx=True, px=LEASE_MS)]


def empty(client: redis.Redis, participant_pk: int) -> None:
    """Drop the frame that waits, if any (withdrawal)."""
    client.delete(slot_key(participant_pk))


def sessions_waiting(client: redis.Redis) -> bool:
    """Whether any session's frames wait now: the try page stands back."""
    return bool(client.exists(*(ready_key(lane) for lane in lanes())))


def oldest_waiting_ms(client: redis.Redis) -> float:
    """How long the frame that waits longest has waited; 0 when none does. For /metrics."""
    with client.pipeline(transaction=False) as pipe:
        for lane in lanes():
            pipe.zrange(ready_key(lane), 0, 0, withscores=True)
        first = [rows[0][1] for rows in pipe.execute() if rows]
    return max(0.0, time.time() * 1000 - min(first)) if first else 0.0


def waiting_since(client: redis.Redis) -> dict[int, float]:
    """Whose frame waits, and since when (Unix milliseconds): of all sessions, by participant."""
    with client.pipeline(transaction=False) as pipe:
        for lane in lanes():
            pipe.zrange(ready_key(lane), 0, -1, withscores=True)
        return {int(owner): since for rows in pipe.execute() for owner, since in rows}


def waiting(client: redis.Redis) -> int:
    """How many sessions' frames wait."""
    with client.pipeline(transaction=False) as pipe:
        for lane in lanes():
            pipe.zcard(ready_key(lane))
        return sum(pipe.execute())


def _keys_of(frame: SlotFrame) -> tuple[str, str, str]:
    lane = lane_of(frame)
    return slot_key(owner_of(frame)), ready_key(lane), queued_key(lane)


@lru_cache(maxsize=1)
def _take_script() -> redis.commands.core.Script:
    return redis.Redis().register_script(_TAKE)


@lru_cache(maxsize=1)
def _put_script() -> redis.commands.core.AsyncScript:
    return redis.asyncio.Redis().register_script(_PUT)
