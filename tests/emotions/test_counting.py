"""Counting again: the minutes are what the stored events say, to the event, whatever was there before."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import redis
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from classroom import actions
from classroom.config.celery import app
from classroom.models import ClassSession, Participant
from emotions import tasks
from emotions.models import EmotionEvent, MinuteRollup
from emotions.reports import counting, rollups, sharers
from emotions.store import counting_key, sync_redis
from ml.labels import LABELS
from tests.emotions.conftest import Join
from tests.emotions.lectures import NAMES, hold
from tests.emotions.mood_data import store_event, store_rollup

START = datetime(2026, 3, 2, 9, 3, tzinfo=UTC)
JSON = {"Accept": "application/json"}


@pytest.fixture
def lecture(session: ClassSession) -> ClassSession:
    hold(session, START, 25, NAMES[:6])
    return session


@pytest.fixture
def worker() -> Iterator[None]:
    """Tasks run where they are sent."""
    app.conf.task_always_eager = True
    yield
    app.conf.task_always_eager = False


def counted_from_events(session: ClassSession) -> dict[tuple[int, datetime], tuple[int, int, list[int]]]:
    """The minutes as plain Python counts them, one event after the other."""
    readings: Counter[tuple[int, datetime]] = Counter()
    unsure: Counter[tuple[int, datetime]] = Counter()
    labels: Counter[tuple[int, datetime, str]] = Counter()
    for event in EmotionEvent.objects.filter(session=session):
        where = (event.participant_id, event.captured_at.replace(second=0, microsecond=0))
        readings[where] += 1
        unsure[where] += event.uncertain
        labels[*where, event.label] += 1
    return {
        where: (readings[where], unsure[where], [labels[*where, label] for label in LABELS]) for where in readings
    }


def stored(session: ClassSession) -> dict[tuple[int, datetime], tuple[int, int, list[int]]]:
    rows = MinuteRollup.objects.filter(session=session)
    return {(row.participant_id, row.minute): (row.readings, row.uncertain, row.label_counts) for row in rows}


def count_all(session: ClassSession) -> int:
    """Every step; how many there were."""
    done, steps = counting.step(session.pk, 0), 1
    while done is not None:
        done, steps = counting.step(session.pk, done), steps + 1
    return steps


def test_minutes_are_right_to_the_event_from_nothing(lecture: ClassSession) -> None:
    MinuteRollup.objects.all().delete()
    assert count_all(lecture) == 3
    assert stored(lecture) == counted_from_events(lecture)
    for row in MinuteRollup.objects.all()[:40]:
        until = row.minute + timedelta(minutes=1)
        events = EmotionEvent.objects.filter(
            participant=row.participant, captured_at__gte=row.minute, captured_at__lt=until
        )
        sums = [sum(values) for values in zip(*events.values_list("probabilities", flat=True), strict=True)]
        assert row.probability_sums == pytest.approx(sums)


def test_what_was_counted_wrong_is_put_right_and_what_has_no_event_goes(lecture: ClassSession) -> None:
    MinuteRollup.objects.filter(minute__lt=START + timedelta(minutes=5)).update(readings=1, uncertain=9)
    hidden = Participant.objects.filter(session=lecture).order_by("pk").last()
    assert hidden is not None
    store_rollup(hidden, START + timedelta(minutes=22))
    count_all(lecture)
    assert stored(lecture) == counted_from_events(lecture)
    count_all(lecture)
    assert stored(lecture) == counted_from_events(lecture)


def test_an_event_on_either_edge_of_a_minute_and_of_the_session_counts_once(
    session: ClassSession, join: Join
) -> None:
    student = join("Ada")
    end = START + timedelta(minutes=3, seconds=30)
    times = [START, START + timedelta(seconds=59, microseconds=999_999), START + timedelta(minutes=1), end]
    for number, at in enumerate(times):
        store_event(student, at, sequence=number)
    ClassSession.objects.filter(pk=session.pk).update(started_at=START + timedelta(seconds=20), ended_at=end)
    count_all(session)
    assert [row.readings for row in MinuteRollup.objects.order_by("minute")] == [2, 1, 1]


def test_another_session_is_left_alone(lecture: ClassSession) -> None:
    other = ClassSession.objects.create(course=lecture.course, started_at=START, ended_at=START)
    hold(other, START, 5, ["Aarav"])
    MinuteRollup.objects.filter(session=other).update(readings=1)
    count_all(lecture)
    assert set(MinuteRollup.objects.filter(session=other).values_list("readings", flat=True)) == {1}


def test_the_report_rests_on_every_event(lecture: ClassSession) -> None:
    students = sharers.students(lecture, sharers.of_session(lecture))
    events = EmotionEvent.objects.filter(session=lecture, participant__scope="individual")
    assert sum(student.readings for student in students) == events.count() > 0


# -- What is missing


def test_minutes_that_no_worker_counted_are_missed(lecture: ClassSession) -> None:
    assert rollups.missing_minutes(lecture) == 0
    MinuteRollup.objects.filter(minute__gte=START + timedelta(minutes=20)).delete()
    assert rollups.missing_minutes(lecture) == 5


def test_a_minute_without_readings_is_not_missed(session: ClassSession, join: Join) -> None:
    store_event(join("Ada"), START + timedelta(minutes=2))
    ClassSession.objects.filter(pk=session.pk).update(started_at=START, ended_at=START + timedelta(minutes=9))
    session.refresh_from_db()
    assert rollups.missing_minutes(session) == 1


def test_a_live_session_is_given_time_to_count(session: ClassSession, join: Join) -> None:
    ClassSession.objects.filter(pk=session.pk).update(started_at=START)
    session.refresh_from_db()
    store_event(join("Ada"), START + timedelta(minutes=4, seconds=30))
    assert rollups.missing_minutes(session, START + timedelta(minutes=6)) == 0
    assert rollups.missing_minutes(session, START + timedelta(minutes=7)) == 1
    assert rollups.missing_minutes(session, START) == 0


def test_after_an_erasure_nothing_of_the_student_is_counted_and_nothing_is_missed(lecture: ClassSession) -> None:
    gone = Participant.objects.get(session=lecture, display_name="Anaya")
    actions.erase(gone)
    assert rollups.missing_minutes(lecture) == 0
    count_all(lecture)
    assert stored(lecture) == counted_from_events(lecture)


# -- Its progress


def test_progress_goes_from_step_to_step(lecture: ClassSession) -> None:
    MinuteRollup.objects.all().delete()
    assert counting.progress(lecture) == {"counting": False, "missing": 25, "done": 0, "total": 26}
    assert counting.begin(lecture)
    assert not counting.begin(lecture)
    assert counting.step(lecture.pk, 0) == 10
    assert counting.progress(lecture) == {"counting": True, "missing": 15, "done": 10, "total": 26}
    assert counting.step(lecture.pk, 10) == 20
    assert counting.step(lecture.pk, 20) is None
    assert counting.progress(lecture) == {"counting": False, "missing": 0, "done": 0, "total": 26}
    assert counting.begin(lecture)


def test_a_session_that_is_gone_ends_it(lecture: ClassSession, keys: str) -> None:
    counting.begin(lecture)
    assert counting.step(lecture.pk + 1, 0) is None


@pytest.mark.usefixtures("pages", "worker")
def test_the_page_has_it_counted(client: Client, lecture: ClassSession, alice: User) -> None:
    MinuteRollup.objects.filter(minute__lt=START + timedelta(minutes=20)).delete()
    client.force_login(alice)
    report, address = (reverse(name, args=[lecture.public_id]) for name in ("report", "report_counting"))
    assert "The readings of 20 minutes are stored but not counted yet" in client.get(report).content.decode()
    answer = client.post(address, headers=JSON)
    assert json.loads(answer.content)["missing"] == 0
    assert json.loads(client.get(address, headers=JSON).content)["counting"] is False
    assert stored(lecture) == counted_from_events(lecture)
    assert 'id="counting"' not in client.get(report).content.decode()
    assert client.post(address)["Location"] == report


@pytest.mark.usefixtures("pages")
def test_a_stranger_and_a_colleague_have_nothing_counted(
    client: Client, lecture: ClassSession, bob: User, charlie: User
) -> None:
    address = reverse("report_counting", args=[lecture.public_id])
    assert client.post(address).status_code == 404
    for person in (bob, charlie):
        client.force_login(person)
        assert client.post(address, headers=JSON).status_code == 404
        assert client.get(address, headers=JSON).status_code == 404
    assert sync_redis().get(counting_key(lecture.pk)) is None


@pytest.mark.usefixtures("pages")
def test_where_redis_is_away_the_page_says_so(
    client: Client, lecture: ClassSession, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.force_login(alice)
    monkeypatch.setattr(counting, "sync_redis", lambda: redis.Redis(port=1))
    answer = client.post(reverse("report_counting", args=[lecture.public_id]), headers=JSON)
    assert answer.status_code == 503
    assert "try again in a minute" in json.loads(answer.content)["error"]


def test_where_the_broker_is_away_the_lease_goes(lecture: ClassSession, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise tasks.count_session.OperationalError("no broker")

    monkeypatch.setattr(tasks.count_session, "apply_async", refuse)
    with pytest.raises(counting.CountingError):
        tasks.count_again(lecture)
    assert sync_redis().get(counting_key(lecture.pk)) is None
