"""A lecture as the product stores it: readings of every student, the minutes counted from them, the class mood."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np

from classroom.models import CheckIn, ClassSession, ConsentEvent, Marker, Participant
from emotions.models import EmotionEvent, MoodPoint
from emotions.mood.trouble import troubled
from emotions.reports import rollups
from ml.labels import LABELS

NAMES = (
    "Aarav", "Anaya", "Arjun", "Diya", "Ishaan", "Kabir", "Meera", "Nisha", "Rohan", "Saanvi", "Tara", "Vivaan",
)  # fmt: skip
CALM = (0.03, 0.02, 0.03, 0.22, 0.05, 0.05, 0.60)
TROUBLED = (0.15, 0.05, 0.15, 0.05, 0.35, 0.05, 0.20)
# A reading every so many seconds.
EVERY = 10


def hold(session: ClassSession, start: datetime, minutes: int, names: Sequence[str] = NAMES) -> list[Participant]:
    """Let `session` have been held: two of three students share individually, the others only in the aggregate.

    The middle third is troubled, from the marker "Slide 4: chain rule" on. The last student's face is not seen for
    the last third, the first student leaves in the middle of it.
    """
    end = start + timedelta(minutes=minutes)
    ClassSession.objects.filter(pk=session.pk).update(started_at=start, ended_at=end)
    session.refresh_from_db()
    people = [_student(session, name, n, start, end) for n, name in enumerate(names)]
    Participant.objects.filter(pk=people[0].pk).update(left_at=start + timedelta(minutes=minutes * 5 // 6))
    people[0].refresh_from_db()
    Marker.objects.create(session=session, label="Slide 4: chain rule", at=start + timedelta(minutes=minutes // 3))
    Marker.objects.create(session=session, label="Exercise", at=start + timedelta(minutes=minutes * 2 // 3))
    _say(people, start, minutes)
    _read(session, people, start, minutes)
    _feel(session, start, minutes, len(people))
    return people


def _student(session: ClassSession, name: str, n: int, start: datetime, end: datetime) -> Participant:
    scope = "aggregate" if n % 3 == 2 else "individual"
    joined = start + timedelta(seconds=20 * n)
    times = {"joined_at": joined, "last_seen_at": end}
    one = Participant.objects.create(session=session, display_name=name, scope=scope, consent_epoch=1, **times)
    ConsentEvent.objects.create(participant=one, epoch=1, kind="given", scope=scope, text_hash="", at=joined)
    return one


def _say(people: Sequence[Participant], start: datetime, minutes: int) -> None:
    middle = start + timedelta(minutes=minutes // 3 + 2)
    for n, one in enumerate(people[:4]):
        CheckIn.objects.create(participant=one, word="lost", at=middle + timedelta(seconds=30 * n))
    CheckIn.objects.create(participant=people[-1], word="got_it", at=start + timedelta(minutes=minutes - 1))


def _read(session: ClassSession, people: Sequence[Participant], start: datetime, minutes: int) -> None:
    rng = np.random.default_rng(4)
    moods = [_mood(second / 60, minutes) for second in range(0, minutes * 60, EVERY)]
    events = [
        _event(one, start + timedelta(seconds=n * EVERY), rng.dirichlet(np.array(mood) * 6), n)
        for person, one in enumerate(people)
        for n, mood in enumerate(moods)
        if _visible(person, len(people), n * EVERY / 60, minutes) and n * EVERY >= 20 * person
    ]
    EmotionEvent.objects.bulk_create(events, batch_size=2000)
    rollups.count_minutes([session.pk], start, start + timedelta(minutes=minutes))


def _visible(person: int, people: int, minute: float, minutes: int) -> bool:
    if person == 0 and minute >= minutes * 5 // 6:
        return False
    return person != people - 1 or minute < minutes * 2 / 3


def _mood(minute: float, minutes: int) -> Sequence[float]:
    return TROUBLED if minutes // 3 <= minute < minutes * 2 // 3 else CALM


def _event(one: Participant, at: datetime, probabilities: np.ndarray, sequence: int) -> EmotionEvent:
    most = int(probabilities.argmax())
    return EmotionEvent(
        session=one.session,
        participant=one,
        connection=uuid.UUID(int=one.pk),
        sequence=sequence,
        captured_at=at,
        received_at=at + timedelta(milliseconds=80),
        probabilities=[float(value) for value in probabilities],
        label=LABELS[most],
        confidence=float(probabilities[most]),
        uncertain=bool(probabilities[most] < 0.4),
        box=[0.1, 0.1, 0.5, 0.5],
        face_count=1,
        model_version="test",
    )


def _feel(session: ClassSession, start: datetime, minutes: int, people: int) -> None:
    """One point every second; not known in the first minute, when too few were there."""
    MoodPoint.objects.bulk_create(
        (_point(session, start, second, minutes, people) for second in range(minutes * 60)), batch_size=2000
    )


def _point(session: ClassSession, start: datetime, second: int, minutes: int, people: int) -> MoodPoint:
    shares = list(_mood(second / 60, minutes)) if second >= 60 else None
    return MoodPoint(
        session=session,
        sequence=second + 1,
        at=start + timedelta(seconds=second),
        shares=shares,
        low=shares and [share * 0.6 for share in shares],
        high=shares and [min(1.0, share * 1.4) for share in shares],
        troubled_low=troubled(shares) * 0.8 if shares else None,
        troubled_high=min(1.0, troubled(shares) * 1.2) if shares else None,
        joined=people,
        connected=people,
        measured=people - 1 if shares else 3,
        uncertain=1,
        not_visible=1,
        pace={"lost": 0},
    )
