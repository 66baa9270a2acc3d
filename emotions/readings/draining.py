"""A drain: take what is ready, read the faces, store, tell. The order is what makes a stored event certain.

Frames leave Redis when they are taken. A drain that dies loses the samples in its hands, never an event: an event is
stored before anybody hears of it, and a second attempt at the same frame stores nothing.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from emotions import publish
from emotions.frames import slots
from emotions.frames.frame import SlotFrame
from emotions.meters import counts
from emotions.readings import analysis, answers, rooms
from emotions.readings.settling import settle
from emotions.store import sync_redis

BATCH = 64
# Then the drain goes to the end of the broker's queue: other shards and the housekeeping get their turn.
BUDGET_SECONDS = 0.5


def drain(lane: int) -> bool:
    """Work through a lane of sessions. True if the time was up before it was empty: the caller sends another."""
    return _drain(lane, every_face=False)


def drain_try() -> bool:
    """As `drain`, for the visitors of the try page; they hear "busy" while any session's frames wait."""
    return _drain(slots.TRY_LANE, every_face=True)


def _drain(lane: int, *, every_face: bool) -> bool:
    deadline = time.monotonic() + BUDGET_SECONDS
    more = True
    while more and time.monotonic() < deadline:
        with counts.STAGE.timed("take"):
            frames, more = slots.take(sync_redis(), lane, BATCH)
        if frames and lane == slots.TRY_LANE and slots.sessions_waiting(sync_redis()):
            publish.own_readings(sync_redis(), [answers.busy(frame) for frame in frames])
        elif frames:
            _count_taken(frames)
            students = [frame for frame in frames if not rooms.is_room(frame)]
            if students:
                with counts.STAGE.timed("analyse"):
                    observations = analysis.observe(students, every_face=every_face)
                settle(observations)
            _count_rooms(frames)
    return more


def _count_rooms(frames: Sequence[SlotFrame]) -> None:
    """Those of room cameras, after the students': one takes as long as many of theirs."""
    for frame in filter(rooms.is_room, frames):
        rooms.settle(analysis.sum_up(frame))


def _count_taken(frames: Sequence[SlotFrame]) -> None:
    now_ms = time.time() * 1000
    counts.BATCH.observe(len(frames))
    for frame in frames:
        counts.SLOT_WAIT.observe((now_ms - frame.received_ms) / 1000)
