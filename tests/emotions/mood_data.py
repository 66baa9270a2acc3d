"""Stored class moods, rollups and rows for the tests of charts, selectors, reports and exports."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from classroom.models import ClassSession, Participant
from emotions.models import EmotionEvent, MinuteRollup, MoodPoint
from emotions.mood.trouble import troubled
from emotions.reports.rows import MoodRow
from ml.labels import INDEX, LABELS
from tests.emotions.parts import around

CALM = (0.03, 0.02, 0.03, 0.20, 0.05, 0.05, 0.62)
TROUBLED = (0.15, 0.05, 0.20, 0.05, 0.30, 0.05, 0.20)


def row(at_ms: float, shares: Sequence[float] | None = CALM, measured: int = 20) -> MoodRow:
    low = None if shares is None else [share * 0.5 for share in shares]
    high = None if shares is None else [min(1.0, share * 1.5) for share in shares]
    ends = None if shares is None else around(troubled(shares), troubled(shares) / 4)
    return MoodRow(at_ms, shares, low, high, ends, 24, 24, measured, 1, 2)


def store_points(
    session: ClassSession,
    start: datetime,
    moods: Sequence[Sequence[float] | None],
    first: int = 1,
    measured: int = 20,
    model_version: str = "one",
) -> None:
    """One point a second from `start`."""
    MoodPoint.objects.bulk_create(
        MoodPoint(
            session=session,
            sequence=first + n,
            at=start + timedelta(seconds=n),
            shares=list(mood) if mood else None,
            low=[share / 2 for share in mood] if mood else None,
            high=[min(1.0, share * 2) for share in mood] if mood else None,
            troubled_low=troubled(mood) * 0.7 if mood else None,
            troubled_high=min(1.0, troubled(mood) * 1.3) if mood else None,
            joined=24,
            connected=24,
            measured=measured if mood else 3,
            uncertain=1,
            not_visible=2,
            pace={"lost": 2},
            model_version=model_version,
        )
        for n, mood in enumerate(moods)
    )


def store_rollup(participant: Participant, minute: datetime, label: str = "happy", readings: int = 60) -> None:
    """A minute whose every reading was `label`, surely."""
    one = [0.0] * len(LABELS)
    one[INDEX[label]] = 1.0
    MinuteRollup.objects.create(
        session=participant.session,
        participant=participant,
        minute=minute.replace(second=0, microsecond=0),
        readings=readings,
        uncertain=readings // 10,
        probability_sums=[value * readings for value in one],
        label_counts=[int(value * readings) for value in one],
    )


def store_event(participant: Participant, at: datetime, label: str = "happy", sequence: int = 1) -> EmotionEvent:
    return EmotionEvent.objects.create(
        session=participant.session,
        participant=participant,
        connection=uuid.uuid4(),
        sequence=sequence,
        captured_at=at,
        received_at=at,
        probabilities=[0.7 if name == label else 0.05 for name in LABELS],
        label=label,
        confidence=0.7,
        uncertain=False,
        box=[0.1, 0.1, 0.5, 0.5],
        face_count=1,
        model_version="test",
    )
