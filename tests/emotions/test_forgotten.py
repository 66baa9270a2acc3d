"""A session that nobody ends ends by itself, as of when somebody was there last."""

from __future__ import annotations

import asyncio
import uuid
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import Settings

from classroom import actions, demo, signals
from classroom.config.profile import PROFILES
from classroom.models import CheckIn, ClassSession, Course, Participant
from emotions import forgotten, tasks
from emotions.models import MoodPoint, RoomReading
from emotions.mood import presence
from emotions.store import async_redis, close_async_redis
from tests.emotions.parts import room_camera

pytestmark = pytest.mark.django_db


def ago(**length: float) -> datetime:
    return timezone.now() - timedelta(**length)


def began(session: ClassSession, **length: float) -> None:
    session.started_at = ago(**length)
    session.save(update_fields=["started_at"])


def ended(session: ClassSession) -> datetime | None:
    tasks.end_forgotten()
    session.refresh_from_db()
    return session.ended_at


def seen(session: ClassSession, at: datetime | None, **values: object) -> Participant:
    joined_at = session.started_at + timedelta(minutes=1)
    return Participant.objects.create(
        session=session, display_name="Ada", joined_at=joined_at, last_seen_at=at, **values
    )


def point(session: ClassSession, at: datetime, connected: int, sequence: int = 1) -> None:
    counts = dict.fromkeys(("joined", "measured", "uncertain", "not_visible"), 0)
    MoodPoint.objects.create(session=session, sequence=sequence, at=at, connected=connected, **counts)


def connect(participant: Participant) -> None:
    async def sit() -> None:
        seat = presence.Seat(participant.session_id, participant.pk, uuid.uuid4())
        await presence.mark(async_redis(), [seat])
        await close_async_redis()

    asyncio.run(sit())


def test_where_nobody_was_for_two_hours_it_was_over_when_they_went(session: ClassSession) -> None:
    began(session, hours=5)
    seen(session, last := ago(hours=3))
    seen(session, ago(hours=4))
    assert ended(session) == last


def test_what_was_seen_a_moment_ago_goes_on(session: ClassSession) -> None:
    began(session, hours=11.9)
    seen(session, ago(hours=1.9))
    assert ended(session) is None


def test_whom_nobody_ever_joined_lasted_for_no_time(session: ClassSession) -> None:
    began(session, hours=1.9)
    assert ended(session) is None
    began(session, hours=2.1)
    assert ended(session) == session.started_at


def test_after_twelve_hours_it_is_over_though_somebody_is_there(session: ClassSession, keys: str) -> None:
    began(session, hours=12.1)
    connect(seen(session, ago(hours=3)))
    end = ended(session)
    assert end is not None
    assert abs(end - timezone.now()) < timedelta(seconds=30)


def test_after_twelve_hours_the_report_claims_no_hour_without_anybody(session: ClassSession) -> None:
    began(session, hours=12.1)
    seen(session, last := ago(hours=1))
    assert ended(session) == last


@pytest.mark.parametrize("kind", ["student", "room"])
def test_an_open_socket_is_somebody(session: ClassSession, kind: str, keys: str) -> None:
    """Also of a room's camera, which the ticker notes nowhere, and where the ticker stood still."""
    began(session, hours=5)
    connect(seen(session, ago(hours=4), kind=kind))
    assert ended(session) is None


def test_a_rooms_pictures_are_somebody(session: ClassSession, alice: User, settings: Settings) -> None:
    settings.ROOM_CAMERAS = True
    camera = room_camera(session, alice)
    began(session, hours=6)
    camera.consent_events.update(at=ago(hours=5))
    Participant.objects.filter(pk=camera.pk).update(joined_at=ago(hours=5))
    reading = RoomReading(
        session=session, participant=camera, connection=uuid.uuid4(), sequence=1, captured_at=ago(hours=1),
        faces=8, uncertain=1, sums=[0, 0, 0, 4, 0, 0, 4], model_version="test",
    )  # fmt: skip
    reading.save()
    assert ended(session) is None
    RoomReading.objects.update(captured_at=(last := ago(hours=3)))
    assert ended(session) == last


def test_points_of_an_empty_class_keep_it_not_alive_and_are_not_cut_off(session: ClassSession) -> None:
    """A ticker that takes over stores one."""
    began(session, hours=6)
    seen(session, ago(hours=4))
    point(session, ago(hours=3.9), connected=1)
    point(session, last := ago(hours=1), connected=0, sequence=2)
    assert ended(session) == last


@pytest.mark.parametrize("what", ["point", "word", "marker"])
def test_any_trace_is_somebody(session: ClassSession, what: str) -> None:
    began(session, hours=6)
    ada = seen(session, ago(hours=5))
    last = ago(hours=1)
    if what == "point":
        point(session, last, connected=1)
    elif what == "word":
        CheckIn.objects.create(participant=ada, word="lost", at=last)
    else:
        session.markers.create(label="Quiz", at=last)
    assert ended(session) is None


def test_it_is_the_teachers_own_end(session: ClassSession) -> None:
    heard: list[ClassSession] = []
    signals.session_ended.connect(hear := lambda session, **_: heard.append(session))
    began(session, hours=3)
    try:
        assert ended(session)
        tasks.end_forgotten()
    finally:
        signals.session_ended.disconnect(hear)
    assert heard == [session]


def test_one_that_cannot_be_ended_keeps_no_other_alive(
    session: ClassSession, bob: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    other = ClassSession.objects.create(course=Course.objects.create(title="Physics", instructor=bob))
    began(session, hours=6)
    began(other, hours=5)

    def last_sign(of: ClassSession) -> datetime:
        if of == session:
            raise ValueError("broken")
        return of.started_at

    monkeypatch.setattr(forgotten, "last_sign", last_sign)
    assert ended(session) is None
    other.refresh_from_db()
    assert other.ended_at == other.started_at
    assert f"session {session.public_id} may be forgotten" in caplog.text


@pytest.mark.parametrize("profile", ["demo", "consent"])
def test_the_demos_own_class_is_left_to_the_next_run(profile: str, settings: Settings, session: ClassSession) -> None:
    settings.PROFILE = PROFILES["demo"]
    call_command("seed_demo", "--json")
    own = ClassSession.objects.get(course__title=demo.COURSE)
    for one in (own, session):
        began(one, hours=13)
    settings.PROFILE = PROFILES[profile]
    assert ended(session)
    own.refresh_from_db()
    assert own.live == (profile == "demo")


def test_an_end_lies_neither_before_the_start_nor_in_the_future(session: ClassSession) -> None:
    began(session, hours=1)
    assert actions.end_session(session, ago(hours=2))
    assert session.ended_at == session.started_at
    ClassSession.objects.update(ended_at=None)
    assert actions.end_session(session, timezone.now() + timedelta(hours=1))
    assert session.ended_at is not None
    assert session.ended_at < timezone.now() + timedelta(minutes=1)


def test_teachers_and_students_are_told(client: Client, session: ClassSession, alice: User, pages: None) -> None:
    """The hours stand in words: they are the code's."""
    assert [each / timedelta(hours=1) for each in (actions.NOBODY_FOR, actions.LONGEST_SESSION)] == [2, 12]
    actions.end_session(session)
    client.force_login(alice)
    page = " ".join(client.get(reverse("course", args=[session.course.public_id])).content.decode().split())
    assert "ends by itself: when nobody has been connected for 2 hours, and 12 hours after its start" in page
    privacy = " ".join(Path(django_settings.BASE_DIR, "docs/privacy.md").read_text().split())
    assert "has been connected for two hours, and in any case twelve hours after its start" in privacy
