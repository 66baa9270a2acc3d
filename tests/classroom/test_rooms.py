"""A room's camera: off unless switched on, declared by the owner, in the ledger, and in no list of students."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.http import Http404
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from classroom import access, actions, consent, rooms
from classroom.config.profile import PROFILES
from classroom.errors import InferenceOffError, RefusedError, SessionEndedError
from classroom.models import ClassSession, ConsentEvent, Participant, ShownText

Login = Callable[[User], Client]


@pytest.fixture(autouse=True)
def _allowed(settings: Settings) -> None:
    settings.ROOM_CAMERAS = True


def declare(session: ClassSession, by: User) -> ConsentEvent:
    return actions.declare_room(session, by, rooms.declaration(session).sha256)


def page_of(client: Client, session: ClassSession) -> str:
    return " ".join(client.get(reverse("room", args=[session.public_id])).content.decode().split())


def test_a_declaration_is_in_the_ledger_with_who_when_and_the_words(session: ClassSession, alice: User) -> None:
    event = declare(session, alice)
    assert (event.kind, event.scope, event.declared_by) == ("given", "aggregate", alice)
    assert (event.participant.kind, event.participant.session) == ("room", session)
    words = ShownText.objects.get(sha256=event.text_hash).words
    assert [part["heading"] for part in words["whole"]][:2] == [
        "Everybody in view was told",
        "Everybody in view has agreed",
    ]
    assert rooms.declared(session)
    taken_back = actions.withdraw_room(session, alice)
    assert taken_back
    assert (taken_back.kind, taken_back.declared_by, taken_back.text_hash) == ("withdrawn", alice, event.text_hash)
    assert not rooms.declared(session)
    assert actions.withdraw_room(session, alice) is None
    again = declare(session, alice)
    assert (again.participant, again.epoch) == (event.participant, 3)
    assert ConsentEvent.objects.count() == 3


def test_there_is_one_camera_in_a_session(session: ClassSession, alice: User) -> None:
    declare(session, alice)
    with pytest.raises(IntegrityError, match="one_room_camera_per_session"), transaction.atomic():
        Participant.objects.create(session=session, kind="room", display_name="Another")


def test_what_was_not_shown_is_not_declared(session: ClassSession, alice: User) -> None:
    with pytest.raises(RefusedError, match="has changed"):
        actions.declare_room(session, alice, consent.text_for(session).sha256)
    assert not Participant.objects.exists()
    actions.end_session(session)
    with pytest.raises(SessionEndedError):
        declare(session, alice)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"ROOM_CAMERAS": False}, "Room cameras are off in this installation"),
        ({"PROFILE": PROFILES["eu"]}, "in the European Union"),
        ({"PROFILE": PROFILES["check-ins"]}, "has not been told which rules apply"),
        ({"READING_PLACE": "device"}, "own device"),
    ],
)
def test_where_it_is_not_allowed_the_reason_is_shown_and_nothing_declared(
    session: ClassSession, alice: User, login: Login, settings: Settings, change: dict[str, object], why: str
) -> None:
    sha256 = rooms.declaration(session).sha256
    for name, value in change.items():
        setattr(settings, name, value)
    with pytest.raises(InferenceOffError):
        actions.declare_room(session, alice, sha256)
    text = page_of(login(alice), session)
    assert "There is no room camera in this session." in text
    assert why in text
    assert "I declare this" not in text
    assert not Participant.objects.exists()


def test_the_unset_setting_is_off() -> None:
    from classroom.config import env

    assert env.flag("ROOMTONE_ROOM_CAMERAS_THAT_NOBODY_SET") is False


def test_a_session_that_reads_on_devices_has_none(session: ClassSession, alice: User, settings: Settings) -> None:
    settings.DEVICE = object()
    ClassSession.objects.filter(pk=session.pk).update(reading_place="device")
    session.refresh_from_db()
    assert rooms.refusal(session) == rooms.ON_DEVICES
    ClassSession.objects.filter(pk=session.pk).update(reading_place="choice")
    session.refresh_from_db()
    assert rooms.refusal(session) == ""


def test_the_page_asks_declares_and_takes_back(session: ClassSession, alice: User, login: Login) -> None:
    browser, own = login(alice), [session.public_id]
    text = page_of(browser, session)
    assert "All of this is so, for everybody whom the camera can see." in text
    assert "room.js" not in text, "no camera before the declaration"
    sha256 = rooms.declaration(session).sha256
    answer = browser.post(reverse("declare_room", args=own), {"text_hash": sha256}, follow=True)
    assert "tick the box" in answer.content.decode()
    assert not rooms.declared(session)
    browser.post(reverse("declare_room", args=own), {"text_hash": sha256, "sure": "yes"})
    text = page_of(browser, session)
    assert "room.js" in text
    assert "By Alice at" in text
    browser.post(reverse("withdraw_room", args=own))
    assert "I declare this" in page_of(browser, session)
    actions.end_session(session)
    assert browser.get(reverse("room", args=own)).status_code == 302


def test_a_session_of_check_ins_has_none(session: ClassSession, alice: User, login: Login) -> None:
    ClassSession.objects.filter(pk=session.pk).update(mode="check_ins")
    assert "There is no room camera in this session. It runs without cameras." in page_of(login(alice), session)


@pytest.mark.parametrize("name", ["room", "declare_room", "withdraw_room"])
def test_nobody_else_comes_near_it(
    name: str, session: ClassSession, alice: User, bob: User, dana: User, login: Login,
    sam: Participant, student_client: Callable[[Participant], Client],
) -> None:  # fmt: skip
    declare(session, alice)
    address = reverse(name, args=[session.public_id])
    sent = {"text_hash": rooms.declaration(session).sha256, "sure": "yes"}
    for browser in (Client(), login(bob), login(dana), student_client(sam)):
        answer = browser.get(address) if name == "room" else browser.post(address, sent)
        assert answer.status_code == 404
    assert ConsentEvent.objects.filter(participant__kind="room").count() == 1


def test_the_laws_condition_is_part_of_the_words(session: ClassSession, settings: Settings) -> None:
    before = rooms.declaration(session)
    settings.PROFILE = PROFILES["illinois"]
    after = rooms.declaration(session)
    assert settings.PROFILE.condition in [part.text for part in after.whole]
    assert before.sha256 != after.sha256


def test_a_camera_is_no_student(
    session: ClassSession, alice: User, sam: Participant, login: Login, settings: Settings
) -> None:
    camera = declare(session, alice).participant
    assert list(session.participants.students()) == [sam]
    with pytest.raises(Http404):
        access.participant_in(session, camera.public_id)
    browser = login(alice)
    out = browser.post(
        reverse("remove_participant", args=[session.public_id]), {"participant": str(camera.public_id)}
    )
    assert out.status_code == 404
    course = browser.get(reverse("course", args=[session.course.public_id]))
    assert [row.participant_count for row in course.context["page"]] == [1]


def test_a_cameras_cookie_would_open_nothing(session: ClassSession, alice: User) -> None:
    from tests.emotions.sockets import student_cookies

    camera = declare(session, alice).participant
    assert access.cookie_holder(student_cookies(camera), session.public_id) is None


def test_students_are_told(
    session: ClassSession, alice: User, sam: Participant, settings: Settings,
    student_client: Callable[[Participant], Client], agree: Callable[[Participant], None],
) -> None:  # fmt: skip
    """In the text that they answer, where there may be one; on their page, where there is one."""
    headings = [part.heading for part in consent.text_for(session).whole]
    assert "A camera of the room" in headings
    agree(sam)
    address, hidden = reverse("student", args=[session.public_id]), re.compile(r'data-part="room"\s+hidden')
    assert hidden.search(student_client(sam).get(address).content.decode())
    declare(session, alice)
    text = student_client(sam).get(address).content.decode()
    assert "has declared a camera that sees the room" in " ".join(text.split())
    assert not hidden.search(text)
    settings.ROOM_CAMERAS = False
    assert "A camera of the room" not in [part.heading for part in consent.text_for(session).whole]


def test_the_privacy_page_says_so_where_there_may_be_one(settings: Settings, db: None) -> None:
    told = "Of a camera that sees the room: sums over five faces or more."
    assert told in Client().get(reverse("privacy")).content.decode()
    settings.ROOM_CAMERAS = False
    assert told not in Client().get(reverse("privacy")).content.decode()
    settings.ROOM_CAMERAS, settings.PROFILE = True, PROFILES["eu"]
    assert told not in Client().get(reverse("privacy")).content.decode()


def test_the_administration_sees_who_declared_it(
    session: ClassSession, alice: User, root: User, login: Login
) -> None:
    declare(session, alice)
    text = login(root).get(reverse("admin:classroom_consentevent_changelist")).content.decode()
    assert "Room camera" in text
    assert "alice" in text
