"""axe-core on every page, in both themes, on a phone and on a desk."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import Group, User
from playwright.sync_api import expect

from classroom import actions, roles
from classroom.models import ClassSession, Course, Participant
from emotions.messages import Alert, Attention, Hand, Notices, Pace, RoomMood
from emotions.models import EmotionEvent, MinuteRollup
from tests.browser.accessibility import DESK, PHONE, Looks
from tests.browser.conftest import Visitors
from tests.browser.dashboards import BEGAN_MS, CALM, played, point, sign_in, snapshot, tick, tile, wait_for_chart
from tests.emotions.lectures import NAMES, hold
from tests.emotions.parts import room_camera
from tests.pipeline.students import student_cookies

pytestmark = pytest.mark.browser

START = datetime(2026, 3, 2, 9, 3, tzinfo=UTC)
ADMIN = "/admin/classroom/classsession/"


@pytest.fixture(params=[DESK, PHONE], ids=["desk", "phone"])
def looks(request: pytest.FixtureRequest, visitors: Visitors) -> Looks:
    return Looks(visitors, request.param)


@pytest.fixture
def lecture(alice: User) -> ClassSession:
    """The third session of its course."""
    course = Course.objects.create(title="Calculus 1", instructor=alice)
    for week in (2, 1, 0):
        begin = START - timedelta(weeks=week)
        last = ClassSession.objects.create(course=course, started_at=begin, ended_at=begin)
        hold(last, begin, 9 * week or 48, NAMES[: 12 - week])
    return last


# -- Students


def test_what_a_student_sees(looks: Looks, session: ClassSession) -> None:
    page = looks.page()
    for name, address in (
        ("home", "/"), ("join", "/join/"), ("wrong-code", "/join/ZZZZZZZ/"), ("nowhere", "/nowhere/"),
        ("privacy", "/privacy/"),
    ):  # fmt: skip
        page.goto(address)
        looks.hold(page, name)
    page.goto(f"/join/{session.join_code}/")
    looks.hold(page, "join-session")
    page.get_by_label("Your name").fill("Meera")
    page.get_by_role("button", name="Join").click()
    expect(page.locator("button[value=individual]")).to_be_visible()
    looks.hold(page, "consent")
    page.locator("button[value=individual]").click()
    expect(page.locator("[data-part=state]")).to_be_visible()
    looks.hold(page, "student")
    page.goto(f"/session/{session.public_id}/mine/")
    looks.hold(page, "own-data")
    page.get_by_label("Minutes").fill("5")
    page.get_by_role("button", name="Erase these minutes").click()
    looks.hold(page, "receipt")
    actions.end_session(session)
    page.goto(f"/session/{session.public_id}/")
    looks.hold(page, "student-ended")


def test_what_was_read_of_a_student(looks: Looks, lecture: ClassSession) -> None:
    page = looks.page()
    cookies = student_cookies(lecture.participants.get(display_name="Anaya")).items()
    to = looks.visitors.base_url
    page.context.add_cookies([{"name": name, "value": value, "url": to} for name, value in cookies])
    page.goto(f"/session/{lecture.public_id}/mine/")
    page.get_by_text("Every minute with a reading").click()
    looks.hold(page, "own-minutes")


# -- Instructors


def test_what_an_instructor_finds(looks: Looks, session: ClassSession) -> None:
    page = looks.page()
    for name, address in (
        ("sign-in", "/accounts/login/"), ("forgotten", "/accounts/reset/"),
        ("forgotten-sent", "/accounts/reset/sent/"), ("forgotten-no-link", "/accounts/reset/MQ/none/"),
        ("forgotten-done", "/accounts/reset/done/"),
    ):  # fmt: skip
        page.goto(address)
        looks.hold(page, name)
    sign_in(page, session.course.instructor, looks.visitors.base_url)
    room = f"/teach/{session.public_id}/room/"
    for name, address in (
        ("courses", "/courses/"), ("course-new", f"/courses/{session.course.public_id}/"),
        ("password", "/accounts/password/"), ("password-done", "/accounts/password/done/"), ("try", "/try/"),
        ("report-empty", f"/teach/{session.public_id}/report/"), ("room", room),
    ):  # fmt: skip
        page.goto(address)
        looks.hold(page, name)
    room_camera(session, session.course.instructor)
    page.goto(room)
    looks.hold(page, "room-declared")


def test_the_live_dashboard_and_its_dialogs(looks: Looks, session: ClassSession) -> None:
    tiles = [
        tile("Ada"),
        tile("Ben", label="sad", uncertain=True),
        tile("Cy", state="paused", label=None, value=None),
    ]
    now = BEGAN_MS + 190_000
    told = Notices(
        attention=[Attention(id=tiles[1].id, troubled_ms=now - 240_000, unsure=True, lost_ms=now - 20_000)],
        hands=[Hand(id=tiles[2].id, name="Cy", at_ms=now - 70_000)],
        alerts=[Alert(kind="too_fast", at_ms=now - 30_000, words="5 of 24 said too fast in the last 3 minutes.")],
    )
    points = [point(n, pace=Pace(lost=5, too_fast=3, withheld=2)) for n in range(1, 190)]
    socket = played(looks.visitors, session, snapshot(points, tiles, told), **looks.options)
    page = socket.page
    wait_for_chart(page)
    looks.hold(page, "dashboard")
    beside = {"room": RoomMood(faces=23, uncertain=3, shares=CALM), "unread": True}
    socket.send(tick(point(190)).model_copy(update=beside))
    expect(page.locator("#unread")).to_be_visible()
    said = "calm, but about 3 of 23 faces look troubled (unsure about 3)"
    expect(page.locator("#class [data-room-line]")).to_contain_text(said)
    looks.hold(page, "dashboard-unread")
    page.keyboard.press("m")
    expect(page.locator("#marker-dialog")).to_be_visible()
    looks.hold(page, "dashboard-marker")
    page.keyboard.press("Escape")
    page.locator("#tiles").get_by_role("button", name=re.compile("Ben")).click()
    expect(page.locator("#student-dialog")).to_be_visible()
    looks.hold(page, "dashboard-student")
    page.keyboard.press("Escape")
    page.keyboard.press("p")
    looks.hold(page, "dashboard-projector")


def test_the_live_dashboard_of_a_class_without_a_mood(looks: Looks, session: ClassSession) -> None:
    page = played(looks.visitors, session, snapshot([point(n, None) for n in range(1, 9)]), **looks.options).page
    wait_for_chart(page)
    expect(page.locator("#now")).to_have_class(re.compile("unknown"))
    looks.hold(page, "dashboard-without-mood")


def test_the_lobby_of_an_empty_room(looks: Looks, session: ClassSession) -> None:
    page = played(looks.visitors, session, snapshot([]), **looks.options).page
    expect(page.locator("#lobby")).to_be_visible()
    looks.hold(page, "dashboard-lobby")


def test_the_report_and_what_it_leads_to(looks: Looks, lecture: ClassSession, tmp_path: Path) -> None:
    page = looks.page(camera=False, accept_downloads=True)
    sign_in(page, lecture.course.instructor, looks.visitors.base_url)
    page.goto(f"/teach/{lecture.public_id}/report/")
    wait_for_chart(page)
    looks.hold(page, "report")
    page.get_by_text("Download", exact=True).click()
    looks.hold(page, "report-downloads")
    file = page.context.request.get(f"/teach/{lecture.public_id}/report.html").body()
    page.locator(".heat").get_by_role("link", name="Anaya").click()
    expect(page.get_by_role("heading", name="Anaya")).to_be_visible()
    looks.hold(page, "report-student")
    page.goto(f"/courses/{lecture.course.public_id}/")
    looks.hold(page, "course")
    (tmp_path / "report.html").write_bytes(file)
    page.goto((tmp_path / "report.html").as_uri())
    looks.hold(page, "report-file")


def test_a_report_whose_minutes_are_being_counted(looks: Looks, lecture: ClassSession) -> None:
    MinuteRollup.objects.filter(session=lecture).delete()
    page = looks.page(camera=False)
    half = {"counting": True, "missing": 24, "done": 24, "total": 48}
    page.route("**/report/counting/", lambda route: route.fulfill(json=half))
    sign_in(page, lecture.course.instructor, looks.visitors.base_url)
    page.goto(f"/teach/{lecture.public_id}/report/")
    expect(page.locator("#counting")).to_contain_text("24 of 48 minutes")
    looks.hold(page, "report-counting")


# -- Administration


def test_the_list_of_sessions_and_what_can_be_done_there(
    looks: Looks, lecture: ClassSession, session: ClassSession, root: User
) -> None:
    page = looks.page(camera=False)
    sign_in(page, root, looks.visitors.base_url)
    page.goto(ADMIN)
    looks.hold(page, "admin-sessions")
    for action in ("export", "close", "purge", "erase"):
        page.goto(ADMIN)
        for one in (lecture, session):
            page.locator(f"input[name=_selected_action][value='{one.pk}']").check()
        page.get_by_label("Action:").select_option(f"{action}_chosen")
        if action == "export":
            looks.hold(page, "admin-sessions-chosen")
            continue
        page.get_by_role("button", name="Go").click()
        expect(page.get_by_role("link", name="Back")).to_be_visible()
        looks.hold(page, f"admin-{action}")


def test_a_session_in_the_administration(looks: Looks, lecture: ClassSession, root: User) -> None:
    page = looks.page(camera=False)
    sign_in(page, root, looks.visitors.base_url)
    page.goto(f"{ADMIN}{lecture.pk}/change/")
    wait_for_chart(page)
    looks.hold(page, "admin-session")


def test_every_other_page_of_the_administration(looks: Looks, lecture: ClassSession, root: User) -> None:
    student = Participant.objects.filter(session=lecture, scope="individual").latest("pk")
    reading = EmotionEvent.objects.filter(participant=student).latest("pk")
    receipt = actions.erase_last(student, 1)
    page = looks.page(camera=False)
    sign_in(page, root, looks.visitors.base_url)
    for name, address in (
        ("index", ""), ("courses", "classroom/course/"), ("course", f"classroom/course/{lecture.course.pk}/change/"),
        ("students", "classroom/participant/"), ("student", f"classroom/participant/{student.pk}/change/"),
        ("consents", "classroom/consentevent/"), ("receipts", "classroom/erasure/"),
        ("receipt", f"classroom/erasure/{receipt.pk}/change/"), ("texts", "classroom/showntext/"),
        ("readings", f"emotions/emotionevent/?session__id__exact={lecture.pk}"),
        ("reading", f"emotions/emotionevent/{reading.pk}/change/"),
        ("minutes", f"emotions/minuterollup/?session__id__exact={lecture.pk}"),
        ("mood", f"emotions/moodpoint/?session__id__exact={lecture.pk}"),
        ("people", "auth/user/"), ("person", f"auth/user/{lecture.course.instructor.pk}/change/"),
        ("invite", "auth/user/add/"), ("history", f"classroom/classsession/{lecture.pk}/history/"),
    ):  # fmt: skip
        page.goto(f"/admin/{address}")
        looks.hold(page, f"admin-{name}")


def test_the_administration_as_an_instructor_sees_it(looks: Looks, lecture: ClassSession) -> None:
    teacher = lecture.course.instructor
    User.objects.filter(pk=teacher.pk).update(is_staff=True)
    teacher.groups.set(Group.objects.filter(name=roles.INSTRUCTOR))
    page = looks.page(camera=False)
    sign_in(page, teacher, looks.visitors.base_url)
    page.goto(ADMIN)
    looks.hold(page, "admin-sessions-own")
