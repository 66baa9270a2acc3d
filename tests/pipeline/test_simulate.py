"""The synthetic class against the product's own processes: what `manage.py simulate` prints, and what is stored."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User

from classroom.local.running import RunningProduct
from classroom.models import ClassSession, Course, Participant
from emotions.models import EmotionEvent, MoodPoint

pytestmark = pytest.mark.pipeline

STUDENTS = 12
SECONDS = 8
# Those who share in the aggregate only enter the mood by fives: with them the number measured would be drawn by lot.
ALL_BY_NAME = ("--individual", "1")


def simulate(product: RunningProduct, code: str, *more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "manage.py", "simulate", "--url", product.ws_url, "--session", code, "--json", *more]
    return subprocess.run(
        command, cwd=settings.BASE_DIR, env=product.environment, capture_output=True, text=True, timeout=120
    )


@pytest.fixture
def session(alice: User) -> ClassSession:
    course = Course.objects.create(title="Calculus 1", instructor=alice)
    return ClassSession.objects.create(course=course)


def test_a_synthetic_class_is_read_stored_and_shown(product: RunningProduct, session: ClassSession) -> None:
    done = simulate(product, session.join_code, "--students", str(STUDENTS), "--seconds", str(SECONDS), *ALL_BY_NAME)
    assert done.returncode == 0, done.stderr
    summary: dict[str, Any] = json.loads(done.stdout)
    fates = ("results_received", "frames_replaced", "rejected", "lost", "pending")
    assert sum(summary[fate] for fate in fates) == summary["frames_sent"]
    assert summary["frames_sent"] >= STUDENTS * (SECONDS - 2)
    assert summary["lost"] == summary["rejected"] == summary["pending"] == 0
    assert summary["label_agreement"] > 0.5
    with_a_face = round(summary["faces_found"] * summary["results_received"])
    assert abs(EmotionEvent.objects.filter(session=session).count() - with_a_face) <= 1
    assert Participant.objects.filter(session=session).exclude(scope="none").count() == STUDENTS
    measured = MoodPoint.objects.filter(session=session, shares__isnull=False)
    assert measured.exists()
    assert max(measured.values_list("measured", flat=True)) >= STUDENTS - 1


def test_a_wrong_code_is_said_in_words(product: RunningProduct) -> None:
    done = simulate(product, "ZZZZZZZ", "--students", "1", "--seconds", "1")
    assert done.returncode != 0
    assert "404" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_server_that_is_not_there_is_said_in_words(product: RunningProduct, session: ClassSession) -> None:
    done = simulate(product, session.join_code, "--url", "ws://127.0.0.1:9", "--students", "1", "--seconds", "1")
    assert done.returncode != 0
    assert "Is Roomtone running?" in done.stderr
    assert "Traceback" not in done.stderr
