"""How much was recorded in a session, for the administration; told so that nobody can be counted out of it.

How many readings there are says how long somebody's face was measured, which is told of those who share individually
alone (docs/exports.md). Of the others not even a sum is: however many of them there are, from one look to the next it
grows, or is erased, by one of them.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Q

from classroom.models import ClassSession, ConsentEvent, Marker
from emotions.models import EmotionEvent, MinuteRollup, MoodPoint, RoomReading
from emotions.reports import pace, selectors, sharers

OF_WHOM = "of students who share with their name"


@dataclass(frozen=True, slots=True)
class Totals:
    """`known` of the `points`, one a second, have a class mood; `length`: minutes from the beginning to the end.
    `readings`, `minutes`: those that are shown one by one, too. `check_ins`: those that reports count."""

    students: int
    length: int
    known: int
    points: int
    readings: int
    minutes: int
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
            (f"Readings {OF_WHOM}", f"{self.readings:,}"),
            ("Markers", f"{self.markers:,}"),
            ("Words about the pace that count", f"{self.check_ins:,}"),
        ]

    @property
    def rows(self) -> list[tuple[str, str]]:
        """What a purge deletes, by kind."""
        return [
            ("students", f"{self.students:,}"),
            ("consents", f"{self.consents:,}"),
            ("readings", f"{self.readings:,} {OF_WHOM}"),
            ("minutes of students", f"{self.minutes:,} {OF_WHOM}"),
            ("seconds of class mood", f"{self.points:,}"),
            ("check-ins", f"{self.check_ins:,} that count"),
            ("markers", f"{self.markers:,}"),
            *([("pictures of a room camera", f"{self.room_pictures:,}")] if self.room_pictures else []),
        ]

    @property
    def least(self) -> int:
        """How many rows these are, as far as they are told."""
        told = self.readings + self.minutes + self.points + self.check_ins
        return told + self.students + self.consents + self.markers + self.room_pictures

    @property
    def in_words(self) -> str:
        return "; ".join(f"{kind}: {count}" for kind, count in self.rows)


def totals(session: ClassSession) -> Totals:
    """Ten queries at most."""
    points = MoodPoint.objects.filter(session=session)
    events, minutes = EmotionEvent.objects.filter(session=session), MinuteRollup.objects.filter(session=session)
    known = points.aggregate(known=Count("pk", filter=Q(shares__isnull=False)), points=Count("pk"))
    return Totals(
        students=session.participants.students().count(),
        length=int((selectors.session_end(session) - session.started_at).total_seconds() // 60),
        readings=sharers.individual_events(events).count(),
        minutes=sharers.individual_rollups(minutes).count(),
        markers=Marker.objects.filter(session=session).count(),
        check_ins=len(pace.talk([session.pk]).words),
        consents=ConsentEvent.objects.filter(participant__session=session).count(),
        room_pictures=RoomReading.objects.filter(session=session).count(),
        **known,
    )
