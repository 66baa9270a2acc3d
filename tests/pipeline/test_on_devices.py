"""Classes whose own devices read the pictures, against the product's own processes: without a worker, and mixed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User

from classroom.local.running import RunningProduct
from classroom.models import ClassSession, Course
from emotions.models import EmotionEvent, MoodPoint
from emotions.reports import selectors
from tests.pipeline.test_simulate import ALL_BY_NAME, simulate
from tests.processes import stopped

pytestmark = [
    pytest.mark.pipeline,
    pytest.mark.skipif(settings.DEVICE is None, reason="no files for on-device mode: manage.py device_files"),
]
STUDENTS = 12


@pytest.fixture
def session(alice: User) -> ClassSession:
    return ClassSession.objects.create(course=Course.objects.create(title="Calculus 1", instructor=alice))


def streamed(product: RunningProduct, session: ClassSession, share: str) -> dict[str, Any]:
    """A class of which `share` reads on its own devices streams for eight seconds."""
    chosen = ("--students", str(STUDENTS), "--seconds", "8", "--on-device", share)
    done = simulate(product, session.join_code, *chosen, *ALL_BY_NAME)
    assert done.returncode == 0, done.stderr
    summary: dict[str, Any] = json.loads(done.stdout)
    return summary


def sources(session: ClassSession) -> set[str]:
    return set(EmotionEvent.objects.filter(session=session).values_list("source", flat=True))


def test_a_class_is_read_and_its_mood_shown_while_no_worker_works(
    product: RunningProduct, session: ClassSession
) -> None:
    session.reading_place = "device"
    session.save()
    with stopped(product, "worker"):
        summary = streamed(product, session, "1")
        assert summary["lost"] == summary["rejected"] == summary["pending"] == 0
        assert EmotionEvent.objects.filter(session=session).count() == summary["results_received"]
    assert sources(session) == {"device"}
    points = MoodPoint.objects.filter(session=session, shares__isnull=False)
    assert max(points.values_list("measured", flat=True)) >= STUDENTS - 1
    assert all(point.on_device == point.measured for point in points)
    assert selectors.on_device(session) == 1.0


def test_a_mixed_class_is_one_class(product: RunningProduct, session: ClassSession) -> None:
    summary = streamed(product, session, "0.5")
    assert summary["rejected"] == 0
    assert sources(session) == {"device", "server"}
    last = MoodPoint.objects.filter(session=session, measured=STUDENTS).latest("at")
    assert last.shares
    assert last.on_device == STUDENTS // 2
    assert 0 < (selectors.on_device(session) or 0) < 1
