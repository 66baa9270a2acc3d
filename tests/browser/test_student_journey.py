"""A student in a real browser, with a camera that shows a face: joining, consenting, the own reading, stopping."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from classroom import actions
from classroom.codes import spaced
from classroom.local.running import RunningProduct
from classroom.models import CheckIn, ClassSession, Participant
from emotions.models import EmotionEvent
from tests.browser.conftest import Join, Visitors
from tests.browser.fake_camera import face_in_picture

pytestmark = pytest.mark.browser

LOOKS = r"You look \w+ · (unsure|fairly sure) · "


def stored(session: ClassSession) -> int:
    return EmotionEvent.objects.filter(session=session).count()


def line(page: Page) -> str:
    return page.locator("[data-part=line]").inner_text()


def count(page: Page, what: str) -> int:
    return int(page.locator(f"dd[data-count={what}]").text_content() or 0)


def expect_reading(page: Page) -> None:
    expect(page.locator("[data-part=line]")).to_have_text(re.compile(LOOKS), timeout=20_000)


def shown_box(page: Page) -> tuple[float, float, float, float]:
    """The box over the picture as fractions of the stage, as a person sees it."""
    page.wait_for_timeout(300)
    stage, box = page.locator(".stage").bounding_box(), page.locator(".face-box").bounding_box()
    assert stage
    assert box
    x, y = (box["x"] - stage["x"]) / stage["width"], (box["y"] - stage["y"]) / stage["height"]
    return x, y, box["width"] / stage["width"], box["height"] / stage["height"]


def camera_is_off(page: Page) -> bool:
    return bool(page.evaluate("document.querySelector('[data-part=video]').srcObject === null"))


def test_from_the_code_to_the_own_reading(visitors: Visitors, session: ClassSession) -> None:
    page = visitors.new()
    page.goto("/")
    page.get_by_label("Session code").press_sequentially(session.join_code.lower())
    expect(page.get_by_label("Session code")).to_have_value(spaced(session.join_code))
    page.keyboard.press("Enter")
    page.get_by_label("Your name").fill("Meera")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Before you join")
    assert page.evaluate("window.cameraCalls") == 0
    assert not stored(session)
    page.get_by_role("button", name="Only as part of the class").click()
    expect_reading(page)
    assert line(page).endswith("only the class average is shown")
    expect(page.locator("[data-part=state]")).to_have_text("Live")
    assert Participant.objects.get(session=session).display_name == "Meera"


def test_the_page_shows_what_is_stored(product: RunningProduct, join: Join, session: ClassSession) -> None:
    page = join()
    expect(page.locator("dd[data-count=read]")).to_have_text(re.compile(r"^[3-9]$"), timeout=20_000)
    page.get_by_role("button", name="Pause my camera").click()
    product.wait_until(lambda: stored(session) == count(page, "read"), 5, "as many events as the page counts")
    fates = ["read", "unseen", "replaced", "rejected"]
    assert count(page, "sent") - sum(count(page, fate) for fate in fates) in (0, 1)
    last = EmotionEvent.objects.filter(session=session).latest("captured_at")
    sure = "unsure" if last.uncertain else "fairly sure"
    assert f"last: {last.label.capitalize()}, {sure}" in page.inner_text("[data-part=last]")


def test_the_box_lies_over_the_face_in_the_mirrored_picture(join: Join) -> None:
    page = join()
    expect_reading(page)
    x, y, width, height = face_in_picture()
    assert shown_box(page) == pytest.approx((1 - x - width, y, width, height), abs=0.05)


def test_who_shares_by_name_is_told_that_the_instructor_sees_it(join: Join) -> None:
    page = join(scope="individual")
    expect_reading(page)
    assert line(page).endswith("your instructor sees this with your name")


def test_without_a_camera_only_the_pace_is_asked(product: RunningProduct, join: Join, session: ClassSession) -> None:
    page = join(scope="none")
    expect(page.locator("[data-part=state]")).to_have_text("Connected")
    page.get_by_role("button", name="Too fast").click()
    expect(page.get_by_text("Sent, without your name.")).to_be_visible()
    expect(page.get_by_role("button", name="Too fast")).to_have_attribute("aria-pressed", "true")
    assert CheckIn.objects.get(participant__session=session).word == "too_fast"
    assert page.evaluate("window.cameraCalls") == 0
    assert page.locator("video").count() == 0


def test_many_taps_in_a_row_leave_the_last_word_and_the_connection(join: Join, session: ClassSession) -> None:
    page = join(scope="none")
    expect(page.locator("[data-part=state]")).to_have_text("Connected")
    for word in ["Lost", "Too fast", "Too slow"] * 4:
        page.get_by_role("button", name=word).click()
    page.get_by_role("button", name="Got it").click()
    expect(page.get_by_role("button", name="Got it")).to_have_attribute("aria-pressed", "true")
    assert CheckIn.objects.filter(participant__session=session).latest("at").word == "got_it"
    expect(page.locator("[data-part=state]")).to_have_text("Connected")


def test_a_reload_is_the_same_student(join: Join, session: ClassSession) -> None:
    page = join()
    expect_reading(page)
    page.reload()
    expect_reading(page)
    page.goto(f"/join/{session.join_code}/")
    expect_reading(page)
    assert Participant.objects.filter(session=session).count() == 1


def test_a_second_tab_takes_over_and_the_first_can_take_it_back(visitors: Visitors, join: Join) -> None:
    first = join()
    expect_reading(first)
    second = visitors.tab(first)
    second.goto(first.url)
    expect_reading(second)
    expect(first.get_by_role("heading", name="Another tab took over")).to_be_visible()
    assert camera_is_off(first)
    first.get_by_role("button", name="Use this tab").click()
    expect_reading(first)
    expect(second.get_by_role("heading", name="Another tab took over")).to_be_visible()


def test_a_pause_outlasts_another_tab(visitors: Visitors, join: Join) -> None:
    first = join()
    expect_reading(first)
    first.get_by_role("button", name="Pause my camera").click()
    before = first.evaluate("window.cameraCalls")
    second = visitors.tab(first)
    second.goto(first.url)
    expect_reading(second)
    first.bring_to_front()
    first.get_by_role("button", name="Use this tab").press("Enter")
    expect(second.get_by_role("heading", name="Another tab took over")).to_be_visible()
    expect(first.locator("[data-part=state]")).to_have_text("Paused")
    expect(first.get_by_role("button", name="Go on measuring")).to_be_focused()
    assert first.evaluate("window.cameraCalls") == before


def test_a_pause_stops_the_pictures_and_the_camera(join: Join) -> None:
    page = join()
    expect_reading(page)
    page.get_by_role("button", name="Pause my camera").click()
    expect(page.locator("[data-part=state]")).to_have_text("Paused")
    assert camera_is_off(page)
    before = count(page, "sent")
    page.wait_for_timeout(2500)
    assert count(page, "sent") == before
    page.get_by_role("button", name="Go on measuring").press("Enter")
    expect_reading(page)
    assert count(page, "sent") > before
    expect(page.get_by_role("button", name="Pause my camera")).to_be_focused()


def test_withdrawing_stops_everything_at_once(join: Join, session: ClassSession) -> None:
    page = join()
    expect_reading(page)
    page.get_by_role("button", name="Stop measuring me").click()
    expect(page.get_by_text("You take part without a camera")).to_be_visible()
    before = stored(session)
    assert Participant.objects.get(session=session).scope == Participant.Scope.NONE
    page.wait_for_timeout(2500)
    assert stored(session) == before
    assert page.evaluate("window.cameraCalls") == 0


def test_who_has_left_can_come_in_as_somebody_else(join: Join, session: ClassSession) -> None:
    page = join(scope="none")
    page.get_by_text("Leave the session").click()
    page.get_by_role("button", name="Leave for good").click()
    expect(page.get_by_text("You have left the session.")).to_be_visible()
    page.goto(f"/join/{session.join_code}/")
    expect(page.get_by_label("Your name")).to_be_visible()
    assert Participant.objects.get(session=session).left_at is not None


def test_the_end_of_the_session_is_a_clear_page(product: RunningProduct, join: Join, session: ClassSession) -> None:
    page = join()
    expect_reading(page)
    actions.end_session(session)
    expect(page.get_by_role("heading", name="This session has ended")).to_be_visible()
    assert camera_is_off(page)
    page.reload()
    expect(page.get_by_role("heading", name="This session has ended")).to_be_visible()


def test_the_end_speaks_of_no_camera_to_one_without(join: Join, session: ClassSession) -> None:
    page = join(scope="none")
    expect(page.locator("[data-part=state]")).to_have_text("Connected")
    actions.end_session(session)
    ending = page.locator("[data-part=ending]")
    expect(ending).to_contain_text("No more words about the pace are taken. You can close this page.")
    expect(ending).not_to_contain_text("camera")


def test_who_is_removed_is_told_so(join: Join, session: ClassSession) -> None:
    page = join()
    expect_reading(page)
    participant = Participant.objects.get(session=session)
    actions.remove_participant(participant, by=session.course.instructor)
    expect(page.get_by_role("heading", name="You were removed")).to_be_visible()
    assert camera_is_off(page)
