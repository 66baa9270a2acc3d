"""Reads: averages, sections, and above all who may be shown on their own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from classroom import actions, consent
from classroom.models import CheckIn, ClassSession, ConsentEvent, Marker, Participant
from emotions.models import EmotionEvent, MinuteRollup
from emotions.reports import selectors, sharers
from ml.labels import INDEX
from tests.emotions.conftest import Join
from tests.emotions.mood_data import CALM, TROUBLED, store_event, store_points, store_rollup

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def lecture(session: ClassSession) -> ClassSession:
    """Ten minutes long, ended."""
    ClassSession.objects.filter(pk=session.pk).update(started_at=START, ended_at=START + timedelta(minutes=10))
    session.refresh_from_db()
    return session


def test_rows_are_means_of_equal_stretches_in_at_most_so_many(lecture: ClassSession) -> None:
    store_points(lecture, START, [CALM, TROUBLED] * 300)
    rows = selectors.mood_rows(lecture, START, START + timedelta(minutes=10), most=300)
    assert len(rows) == 200
    assert rows[5].shares == pytest.approx([(a + b) / 2 for a, b in zip(CALM, TROUBLED, strict=True)], abs=0.1)
    assert sum(rows[5].shares or []) == pytest.approx(1)
    steps = {b.at_ms - a.at_ms for a, b in pairwise(rows)}
    assert steps == {3000.0}


def test_a_stretch_without_any_mood_stays_unknown_and_a_mixed_one_counts_only_what_is_known(
    lecture: ClassSession,
) -> None:
    store_points(lecture, START, [None] * 60 + [CALM, None] * 30)
    first, second = selectors.minutes(lecture)
    assert first.shares is first.low is first.high is None
    assert first.measured == 3
    assert second.shares == pytest.approx(CALM)


def test_a_section_runs_from_marker_to_marker(lecture: ClassSession, join: Join) -> None:
    store_points(lecture, START, [CALM] * 300 + [TROUBLED] * 300)
    Marker.objects.create(session=lecture, label="quiz", at=START + timedelta(minutes=5))
    ClassSession.objects.filter(pk=lecture.pk).update(ended_at=None)
    student = join("Sam")
    student.consent_events.update(at=START)
    CheckIn.objects.create(participant=student, word="lost", at=START + timedelta(minutes=6))
    ClassSession.objects.filter(pk=lecture.pk).update(ended_at=lecture.ended_at)
    first, second = selectors.sections(lecture, selectors.markers(lecture), selectors.said(lecture))
    assert (first.title, second.title) == ("Beginning", "quiz")
    assert first.mood is not None
    assert first.mood.shares == pytest.approx(CALM)
    assert second.mood is not None
    assert second.mood.shares == pytest.approx(TROUBLED)
    assert (first.said["lost"], second.said["lost"]) == (0, 1)


def test_without_marker_or_mood_there_is_one_empty_section(lecture: ClassSession) -> None:
    (only,) = selectors.sections(lecture, [], selectors.SILENCE)
    assert only.title == "Whole session"
    assert only.mood is None


# -- Who may be shown on their own


def test_only_individual_sharers_are_summed_up(session: ClassSession, join: Join) -> None:
    minute = timezone.now() + timedelta(minutes=1)
    shown, hidden, neither = join("Ada"), join("Bea", "aggregate"), join("Cy", "none")
    for participant in (shown, hidden, neither):
        store_rollup(participant, minute)
    session.ended_at = minute
    (student,) = sharers.students(session, sharers.of_session(session))
    assert (student.name, student.minutes, student.readings, student.uncertain) == ("Ada", 1, 60, 6)
    assert student.shares is not None
    assert student.shares[INDEX["happy"]] == 1
    assert student.label_counts[INDEX["happy"]] == 60


def test_what_was_read_under_an_earlier_consent_stays_out(session: ClassSession, join: Join) -> None:
    """First only in the aggregate, then with the name: the readings of before are never shown on their own."""
    student = join("Ada", "aggregate")
    now = timezone.now()
    before, after = now - timedelta(minutes=3), now + timedelta(minutes=3)
    for at, sequence in ((before, 1), (after, 2)):
        store_event(student, at, sequence=sequence)
        store_rollup(student, at)
    assert sharers.of_session(session) == []
    actions.record_consent(student, "individual", consent.text_for(session).sha256)
    (summed,) = sharers.students(session, sharers.of_session(session))
    assert summed.minutes == 1
    assert [event.sequence for event in sharers.events_of_sharers(session)] == [2]
    assert sharers.individual_rollups(MinuteRollup.objects.all()).count() == 1
    actions.record_consent(student, "aggregate", consent.text_for(session).sha256)
    assert sharers.students(session, sharers.of_session(session)) == []
    assert sharers.individual_events(EmotionEvent.objects.all()).count() == 0


@pytest.mark.parametrize(
    ("answers", "minutes"),
    [
        ([("given", 130)], 3),
        ([("declined", 100), ("given", 130)], 3),
        ([("given", 60)], 4),
        ([("given", 0), ("given", 130)], 2),
        ([("given", 121), ("withdrawn", 130), ("given", 140)], 2),
        ([("given", 0), ("given", 120)], 3),
        ([("given", 119.9), ("given", 120)], 3),
    ],
)
def test_the_administration_shows_the_minutes_of_the_report(
    session: ClassSession, join: Join, answers: list[tuple[str, float]], minutes: int
) -> None:
    """Of the minutes 0 to 4, and consents after so many seconds."""
    ada, start = join("Ada", ""), session.started_at.replace(second=0, microsecond=0) + timedelta(minutes=1)
    for epoch, (kind, seconds) in enumerate(answers, 1):
        at, scope = start + timedelta(seconds=seconds), "individual" if kind == "given" else "none"
        ConsentEvent.objects.create(participant=ada, epoch=epoch, kind=kind, scope=scope, text_hash="a", at=at)
    Participant.objects.filter(pk=ada.pk).update(scope="individual")
    for minute in range(5):
        store_rollup(ada, start + timedelta(minutes=minute))
    session.ended_at = start + timedelta(minutes=5)
    (summed,) = sharers.students(session, sharers.of_session(session))
    assert summed.minutes == sharers.individual_rollups(MinuteRollup.objects.all()).count() == minutes


def test_the_first_consent_loses_no_minute(session: ClassSession, join: Join) -> None:
    """Given in the middle of a minute, with nothing read before it: that minute is theirs."""
    student = join("Ada")
    store_rollup(student, timezone.now())
    session.ended_at = timezone.now()
    (summed,) = sharers.students(session, sharers.of_session(session))
    assert summed.minutes == 1


def test_after_withdrawal_nobody_is_shown(session: ClassSession, join: Join) -> None:
    student = join("Ada")
    actions.withdraw(student)
    assert sharers.of_session(session) == []


def test_attendance_counts_and_names_nobody(session: ClassSession, join: Join) -> None:
    join("Ada")
    join("Bea", "aggregate")
    actions.leave(join("Cy", "none"))
    there = selectors.attendance(session)
    assert (there.joined, there.individual, there.aggregate, there.without_camera, there.gone) == (3, 1, 1, 1, 1)


def test_the_number_of_queries_does_not_grow_with_the_class(
    session: ClassSession, join: Join, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for n in range(6):
        store_rollup(join(f"Student {n}"), timezone.now() + timedelta(minutes=1))
    with django_assert_num_queries(2):
        assert len(sharers.students(session, sharers.of_session(session))) == 6
