"""A room's camera in a real browser: read, declared, started, counted, seen on the live page, taken back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, Playwright, expect

from classroom.local.running import RunningProduct
from classroom.models import ClassSession
from emotions.models import EmotionEvent, RoomReading
from tests.browser.conftest import FLAGS, Join, Visitors
from tests.browser.dashboards import sign_in
from tests.pipeline.test_room_camera import fill_blocks, room_picture

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def visitors(product: RunningProduct, playwright: Playwright, chromium: str, tmp_path: Path) -> Iterator[Visitors]:
    """With a camera that shows twelve people."""
    (tmp_path / "room.mjpeg").write_bytes(room_picture(12) * 20)
    flags = [*FLAGS, f"--use-file-for-fake-video-capture={tmp_path / 'room.mjpeg'}"]
    browser = playwright.chromium.launch(executable_path=chromium, args=flags)
    made = Visitors(browser, product.base_url)
    yield made
    browser.close()
    assert made.complaints == []


def test_an_instructor_declares_a_room_camera_and_takes_it_back(
    visitors: Visitors, session: ClassSession, alice: User, join: Join
) -> None:
    student = join("Meera", "none", camera=False)
    expect(student.locator("[data-part=state]")).to_have_text("Connected")
    expect(student.locator("[data-part=room]")).to_be_hidden()
    page = visitors.new()
    sign_in(page, alice, visitors.base_url)
    page.goto(f"/teach/{session.public_id}/")
    page.get_by_role("link", name="Room camera").click()
    page.get_by_role("heading", name="Before you switch a room camera on").wait_for()
    assert page.evaluate("window.cameraCalls") == 0
    page.get_by_label("All of this is so").check()
    page.get_by_role("button", name="I declare this").click()
    expect(student.locator("[data-part=room]")).to_contain_text("has declared a camera that sees the room")
    page.get_by_role("button", name="Start the room camera").click()
    expect(page.locator("[data-part=line]")).to_contain_text("12 faces counted", timeout=40_000)
    counted = _two_pictures(page, session)
    assert set(counted) == {12}
    assert not EmotionEvent.objects.filter(session=session).exists()

    fill_blocks(session.participants.get(kind="room"))
    live = visitors.tab(page)
    live.goto(f"/teach/{session.public_id}/")
    expect(live.locator("#class [data-room-line]")).to_contain_text("Room camera: ", timeout=20_000)

    page.get_by_role("button", name="Take the declaration back").click()
    page.get_by_role("button", name="I declare this").wait_for()
    count = RoomReading.objects.filter(session=session).count()
    expect(live.locator("#class [data-room-line]")).to_be_hidden(timeout=5_000)
    expect(student.locator("[data-part=room]")).to_be_hidden()
    page.wait_for_timeout(3_000)
    assert RoomReading.objects.filter(session=session).count() == count


def _two_pictures(page: Page, session: ClassSession) -> list[int]:
    """How many faces each had, once there are two."""
    for _ in range(100):
        counted = list(RoomReading.objects.filter(session=session).values_list("faces", flat=True))
        if len(counted) > 1:
            return counted
        page.wait_for_timeout(200)
    raise AssertionError("a room camera that is on sends no second picture")


def test_another_window_takes_the_declaration_back(visitors: Visitors, session: ClassSession, alice: User) -> None:
    page = visitors.new()
    sign_in(page, alice, visitors.base_url)
    page.goto(f"/teach/{session.public_id}/room/")
    page.get_by_label("All of this is so").check()
    page.get_by_role("button", name="I declare this").click()
    page.get_by_role("button", name="Start the room camera").click()
    expect(page.locator("[data-part=line]")).to_contain_text("faces counted", timeout=40_000)
    other = visitors.tab(page)
    other.goto(f"/teach/{session.public_id}/room/")
    other.get_by_role("button", name="Take the declaration back").click()
    expect(page.locator("[data-part=line]")).to_contain_text("The declaration is no longer in force")
    assert page.locator("video").evaluate("video => video.srcObject") is None
