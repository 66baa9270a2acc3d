"""Where faces are read: who decides, and what a student is told before they consent."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from classroom import actions, consent, places
from classroom.models import ClassSession, Course
from emotions.device_files import STATIC, Facts

FACTS = Facts("runtime", "detector", "roomtone-web-0123456789ab", [1.0] * 7, 0.5)


@pytest.fixture(autouse=True)
def device(settings: Settings) -> None:
    """A deployment with the files for browsers, and no rule of its own."""
    settings.DEVICE, settings.DEVICE_STATIC, settings.READING_PLACE = FACTS, STATIC, "choice"


@pytest.mark.parametrize(
    ("rule", "wish", "files", "place"),
    [
        ("choice", "choice", True, "choice"),
        ("choice", "device", True, "device"),
        ("choice", "server", True, "server"),
        ("device", "server", True, "device"),
        ("server", "device", True, "server"),
        ("choice", "choice", False, "server"),
    ],
)
def test_the_deployment_goes_before_the_session(
    settings: Settings, session: ClassSession, rule: str, wish: str, files: bool, place: str
) -> None:
    settings.READING_PLACE, settings.DEVICE = rule, FACTS if files else None
    session.reading_place = wish
    assert places.allowed(session) == place
    assert places.refusal(session) == ""


def test_without_the_files_nothing_is_measured_rather_than_on_the_server(
    settings: Settings, session: ClassSession
) -> None:
    settings.DEVICE = None
    session.reading_place = "device"
    assert consent.inference_refusal(session) == places.NO_DEVICE_FILES
    assert [choice.scope for choice in consent.text_for(session).choices] == ["none"]


def test_the_consent_text_says_where(session: ClassSession) -> None:
    texts = {}
    for place in ("choice", "server", "device"):
        session.reading_place = place
        texts[place] = consent.text_for(session)
    words = {place: " ".join(part.text for part in (*text.short, *text.whole)) for place, text in texts.items()}
    assert "No picture leaves your device" in words["device"]
    assert "to your school's server" not in words["device"]
    assert "on your own device instead" in words["choice"]
    assert "to your school's server" in words["choice"]
    assert "own device" not in words["server"]
    assert len({text.sha256 for text in texts.values()}) == 3, "another place is another text: everybody is asked"


def test_a_session_begins_with_its_course_s_place(alice: User) -> None:
    course = Course.objects.create(title="Logic", instructor=alice, reading_place="device")
    session = actions.start_session(course)
    assert session.reading_place == "device"
    actions.end_session(session)
    assert actions.start_session(course, place="server").reading_place == "server"


def test_the_course_s_page_asks_and_keeps(client: Client, alice: User) -> None:
    course = Course.objects.create(title="Logic", instructor=alice)
    client.force_login(alice)
    page = reverse("course", args=[course.public_id])
    assert "Where faces are read" in client.get(page).content.decode()
    client.post(reverse("set_reading_place", args=[course.public_id]), {"reading_place": "device"})
    course.refresh_from_db()
    assert course.reading_place == "device"
    client.post(reverse("start_session", args=[course.public_id]), {"mode": "camera", "reading_place": "choice"})
    assert course.sessions.get().reading_place == "choice"


def test_no_such_place_is_refused(client: Client, alice: User) -> None:
    course = Course.objects.create(title="Logic", instructor=alice)
    client.force_login(alice)
    answer = client.post(reverse("set_reading_place", args=[course.public_id]), {"reading_place": "moon"})
    assert answer.status_code == 400


def test_a_stranger_may_not_set_it(client: Client, alice: User, bob: User) -> None:
    course = Course.objects.create(title="Logic", instructor=alice)
    client.force_login(bob)
    answer = client.post(reverse("set_reading_place", args=[course.public_id]), {"reading_place": "device"})
    assert answer.status_code == 404


def test_with_nothing_to_choose_nothing_is_asked(client: Client, alice: User, settings: Settings) -> None:
    settings.DEVICE = None
    course = Course.objects.create(title="Logic", instructor=alice)
    client.force_login(alice)
    page = client.get(reverse("course", args=[course.public_id])).content.decode()
    assert "Where faces are read" not in page
