"""Alerts: the rule of docs/alerts.md on values, then by way of the ticker and the course's page."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from classroom.models import ClassSession, Course
from emotions.messages import Alert, Pace, Point
from emotions.mood import alerts, snapshots
from emotions.mood.alerts import SENSITIVITIES, Alarm
from emotions.mood.ticker import Ticker
from emotions.reports import term
from tests.emotions.conftest import Join
from tests.emotions.mood_data import store_points
from tests.emotions.parts import MeanEstimator
from tests.emotions.test_ticker import class_of, sit

NORMAL = SENSITIVITIES["normal"]


def shares(troubled: float) -> list[float]:
    """So much of the class looks sad; the others look neutral."""
    return [0.0, 0.0, 0.0, 0.0, troubled, 0.0, 1 - troubled]


def point(second: int, troubled: float | None = 0.1, half: float = 0.05, **changes: Any) -> Point:
    known = None if troubled is None else shares(troubled)
    values: dict[str, Any] = {
        "sequence": second + 1, "at_ms": 1e12 + second * 1000, "shares": known,
        "low": known and [max(0.0, share - half) for share in known],
        "high": known and [min(1.0, share + half) for share in known],
        "troubled_low": None if troubled is None else max(0.0, troubled - half),
        "troubled_high": None if troubled is None else min(1.0, troubled + half),
        "joined": 24, "connected": 22, "measured": 14, "uncertain": 0, "not_visible": 2, "pace": Pace(),
    }  # fmt: skip
    return Point(**(values | changes))


def told(points: Sequence[Point], how: str = "normal") -> list[Alert]:
    alarm = Alarm()
    for each in points:
        alarm.advance(each, SENSITIVITIES.get(how))
    return alarm.told


def falling(by: float, **changes: Any) -> list[Point]:
    """Three minutes calm, then so much lower for two."""
    return [point(n, 0.1 if n < 180 else 0.1 + by, **changes) for n in range(300)]


def test_a_mood_that_falls_is_told_once_with_its_reason() -> None:
    [alert] = told(falling(0.45))
    assert alert.kind == "mood"
    words = r"Mood fell (2\d) points in 2 minutes: about [45] of 14 look troubled; this rests on 14 of 22 students\."
    assert re.fullmatch(words, alert.words)
    assert 180 < (alert.at_ms - 1e12) / 1000 < 195


def test_a_clock_that_was_set_back_silences_nothing() -> None:
    alarm = Alarm()
    for ahead in (3_600, 0):
        for each in falling(0.45):
            alarm.advance(each.model_copy(update={"at_ms": each.at_ms + ahead * 1000}), NORMAL)
    assert [round((alert.at_ms - 1e12) / 3_600_000) for alert in alarm.told] == [1, 0]


@pytest.mark.parametrize(("how", "by", "count"), [
    ("few", 0.25, 0), ("normal", 0.25, 1), ("many", 0.25, 1),
    ("few", 0.35, 1), ("normal", 0.15, 0), ("many", 0.15, 1), ("off", 0.9, 0),
])  # fmt: skip
def test_the_setting_says_how_far_it_has_to_fall(how: str, by: float, count: int) -> None:
    assert len(told(falling(by), how)) == count


def test_no_alert_that_the_band_does_not_support() -> None:
    assert len(told(falling(0.3, half=0.05))) == 1
    assert told(falling(0.3, half=0.25)) == []


def test_another_class_is_no_change_of_mood() -> None:
    fewer = [point(n, 0.1 if n < 180 else 0.5, measured=14 if n < 180 else 6) for n in range(300)]
    assert told(fewer) == []


def test_after_a_gap_there_is_nothing_to_compare_with() -> None:
    gap = [point(n, None if n < 180 else 0.5) for n in range(300)]
    assert told(gap) == []


def test_pace_is_told_in_the_students_words() -> None:
    points = [point(n, pace=Pace(too_fast=6, lost=5) if n > 10 else Pace(too_fast=2)) for n in range(90)]
    [first, second] = told(points)
    assert first.words == "6 students said too fast in the last 3 minutes."
    assert second.words.startswith("5 students said that they are lost")
    assert second.at_ms - first.at_ms >= alerts.ANY_MS


def test_got_it_alarms_nobody() -> None:
    assert told([point(n, pace=Pace(got_it=22)) for n in range(30)]) == []


paces = st.builds(Pace, lost=st.integers(0, 22), too_fast=st.integers(0, 22), too_slow=st.integers(0, 22))


@given(
    st.lists(st.tuples(st.integers(1, 40), st.none() | st.floats(0, 1), st.floats(0, 0.3), paces), max_size=300),
    st.sampled_from(sorted(SENSITIVITIES)),
)
def test_whatever_happens_alerts_stay_rare_and_few(seconds: list[tuple[int, Any, float, Pace]], how: str) -> None:
    alarm, now, every = Alarm(), 0, []
    for step, troubled, half, pace in seconds:
        now += step
        before = alarm.told
        after = alarm.advance(point(now, troubled, half, pace=pace), SENSITIVITIES[how])
        every += [alert for alert in after if alert not in before]
        assert len(after) <= alerts.KEPT
    assert all(b.at_ms - a.at_ms >= alerts.ANY_MS for a, b in pairwise(every))
    for kind in {alert.kind for alert in every}:
        times = [alert.at_ms for alert in every if alert.kind == kind]
        assert all(b - a >= SENSITIVITIES[how].quiet_ms for a, b in pairwise(times))


def test_the_page_about_the_rule_gives_its_numbers() -> None:
    page = Path(settings.BASE_DIR, "docs/alerts.md").read_text()
    rows = re.findall(
        r"^\| (\w+) \| (\d+) points \| (\d+) or more, and (\d+) %.* \| (\d+) min \|", page, re.MULTILINE
    )
    said = {name: tuple(map(int, numbers)) for name, *numbers in rows}
    assert said == {
        name: (how.points, how.least, how.part * 100, how.quiet_ms / 60_000) for name, how in SENSITIVITIES.items()
    }
    assert set(Course.Alerts.values) == set(SENSITIVITIES) | {"off"}


# -- By way of the ticker


@pytest.mark.django_db
def test_a_ticker_that_takes_over_compares_with_the_stored_points(session: ClassSession, keys: str) -> None:
    """The class of today looks merry; two minutes ago nearly everybody looked sad, and now they do again."""
    students = class_of(session, 8)
    now = time.time() * 1000
    start = timezone.now() - timedelta(seconds=150)
    store_points(session, start, [shares(0.05)] * 130, measured=8)
    store_points(session, start + timedelta(seconds=130), [shares(0.75)] * 20, first=131, measured=8)
    for student in students:
        sit(student, seen_ms=now)
    Ticker(MeanEstimator()).tick(now)
    [alert] = snapshots.build(session).notices.alerts
    assert alert.kind == "mood"
    Ticker(MeanEstimator()).tick(now + 1000)
    assert snapshots.build(session).notices.alerts == [alert]


@pytest.mark.django_db
def test_the_courses_setting_counts_from_the_next_second(session: ClassSession, keys: str, join: Join) -> None:
    for n in range(6):
        student = join(f"Student {n}", "none")
        student.check_ins.create(word="too_fast")
        sit(student, "off")
    session.course.alerts = Course.Alerts.OFF
    session.course.save()
    running, now = Ticker(MeanEstimator()), time.time() * 1000
    running.tick(now)
    assert snapshots.build(session).notices.alerts == []
    Course.objects.update(alerts=Course.Alerts.NORMAL)
    running.tick(now + 1000)
    [alert] = snapshots.build(session).notices.alerts
    assert alert.words == "6 students said too fast in the last 3 minutes."


@pytest.mark.django_db
def test_only_the_owner_sets_a_courses_alerts(
    session: ClassSession, alice: User, bob: User, client: Client, pages: None
) -> None:
    course = session.course
    address = reverse("set_alerts", args=[course.public_id])
    client.force_login(bob)
    assert client.post(address, {"alerts": "off"}).status_code == 404
    client.force_login(alice)
    assert client.post(address, {"alerts": "loud"}).status_code == 400
    assert client.post(address, {"alerts": "off"}).status_code == 302
    course.refresh_from_db()
    assert course.alerts == "off"
    assert 'value="off" selected' in client.get(reverse("course", args=[course.public_id])).content.decode()


# -- How much of a band it takes


@pytest.mark.parametrize(("low", "high", "alerts"), [(0.0, 0.12, 1), (0.0, 0.36, 0), (0.1, 0.11, 1)])
def test_of_the_band_of_then_the_upper_end_counts(low: float, high: float, alerts: int) -> None:
    """What lies below it only makes the rise larger."""
    calm = [point(second, 0.1, troubled_low=low, troubled_high=high) for second in range(180)]
    assert len(told([*calm, *(point(180 + second, 0.35, half=0.0) for second in range(60))])) == alerts


def test_what_has_no_band_is_compared_with_nothing() -> None:
    """As a ticker of before may store it while a new one is brought up."""
    assert told([one.model_copy(update={"troubled_low": None}) for one in falling(0.5)]) == []


@pytest.mark.django_db
def test_a_session_has_the_mean_of_its_bands(session: ClassSession) -> None:
    store_points(session, session.started_at, [shares(0.4), shares(0.2)])
    assert term.mean_moods([session.pk])[session.pk].troubled == pytest.approx((0.21, 0.39))
