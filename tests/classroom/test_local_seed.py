"""`manage.py seed_demo`: the same demo however often it runs, and nowhere but in the demo."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from classroom.config.profile import PROFILES
from classroom.models import ClassSession, Course

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def demo_profile(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.PROFILE = PROFILES["demo"]
    monkeypatch.setenv("ROOMTONE_DEMO_PASSWORD", "the password of the demo")


def seed() -> dict[str, str]:
    output = StringIO()
    call_command("seed_demo", "--json", stdout=output)
    seeded: dict[str, str] = json.loads(output.getvalue())
    return seeded


def test_it_makes_accounts_a_course_and_a_live_session() -> None:
    seeded = seed()
    session = ClassSession.objects.get(public_id=seeded["session"])
    assert session.live
    assert session.course.title == "Calculus 1"
    assert session.course.instructor.username == seeded["instructor"]
    assert not session.course.instructor.is_staff
    assert get_user_model().objects.get(username=seeded["admin"]).is_superuser
    assert seeded["dashboard"] == f"/teach/{session.public_id}/"
    assert seeded["join"] == f"/join/?code={session.join_code}"


@pytest.mark.parametrize("who", ["instructor", "admin"])
def test_the_printed_password_signs_in(who: str) -> None:
    seeded = seed()
    assert Client().login(username=seeded[who], password=seeded["password"])


def test_a_second_run_changes_nothing() -> None:
    first = seed()
    user = get_user_model().objects.get(username="instructor")
    assert seed() == first
    assert Course.objects.count() == ClassSession.objects.count() == 1
    assert get_user_model().objects.get(username="instructor").password == user.password


def test_a_new_password_takes_the_old_ones_place(monkeypatch: pytest.MonkeyPatch) -> None:
    seed()
    monkeypatch.setenv("ROOMTONE_DEMO_PASSWORD", "another password")
    seed()
    assert not Client().login(username="instructor", password="the password of the demo")
    assert Client().login(username="instructor", password="another password")


def test_without_a_given_password_it_makes_one_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ROOMTONE_DEMO_PASSWORD")
    first, second = seed()["password"], seed()["password"]
    assert first != second
    assert len(first) >= 12


def test_a_lecture_left_live_the_day_before_is_ended() -> None:
    old = ClassSession.objects.get(public_id=seed()["session"])
    ClassSession.objects.filter(pk=old.pk).update(started_at=timezone.now() - timedelta(hours=13))
    again = ClassSession.objects.get(public_id=seed()["session"])
    old.refresh_from_db()
    assert not old.live
    assert again.live
    assert again.pk != old.pk


def test_a_session_that_the_instructor_ended_is_followed_by_a_new_one() -> None:
    first = ClassSession.objects.get(public_id=seed()["session"])
    ClassSession.objects.filter(pk=first.pk).update(ended_at=timezone.now())
    assert seed()["session"] != str(first.public_id)


@pytest.mark.parametrize("name", sorted(set(PROFILES) - {"demo"}))
def test_other_profiles_get_no_demo_accounts(settings: Any, name: str) -> None:
    settings.PROFILE = PROFILES[name]
    with pytest.raises(CommandError, match=f"The profile is '{name}'"):
        seed()
    assert not get_user_model().objects.exists()


def test_people_read_a_list() -> None:
    output = StringIO()
    call_command("seed_demo", stdout=output)
    assert "password          the password of the demo" in output.getvalue()
