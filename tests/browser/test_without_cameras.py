"""A session without cameras, from its start to its report, in real browsers: no camera is ever asked for."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from classroom.actions import start_session
from classroom.models import CheckIn, ClassSession, Course, Erasure, Participant
from emotions.models import EmotionEvent
from tests.browser.conftest import Visitors
from tests.browser.dashboards import played, point, sign_in, snapshot

pytestmark = pytest.mark.browser

STUDENTS = 6


def start(visitors: Visitors, teacher: User) -> tuple[Page, ClassSession]:
    """A live session without cameras, and its teacher's page."""
    course = Course.objects.create(title="Poetry", instructor=teacher)
    page = visitors.new(camera=False)
    sign_in(page, teacher, visitors.base_url)
    page.goto(f"/courses/{course.public_id}/")
    page.get_by_label("Pace only").check()
    page.get_by_role("button", name="Start", exact=True).click()
    page.wait_for_url("**/teach/**")
    return page, ClassSession.objects.get(course=course)


def take_part(visitors: Visitors, session: ClassSession, name: str) -> Page:
    page = visitors.new(camera=False)
    page.goto(f"/join/{session.join_code}/")
    page.get_by_label("Your name").fill(name)
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_text("No camera is used in this session.")).to_be_visible()
    page.get_by_role("button", name="Take part").click()
    page.wait_for_url(f"**/session/{session.public_id}/")
    expect(page.locator("[data-part=state]")).to_have_text("Connected")
    return page


def test_join_pace_attendance_report_and_course_without_any_camera(visitors: Visitors, alice: User) -> None:
    teacher, session = start(visitors, alice)
    pages = [take_part(visitors, session, f"Student {n}") for n in range(STUDENTS)]
    assert session.mode == "check_ins"
    for page in pages[:3]:
        page.get_by_role("button", name="Lost").click()
        expect(page.get_by_text("Sent, without your name.")).to_be_visible()
    pages[5].get_by_role("button", name="Raise my hand").click()
    expect(teacher.locator("#sentence")).to_have_text(f"3 of {STUDENTS} say they are lost.", timeout=20_000)
    expect(teacher.get_by_role("button", name="Lower the hand of Student 5")).to_be_visible()
    teacher.get_by_role("link", name="The session so far").click()
    expect(teacher).to_have_url(re.compile(rf"/teach/{session.public_id}/report/$"))
    expect(teacher.get_by_text("without cameras: attendance and words about the pace")).to_be_visible()
    expect(teacher.get_by_text("Students said “lost” 3 times.")).to_be_visible()
    expect(teacher.get_by_text(re.compile(r"^“Lost” was said most at [0-9:–]+, 3 times\.$"))).to_be_visible()
    expect(teacher.get_by_role("columnheader", name="Too fast, times")).to_be_visible()
    expect(teacher.get_by_role("heading", name="Class mood")).to_have_count(0)
    expect(teacher.locator(".heat tbody th")).to_have_text("Lost 3")
    expect(teacher.locator(".heat .lane")).to_have_attribute("aria-label", re.compile(r"^Lost: \d\d:\d\d \d time"))
    expect(teacher.get_by_role("row").filter(has_text="Student 2")).to_have_count(1)
    teacher.goto(f"/courses/{session.course.public_id}/")
    expect(teacher.get_by_role("row").filter(has_text="Without cameras")).to_contain_text("3 of 6")
    assert [page.evaluate("window.cameraCalls") for page in [*pages, teacher]] == [0] * (STUDENTS + 1)
    assert not EmotionEvent.objects.filter(session=session).exists()


def test_a_class_without_cameras_loads_no_chart(visitors: Visitors, alice: User) -> None:
    session = start_session(Course.objects.create(title="Poetry", instructor=alice), ClassSession.Mode.CHECK_INS)
    asked: list[str] = []
    one = point(1, None, joined=1, connected=1, measured=0, not_visible=0)

    def listen(page: Page) -> None:
        page.on("request", lambda each: asked.append(each.url))

    socket = played(visitors, session, snapshot([one]), before=listen)
    expect(socket.page.locator("#coverage")).to_have_text("1 of 1 connected")
    socket.page.wait_for_timeout(2500)  # By then a chart would have been drawn.
    assert [url for url in asked if re.search(r"plotly[^/]*\.js", url)] == []
    assert [url for url in asked if re.search(r"/dashboard[^/]*\.js", url)]


def test_see_take_along_and_erase_what_is_recorded(visitors: Visitors, session: ClassSession, tmp_path: Path) -> None:
    page = visitors.new(viewport={"width": 390, "height": 800})
    page.goto(f"/join/{session.join_code}/")
    page.get_by_label("Your name").fill("Meera")
    page.get_by_role("button", name="Join").click()
    page.locator("button[value=none]").click()
    expect(page.locator("[data-part=state]")).to_have_text("Connected")
    page.get_by_role("button", name="Got it").click()
    expect(page.get_by_text("Sent, without your name.")).to_be_visible()
    page.get_by_role("link", name="What is recorded about me").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("What is recorded about me")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download all of it").click()
    download.value.save_as(tmp_path / "mine.json")
    mine = json.loads((tmp_path / "mine.json").read_text())
    assert [one["word"] for one in mine["words_about_the_pace"]] == ["got_it"]
    page.get_by_label("Minutes").fill("5")
    page.get_by_role("button", name="Erase these minutes").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Erased")
    assert not CheckIn.objects.filter(participant__session=session).exists()
    page.goto(f"/session/{session.public_id}/mine/")
    page.get_by_label("I am sure.").check()
    page.get_by_role("button", name="Erase everything").click()
    expect(page.get_by_text("Everything about a student")).to_be_visible()
    assert str(Erasure.objects.latest("at").public_id) in page.url
    assert not Participant.objects.filter(session=session).exists()
