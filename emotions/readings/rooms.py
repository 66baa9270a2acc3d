"""Pictures of a room's camera, after all faces were summed up in the worker's memory: stored and answered."""

from __future__ import annotations

import logging

from emotions import actions, publish
from emotions.frames.frame import SlotFrame
from emotions.messages import RejectReason, RoomRead
from emotions.meters import counts
from emotions.publish import Answer
from emotions.readings import answers
from emotions.readings.observations import RoomSums
from emotions.readings.settling import AWAY, once_more
from emotions.store import sync_redis

log = logging.getLogger(__name__)


def is_room(frame: SlotFrame) -> bool:
    return frame.scope == "room"


def settle(picture: RoomSums) -> None:
    """Store the sums, as far as they may be, and answer the picture."""
    publish.own_readings(sync_redis(), [_answer(picture)])


def _answer(picture: RoomSums) -> Answer:
    if picture.refused is not None:
        return _refused(picture, picture.refused)
    try:
        verdict, needed = once_more(actions.record_room, picture)
    except AWAY:
        log.exception("the database does not answer; a room camera's picture is not counted")
        return _refused(picture, "busy")
    if verdict != "stored" and verdict != "too_few":
        return _refused(picture, verdict)
    counts.ANALYSED.add("room")
    return _told(picture, needed, stored=verdict == "stored")


def _refused(picture: RoomSums, reason: RejectReason) -> Answer:
    counts.REJECTED.add(reason)
    return answers.rejected(picture.frame, reason)


def _told(picture: RoomSums, needed: int, *, stored: bool) -> Answer:
    message = RoomRead(
        sequence=picture.frame.sequence,
        faces=picture.faces if stored else None,
        uncertain=picture.uncertain if stored else None,
        needed=needed,
        too_dark=picture.too_dark,
    )
    return Answer(picture.frame.connection, message.to_json())
