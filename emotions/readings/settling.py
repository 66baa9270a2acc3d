"""Readings are stored, then told: the same for what a worker has read and for what a student's device sends."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import Literal, TypeVar

import redis
from django.db import InterfaceError, InternalError, OperationalError, connection

from emotions import actions, publish
from emotions.actions import Verdict
from emotions.meters import counts
from emotions.publish import Answer
from emotions.readings import answers, live
from emotions.readings.observations import Observation
from emotions.store import sync_redis

log = logging.getLogger(__name__)

Fate = Verdict | Literal["busy"]
"""What became of a reading; "busy": the database does not answer."""
AWAY = (OperationalError, InterfaceError, InternalError)
"""What a database raises that has gone, or that has become another one's copy and takes nothing any more."""
_What = TypeVar("_What")
_Stored = TypeVar("_Stored")
Tell = Callable[[redis.client.Pipeline, list[Answer]], None]
"""Hands on the answers of a batch (by default to every web process); what it queues leaves with the live state."""


def settle(observations: Sequence[Observation], tell: Tell | None = None) -> None:
    """Store what may be stored, then answer every frame: live state and answers leave in one round trip."""
    readings = [observation for observation in observations if observation.face and observation.frame.participant]
    with counts.STAGE.timed("store"):
        verdicts = _fates(readings)
    fates = {id(reading): verdict for reading, verdict in zip(readings, verdicts, strict=True)}
    for observation in _of_sessions(observations):
        _count_fate(observation, fates.get(id(observation)))
    with counts.STAGE.timed("publish"), sync_redis().pipeline(transaction=False) as pipe:
        live.update(pipe, [reading for reading in readings if fates[id(reading)] == "stored"])
        (tell or publish.own_readings)(
            pipe, [_answer(observation, fates.get(id(observation))) for observation in observations]
        )
        pipe.execute()
    now_ms = time.time() * 1000
    for observation in _of_sessions(observations):
        counts.ANSWERED.observe((now_ms - observation.frame.captured_ms) / 1000)


def _of_sessions(observations: Sequence[Observation]) -> list[Observation]:
    """Without the visitors of the try page, whom no figure counts."""
    return [observation for observation in observations if observation.frame.participant]


def _count_fate(observation: Observation, verdict: Fate | None) -> None:
    if observation.refused is not None:
        counts.REJECTED.add(observation.refused)
    elif verdict is None:
        counts.ANALYSED.add("no face")
    elif verdict == "stored":
        counts.ANALYSED.add("face" if observation.source == "server" else "read on a device")
        counts.STORED.add()
    else:
        counts.REJECTED.add(verdict)


def _fates(readings: Sequence[Observation]) -> Sequence[Fate]:
    try:
        return _record(readings)
    except AWAY:
        log.exception("the database does not answer; %d readings are not stored", len(readings))
        return ["busy"] * len(readings)


def _record(readings: Sequence[Observation]) -> list[Verdict]:
    return once_more(actions.record_readings, readings)


def once_more(store: Callable[[_What], _Stored], what: _What) -> _Stored:
    """`store`, and again on a fresh connection: the database may have been restarted, or another host's turn have
    come. Storing twice is storing once."""
    try:
        return store(what)
    except AWAY:
        connection.close()
        return store(what)


def _answer(observation: Observation, verdict: Fate | None) -> Answer:
    """`verdict`: None for a frame that had nothing to store."""
    if verdict is None or verdict == "stored":
        return answers.of_observation(observation)
    return answers.rejected(observation.frame, verdict)
