"""Students who share individually, and what of them may be shown one by one, for reports, exports and admin.

A reading is shown on its own only while the consent that it was taken under is the one in force, and covers the
individual. Each function is a fixed number of queries.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet

from classroom.models import ClassSession, ConsentEvent, Participant
from classroom.text import distinct_names
from emotions.models import EmotionEvent, MinuteRollup
from emotions.reports import rollups
from emotions.reports.rows import Student
from emotions.reports.selectors import fetch
from ml.labels import LABELS

_EACH, _MINUTE = len(LABELS), timedelta(minutes=1)
_SUMS = ", ".join(f"sum({column}[{n + 1}])" for column in ("probability_sums", "label_counts") for n in range(_EACH))
_STUDENT_SUMS = f"""
    SELECT r.participant_id, count(*), sum(r.readings), sum(r.uncertain), {_SUMS}
    FROM {rollups.SO_FAR} r
    JOIN unnest(%(participants)s::bigint[], %(since)s::timestamptz[]) AS sharer(id, since)
      ON sharer.id = r.participant_id AND r.minute >= sharer.since
    GROUP BY 1
"""  # noqa: S608 - columns of this module


@dataclass(frozen=True, slots=True)
class Sharer:
    """`since`: when the consent in force began; `from_minute`: the first minute that is wholly under it."""

    pk: int
    id: UUID
    name: str
    since: datetime
    from_minute: datetime


def of_session(session: ClassSession) -> list[Sharer]:
    """Those whose consent in force covers the individual, by name; names that occur twice in the session are
    numbered, whatever their bearers share."""
    rows = _with_consent(Participant.objects.students().filter(session=session)).order_by(
        "display_name", "joined_at", "pk"
    )
    names = distinct_names([row.display_name for row in rows])
    return [
        Sharer(row.pk, row.public_id, name, row.since, _first_whole_minute(row.since, only=row.given == 1))
        for row, name in zip(rows, names, strict=True)
        if row.scope == Participant.Scope.INDIVIDUAL and row.since is not None
    ]


def _with_consent(participants: QuerySet[Participant]) -> QuerySet[Any]:
    given = Count("consent_events", filter=Q(consent_events__kind=ConsentEvent.Kind.GIVEN))
    return participants.annotate(since=Max("consent_events__at"), given=given)


def _first_whole_minute(since: datetime, *, only: bool) -> datetime:
    """The one rule of which minutes are shown, for `individual_rollups` too: those wholly under the consent in force.
    With only one consent ever given, the minute that it fell into holds no reading from before it, and is one."""
    minute = since.replace(second=0, microsecond=0)
    return minute if only or minute == since else minute + _MINUTE


def students(session: ClassSession, sharing: Sequence[Sharer]) -> list[Student]:
    """What was read of each of `sharing`, minute by minute. Minutes before the consent in force stay out."""
    sums = {row[0]: row[1:] for row in fetch(_STUDENT_SUMS, parameters(session, sharing))}
    return [_student(sharer, sums.get(sharer.pk)) for sharer in sharing]


def parameters(session: ClassSession, sharing: Sequence[Sharer]) -> dict[str, Any]:
    """Parameters of a query over `rollups.SO_FAR` that is joined with these students."""
    participants, since = [sharer.pk for sharer in sharing], [sharer.from_minute for sharer in sharing]
    return {**rollups.so_far(session), "participants": participants, "since": since}


def _student(sharer: Sharer, sums: Sequence[Any] | None) -> Student:
    if sums is None or not sums[1]:
        return Student(sharer.id, sharer.name, 0, 0, 0, None, [0] * len(LABELS))
    minutes_read, readings, uncertain = (int(value) for value in sums[:3])
    shares, counts = [float(value) / readings for value in sums[3:][:_EACH]], [int(n) for n in sums[3 + _EACH :]]
    return Student(sharer.id, sharer.name, minutes_read, readings, uncertain, shares, counts)


def individual_events(events: QuerySet[EmotionEvent]) -> QuerySet[EmotionEvent]:
    """Those of `events` that may be shown one by one."""
    return _sharing(events, _answers_after("received_at"))


def individual_rollups(minutes: QuerySet[MinuteRollup]) -> QuerySet[MinuteRollup]:
    """Those of `minutes` that may be shown one by one, by the rule of `_first_whole_minute`."""
    given = ConsentEvent.objects.filter(participant=OuterRef("participant"), kind=ConsentEvent.Kind.GIVEN)
    not_the_first = Exists(given.filter(epoch__lt=OuterRef("epoch")))
    return _sharing(minutes, _answers_after("minute").filter(not_the_first | Q(at__gte=OuterRef("minute") + _MINUTE)))


def _sharing(rows: QuerySet[Any], changes: QuerySet[ConsentEvent]) -> QuerySet[Any]:
    """Rows of students who share individually, and since whose time none of these answers was given."""
    return rows.filter(~Exists(changes), participant__scope=Participant.Scope.INDIVIDUAL)


def _answers_after(field: str) -> QuerySet[ConsentEvent]:
    return ConsentEvent.objects.filter(participant=OuterRef("participant"), at__gt=OuterRef(field))


def events_of_sharers(session: ClassSession) -> QuerySet[EmotionEvent]:
    """The raw readings that may be shown one by one, oldest first."""
    events = EmotionEvent.objects.filter(session=session).select_related("participant")
    return individual_events(events).order_by("captured_at", "pk")
