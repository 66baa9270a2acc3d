"""A drain: take what is ready, read the faces, store, tell. The order is what makes a stored event certain.

Frames leave Redis when they are taken. A drain that dies loses the samples in its hands, never an event: an event is
stored before anybody hears of it, and a second attempt at the same frame stores nothing.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from typing import Literal

from django.db import InterfaceError, OperationalError, connection

from emotions import actions, publish
from emotions.actions import Verdict
from emotions.frames import slots
from emotions.frames.frame import SlotFrame
from emotions.meters import counts
from emotions.publish import Answer
from emotions.readings import analysis, answers, live
from emotions.readings.observations import Observation
from emotions.store import sync_redis

log = logging.getLogger(__name__)

Fate = Verdict | Literal["busy"]
"""What became of a reading; "busy": the database does not answer."""
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
            with counts.STAGE.timed("analyse"):
                observations = analysis.observe(frames, every_face=every_face)
            settle(observations)
    return more


def settle(observations: Sequence[Observation]) -> None:
    """Store what may be stored, then answer every frame: live state and answers leave in one round trip."""
    readings = [observation for observation in observations if observation.face and observation.frame.participant]
    with counts.STAGE.timed("store"):
        verdicts = _fates(readings)
    fates = {id(reading): verdict for reading, verdict in zip(readings, verdicts, strict=True)}
    with counts.STAGE.timed("publish"), sync_redis().pipeline(transaction=False) as pipe:
        live.update(pipe, [reading for reading in readings if fates[id(reading)] == "stored"])
        publish.own_readings(pipe, [_answer(observation, fates.get(id(observation))) for observation in observations])
        pipe.execute()
    _count_answered(observations, fates)


def _count_taken(frames: Sequence[SlotFrame]) -> None:
    now_ms = time.time() * 1000
    counts.BATCH.observe(len(frames))
    for frame in frames:
        counts.SLOT_WAIT.observe((now_ms - frame.received_ms) / 1000)


def _count_answered(observations: Sequence[Observation], fates: Mapping[int, Fate]) -> None:
    """What became of each frame of a session, and how old it was then."""
    now_ms = time.time() * 1000
    for observation in observations:
        if observation.frame.participant:
            _count_fate(observation, fates.get(id(observation)))
            counts.ANSWERED.observe((now_ms - observation.frame.captured_ms) / 1000)


def _count_fate(observation: Observation, verdict: Fate | None) -> None:
    if observation.refused is not None:
        counts.REJECTED.add(observation.refused)
    elif verdict is None:
        counts.ANALYSED.add("no face")
    elif verdict == "stored":
        counts.ANALYSED.add("face")
        counts.STORED.add()
    else:
        counts.REJECTED.add(verdict)


def _fates(readings: Sequence[Observation]) -> Sequence[Fate]:
    try:
        return _record(readings)
    except (OperationalError, InterfaceError):
        log.exception("the database does not answer; %d readings are not stored", len(readings))
        return ["busy"] * len(readings)


def _record(readings: Sequence[Observation]) -> list[Verdict]:
    """Once more on a fresh connection: the database may have been restarted. Storing twice is storing once."""
    try:
        return actions.record_readings(readings)
    except (OperationalError, InterfaceError):
        connection.close()
        return actions.record_readings(readings)


def _answer(observation: Observation, verdict: Fate | None) -> Answer:
    """`verdict`: None for a frame that had nothing to store."""
    if verdict is None or verdict == "stored":
        return answers.of_observation(observation)
    return answers.rejected(observation.frame, verdict)
