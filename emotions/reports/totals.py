"""How much was recorded in a session, for the administration; told so that nobody can be counted out of it.

How many readings there are says how long somebody's face was measured, which is told of those who share individually
alone (docs/exports.md). Everybody's are counted where FLOOR students or more stand behind the rest, or nobody can.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery

from classroom.models import ClassSession, ConsentEvent, Marker, Participant
from emotions.models import EmotionEvent, MinuteRollup, MoodPoint, RoomReading
from emotions.mood.cohort import FLOOR
from emotions.reports import pace, selectors, sharers


@dataclass(frozen=True, slots=True)
class Told:
    """`count`: of everybody, or, where that is not `whole`, of those who share individually."""

    count: int
    whole: bool

    def __str__(self) -> str:
        of_whom = "" if self.whole else " of those who share with their name; others not told"
        return f"{self.count:,}{of_whom}"


@dataclass(frozen=True, slots=True)
class Totals:
    """`known` of the `points`, one a second, have a class mood; `length`: minutes from the beginning to the end.
    `check_ins`: those that reports count."""

    students: int
    length: int
    known: int
    points: int
    readings: Told
    minutes: Told
    markers: int
    check_ins: int
    consents: int
    room_pictures: int

    @property
    def lines(self) -> list[tuple[str, str]]:
        """For the page of a session."""
        return [
            ("Students", f"{self.students:,}"),
            ("Minutes with a class mood", f"{self.known // 60:,} of {self.length:,}"),
            ("Readings", str(self.readings)),
            ("Markers", f"{self.markers:,}"),
            ("Words about the pace that count", f"{self.check_ins:,}"),
        ]

    @property
    def rows(self) -> list[tuple[str, str]]:
        """What a purge deletes, by kind."""
        return [
            ("students", f"{self.students:,}"),
            ("consents", f"{self.consents:,}"),
            ("readings", str(self.readings)),
            ("minutes of students", str(self.minutes)),
            ("seconds of class mood", f"{self.points:,}"),
            ("check-ins", f"{self.check_ins:,} that count"),
            ("markers", f"{self.markers:,}"),
            *([("pictures of a room camera", f"{self.room_pictures:,}")] if self.room_pictures else []),
        ]

    @property
    def least(self) -> int:
        """How many rows these are, as far as they are told."""
        told = self.readings.count + self.minutes.count + self.points + self.check_ins
        return told + self.students + self.consents + self.markers + self.room_pictures

    @property
    def in_words(self) -> str:
        return "; ".join(f"{kind}: {count}" for kind, count in self.rows)


def totals(session: ClassSession) -> Totals:
    """Twelve queries at most."""
    whole, points = _whole(session), MoodPoint.objects.filter(session=session)
    events, minutes = EmotionEvent.objects.filter(session=session), MinuteRollup.objects.filter(session=session)
    known = points.aggregate(known=Count("pk", filter=Q(shares__isnull=False)), points=Count("pk"))
    return Totals(
        students=session.participants.students().count(),
        length=int((selectors.session_end(session) - session.started_at).total_seconds() // 60),
        readings=_told(events, sharers.individual_events, whole),
        minutes=_told(minutes, sharers.individual_rollups, whole),
        markers=Marker.objects.filter(session=session).count(),
        check_ins=len(pace.talk([session.pk]).words),
        consents=ConsentEvent.objects.filter(participant__session=session).count(),
        room_pictures=RoomReading.objects.filter(session=session).count(),
        **known,
    )


def _told(rows: QuerySet[Any], shown: Callable[[QuerySet[Any]], QuerySet[Any]], whole: bool) -> Told:
    return Told((rows if whole else shown(rows)).count(), whole)


def _whole(session: ClassSession) -> bool:
    """Whether a count of all readings tells of nobody in particular: none can be hidden in it, or those of FLOOR."""
    given = Count("consent_events", filter=Q(consent_events__kind=ConsentEvent.Kind.GIVEN))
    people = Participant.objects.students().filter(session=session).annotate(given=given).filter(given__gt=0)
    could_hide = list(people.exclude(scope=Participant.Scope.INDIVIDUAL, given=1).values_list("pk", flat=True))
    return not could_hide or _hiding(could_hide) >= FLOOR


def _hiding(people: Sequence[int]) -> int:
    """How many of them have readings that are not shown one by one."""
    own = EmotionEvent.objects.filter(participant=OuterRef("pk"))
    latest = ConsentEvent.objects.filter(participant=OuterRef("pk")).order_by("-epoch").values("at")[:1]
    before = Exists(own.filter(received_at__lt=OuterRef("since")))
    not_individual = ~Q(scope=Participant.Scope.INDIVIDUAL) & Exists(own)
    rows = Participant.objects.filter(pk__in=people).annotate(since=Subquery(latest))
    return rows.filter(before | not_individual).count()
