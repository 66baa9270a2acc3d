"""How long sessions are kept, which have been kept long enough, and what a receipt says. `actions.expire` deletes.

A session keeps the number of days that its students were told when it began. A course that shortens its own later
shortens it for sessions before, too; one that lengthens it does not: nobody agreed to that.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from django.conf import settings
from django.db.models import DateTimeField, Exists, ExpressionWrapper, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Coalesce, Least
from django.utils import timezone

from classroom.models import ClassSession, Course, Erasure, Participant

LONGEST_DAYS = 3650


def days_of(course: Course) -> int | None:
    """For how many days a session that begins now is kept after its end. None: until somebody deletes it."""
    return course.keep_days or settings.RETENTION_DAYS or None


def expired(days: int | None = None) -> QuerySet[ClassSession]:
    """Ended sessions that have been kept long enough, oldest first; with `days`, whatever their courses say.

    Live sessions never expire, nor does what is kept until somebody deletes it. Those of which the first slices are
    deleted already are finished, also where the course is kept longer since then.
    """
    now = timezone.now()
    ended = ClassSession.objects.filter(ended_at__isnull=False).select_related("course").order_by("ended_at")
    if days is not None:
        return ended.filter(Q(ended_at__lt=now - timedelta(days=days)) | _begun())
    of_course = Coalesce(F("course__keep_days"), Value(settings.RETENTION_DAYS or None))
    # Postgres passes over what is null.
    return ended.annotate(days=Least(F("keep_days"), of_course)).annotate(
        expires=ExpressionWrapper(F("ended_at") + F("days") * Value(timedelta(days=1)), output_field=DateTimeField())
    ).filter(Q(expires__lt=now) | _begun())  # fmt: skip


def _begun() -> Q:
    """A purge of the school's takes everybody out at once."""
    return Q(purged_at__isnull=False) & Q(Exists(Participant.objects.filter(session=OuterRef("pk"))))


def expiring(course: Course, days: int | None) -> int:
    """How many ended sessions of the course would be too old at once if it kept them for `days` (None: as long as the
    deployment says)."""
    kept = days or settings.RETENTION_DAYS
    return expired(kept).filter(course=course).count() if kept else 0


# By model, also of other applications: in the words of a person who gets a receipt.
ROWS = {
    "EmotionEvent": "readings",
    "MinuteRollup": "minutes that were summed up",
    "MoodPoint": "seconds of class mood",
    "RoomReading": "pictures of a room camera that were summed up",
    "CheckIn": "words about the pace",
    "ConsentEvent": "answers about consent",
    "Participant": "names, with when they came and went",
    "Marker": "markers",
    "ClassSession": "sessions",
}


# By model, too: of a student's words, as of their readings, only those of a crowd are counted for others.
_COUNTED_OF_A_CROWD = {"EmotionEvent", "MinuteRollup", "CheckIn"}


def told_lines(receipt: Erasure) -> list[tuple[str, int]]:
    """What the administration sees of it: no count that could be of one student's readings (emotions.reports.totals)
    or words (emotions.reports.pace). The student's own receipt has them."""
    return _lines({name: count for name, count in receipt.rows.items() if name not in _COUNTED_OF_A_CROWD})


def own_lines(receipt: Erasure) -> list[tuple[str, int]]:
    """What its page says: the administration finds the numbers of those receipts that tell of a whole session."""
    return told_lines(receipt) if of_whole_session(receipt) else receipt_lines(receipt)


def of_whole_session(receipt: Erasure) -> bool:
    """Not of one student."""
    return receipt.what in {Erasure.What.SESSION, Erasure.What.RECORDS}


def receipt_lines(receipt: Erasure) -> list[tuple[str, int]]:
    """What was erased and how many of each, in the order of ROWS."""
    return _lines(receipt.rows)


def _lines(rows: Mapping[str, int]) -> list[tuple[str, int]]:
    known = [(words, rows[name]) for name, words in ROWS.items() if name in rows]
    return known + [(name, count) for name, count in rows.items() if name not in ROWS]
