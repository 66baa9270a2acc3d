"""Minutes: counted from the events, again and again with the same outcome."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from classroom import actions
from classroom.models import ClassSession, Participant
from emotions.actions import record_readings
from emotions.models import EmotionEvent, MinuteRollup
from emotions.readings.observations import FaceRead
from emotions.reports import rollups
from ml.labels import INDEX, LABELS
from tests.emotions.conftest import Join
from tests.emotions.parts import HAPPY, frame_of, observation

pytestmark = pytest.mark.django_db

MINUTE = datetime(2026, 3, 2, 10, 15, tzinfo=UTC)
SAD = (0.1, 0.0, 0.0, 0.2, 0.6, 0.0, 0.1)


def read(participant: Participant, seconds: float, sad: bool = False) -> None:
    """An event, so many seconds into MINUTE."""
    captured_ms = (MINUTE + timedelta(seconds=seconds)).timestamp() * 1000
    face = FaceRead((0, 0, 1, 1), SAD if sad else HAPPY, "sad" if sad else "happy", 0.6, uncertain=sad)
    frame = frame_of(participant, sequence=int(seconds * 10) + 100_000, captured_ms=captured_ms)
    assert record_readings([observation(frame, faces=(face,))]) == ["stored"]


def test_a_minute_holds_counts_and_sums(join: Join) -> None:
    sam, mia = join(), join("Mia")
    for seconds, sad in ((0, False), (20, True), (59.9, True), (60, False)):
        read(sam, seconds, sad)
    read(mia, 30)
    assert rollups.close_minutes(MINUTE + timedelta(seconds=65)) == 2
    row = MinuteRollup.objects.get(participant=sam)
    assert (row.session_id, row.minute, row.readings, row.uncertain) == (sam.session_id, MINUTE, 3, 2)
    assert row.probability_sums == pytest.approx([h + 2 * s for h, s in zip(HAPPY, SAD, strict=True)])
    assert row.label_counts == [{INDEX["happy"]: 1, INDEX["sad"]: 2}.get(n, 0) for n in range(len(LABELS))]
    assert MinuteRollup.objects.get(participant=mia).readings == 1


def test_what_an_erasure_takes_is_never_less_than_nothing(join: Join, session: ClassSession) -> None:
    """The minute that was erased in part had no row yet: now it has one, and none has gone."""
    sam = join()
    read(sam, 10)
    assert rollups.recount_participant(session.pk, sam.pk, MINUTE + timedelta(seconds=20)) == 0
    assert MinuteRollup.objects.get(participant=sam).readings == 1
    EmotionEvent.objects.all().delete()
    assert rollups.recount_participant(session.pk, sam.pk, MINUTE) == 1


def test_counting_again_changes_nothing_and_late_events_are_added(join: Join) -> None:
    sam = join()
    read(sam, 10)
    now = MINUTE + timedelta(seconds=61)
    for _ in range(3):
        rollups.close_minutes(now)
    assert MinuteRollup.objects.get().readings == 1
    read(sam, 20)
    rollups.close_minutes(now)
    assert MinuteRollup.objects.get().readings == 2


def test_a_running_minute_waits(join: Join) -> None:
    read(join(), 10)
    assert rollups.close_minutes(MINUTE + timedelta(seconds=59)) == 0


def test_the_end_counts_the_running_minute_too(join: Join, session: ClassSession) -> None:
    read(join(), 10)
    assert rollups.close_session(session.pk, MINUTE + timedelta(seconds=30)) == 1


def test_a_session_that_ended_within_the_round_is_counted(join: Join, session: ClassSession) -> None:
    read(join(), 10)
    actions.end_session(session)
    MinuteRollup.objects.all().delete()
    ClassSession.objects.filter(pk=session.pk).update(
        started_at=MINUTE - timedelta(hours=1), ended_at=MINUTE + timedelta(seconds=40)
    )
    assert rollups.close_minutes(MINUTE + timedelta(seconds=61)) == 1
    ClassSession.objects.filter(pk=session.pk).update(ended_at=MINUTE - timedelta(minutes=30))
    assert rollups.close_minutes(MINUTE + timedelta(seconds=61)) == 0


def test_sums_are_those_of_the_events(join: Join) -> None:
    students = [join(f"Student {n}") for n in range(3)]
    for n in range(60):
        read(students[n % 3], n * 4.7, sad=n % 7 == 0)
    rollups.close_minutes(MINUTE + timedelta(minutes=5))
    assert sum(MinuteRollup.objects.values_list("readings", flat=True)) == EmotionEvent.objects.count() == 60
