"""Live sessions that nobody ends any more: the laptop was closed without "End" (docs/decisions/0018)."""

from __future__ import annotations

import logging
import time
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max, QuerySet
from django.utils import timezone

from classroom import actions, demo
from classroom.models import ClassSession
from emotions.models import EmotionEvent, MoodPoint, RoomReading
from emotions.mood import presence
from emotions.store import presence_key, sync_redis

log = logging.getLogger(__name__)


def end_forgotten() -> None:
    """End each, in a transaction of its own: what goes wrong with one keeps no other alive."""
    for session in _old_enough():
        try:
            _end_if_forgotten(session.pk)
        except Exception:
            log.exception("session %s may be forgotten, and could not be ended", session.public_id)


def _old_enough() -> QuerySet[ClassSession]:
    """The demo's class is left out: its synthetic students stay until `make run` stops, and the next run ends it."""
    began_before = timezone.now() - min(actions.NOBODY_FOR, actions.LONGEST_SESSION)
    sessions = ClassSession.objects.live().filter(started_at__lt=began_before).order_by("started_at")
    if settings.PROFILE.demo:
        return sessions.exclude(course__title=demo.COURSE, course__instructor__username=demo.INSTRUCTOR)
    return sessions


@transaction.atomic
def _end_if_forgotten(session_pk: int) -> None:
    # Held, so that nobody joins after we have looked.
    session = ClassSession.objects.live().select_for_update(no_key=True).filter(pk=session_pk).first()
    if session is None:
        return
    now, there, last = timezone.now(), _somebody_is_there(session), last_sign(session)
    too_long = now - session.started_at > actions.LONGEST_SESSION
    if too_long or (not there and now - last > actions.NOBODY_FOR):
        actions.end_session(session, None if there else max(last, _last_point(session) or last))
        log.info("session %s was forgotten: over since %s", session.public_id, session.ended_at)


def _somebody_is_there(session: ClassSession) -> bool:
    """A student, or the room's camera, whose socket is open."""
    seats = presence.parse(sync_redis().hgetall(presence_key(session.pk)))
    return any(seat.fresh(time.time() * 1000) for seat in seats.values())


def last_sign(session: ClassSession) -> datetime:
    """The last moment at which somebody was there, by all that is stored; at least when it began."""
    people = session.participants
    found = [
        *(_latest(people.all(), field) for field in ("last_seen_at", "joined_at", "left_at", "removed_at")),
        *(_latest(people.all(), field) for field in ("consent_events__at", "check_ins__at")),
        _latest(session.markers.all(), "at"),
        _latest(EmotionEvent.objects.filter(session=session), "captured_at"),
        _latest(RoomReading.objects.filter(session=session), "captured_at"),
        _last_point(session, connected__gt=0),
    ]
    return max([session.started_at, *(at for at in found if at)])


def _last_point(session: ClassSession, **which: int) -> datetime | None:
    """Also of an empty class there are points, such as the first one of a ticker that takes over."""
    points = MoodPoint.objects.filter(session=session, **which).order_by("-sequence")
    return points.values_list("at", flat=True).first()


def _latest(rows: QuerySet[Any], field: str) -> datetime | None:
    latest: datetime | None = rows.order_by().aggregate(latest=Max(field))["latest"]
    return latest
