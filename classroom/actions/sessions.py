"""Sessions: started, changed, marked, ended."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import DateTimeField, F, Value
from django.db.models.functions import Greatest, Least, Now
from django.utils import timezone

from classroom import consent, retention, signals
from classroom.access import COOKIE_SECONDS
from classroom.actions._common import length, lock_live
from classroom.codes import new_join_code
from classroom.errors import AlreadyLiveError, InferenceOffError, RefusedError, SessionEndedError
from classroom.models import ClassSession, Course, Marker, ReadingPlace
from classroom.text import tidy

_CODE_ATTEMPTS = 5

# A session that nobody ends: emotions.forgotten does. By then its first students' cookies have run out.
LONGEST_SESSION = timedelta(seconds=COOKIE_SECONDS)
NOBODY_FOR = timedelta(hours=2)


@transaction.atomic
def start_session(
    course: Course, mode: str = ClassSession.Mode.CAMERA, title: str = "", place: str = ""
) -> ClassSession:
    """A new live session; `place`: where faces are read, by default as the course says.

    Raises AlreadyLiveError (one per course), InferenceOffError, TextRefusedError.
    """
    Course.objects.select_for_update(no_key=True).get(pk=course.pk)
    live = course.sessions.live().first()
    if live is not None:
        raise AlreadyLiveError(live)
    reading_place = ReadingPlace(place or course.reading_place)
    session = ClassSession(course=course, mode=_mode(mode), title=_title(title), reading_place=reading_place)
    session.keep_days = retention.days_of(course)
    refusal = consent.inference_refusal(session) if session.measures else ""
    if refusal:
        raise InferenceOffError(refusal)
    _with_fresh_code(session, session.save)
    return session


@transaction.atomic
def end_session(session: ClassSession, at: datetime | None = None) -> bool:
    """End it for good. False if it had ended already: the signal is sent once.

    `at`: when it was over, where that was before now. The caller knows that nothing was stored after it.
    """
    over = Least(Value(at, DateTimeField()), Now()) if at else Now()
    ended = _update_live(session, ended_at=Greatest(over, F("started_at")))
    if ended:
        session.participants.exclude(hand_raised_at=None).update(hand_raised_at=None)
        signals.session_ended.send(ClassSession, session=session)
    return ended


def lock_joining(session: ClassSession) -> None:
    """Nobody new comes in. Raises SessionEndedError."""
    _change(session, joining_locked=True)


def unlock_joining(session: ClassSession) -> None:
    """Raises SessionEndedError."""
    _change(session, joining_locked=False)


def renew_code(session: ClassSession) -> str:
    """The old code stops working at once. Returns the new one; raises SessionEndedError."""
    _with_fresh_code(session, lambda: _change(session, join_code=session.join_code))
    return session.join_code


def rename_course(course: Course, title: str) -> None:
    """Raises TextRefusedError (1 to 120 characters)."""
    course.title = tidy(title, what="The title", longest=length(Course, "title"))
    Course.objects.filter(pk=course.pk).update(title=course.title)


def rename_session(session: ClassSession, title: str) -> None:
    """Also when it has ended. Without a title its date names it. Raises TextRefusedError (120 characters at most)."""
    session.title = _title(title)
    ClassSession.objects.filter(pk=session.pk).update(title=session.title)


@transaction.atomic
def place_marker(session: ClassSession, label: str, ago: timedelta = timedelta()) -> Marker:
    """Name this moment, or the one so long ago: while somebody wrote its name, the lecture went on. Not before the
    session's beginning. Raises SessionEndedError, TextRefusedError (1 to 60 characters)."""
    label = tidy(label, what="The marker", longest=length(Marker, "label"))
    started_at = lock_live(session).started_at
    marker = Marker.objects.create(session=session, label=label, at=max(started_at, timezone.now() - ago))
    signals.markers_changed.send(Marker, session=session)
    return marker


@transaction.atomic
def rename_marker(marker: Marker, label: str) -> None:
    """Also when the session has ended. Raises TextRefusedError (1 to 60 characters)."""
    marker.label = tidy(label, what="The marker", longest=length(Marker, "label"))
    marker.save(update_fields=["label"])
    signals.markers_changed.send(Marker, session=marker.session)


@transaction.atomic
def remove_marker(marker: Marker) -> None:
    """The moment is no longer named; what was measured then stays."""
    session = marker.session
    marker.delete()
    signals.markers_changed.send(Marker, session=session)


def _mode(mode: str) -> ClassSession.Mode:
    try:
        return ClassSession.Mode(mode)
    except ValueError:
        raise RefusedError(f"There is no kind of session called {mode!r}.") from None


def _title(title: str) -> str:
    title = title.strip()
    return tidy(title, what="The title", longest=length(ClassSession, "title")) if title else ""


def _with_fresh_code(session: ClassSession, write: Callable[[], object]) -> None:
    """`write` the session under a code that no live session bears; the database is the judge."""
    for attempt in range(1, _CODE_ATTEMPTS + 1):
        session.join_code = new_join_code()
        try:
            with transaction.atomic():
                write()
        except IntegrityError as error:
            if attempt == _CODE_ATTEMPTS or "join_code_unique_while_live" not in str(error):
                raise
        else:
            return


def _update_live(session: ClassSession, **values: Any) -> bool:
    """Whether the session was still live, and so has these values now."""
    changed = ClassSession.objects.live().filter(pk=session.pk).update(**values)
    session.refresh_from_db(fields={"ended_at", *values})
    return changed == 1


@transaction.atomic
def _change(session: ClassSession, **values: Any) -> None:
    if not _update_live(session, **values):
        raise SessionEndedError
    signals.session_changed.send(ClassSession, session=session)
