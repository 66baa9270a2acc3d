"""The pages of students and visitors at every width and theme: they fit, are labelled, and break no policy."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect

from classroom import actions
from classroom.models import ClassSession
from tests.browser.conftest import Join, Visitors
from tests.emotions.lectures import NAMES, hold
from tests.pipeline.students import student_cookies

pytestmark = pytest.mark.browser

PATHS = ["/", "/join/", "/try/", "/accounts/login/", "/no-such-page/", "/join/ZZZZZZZ/"]
# Inputs and buttons that nothing names, headings that are missing, elements that reach out of the window.
FAULTS = """() => {
  const faults = [];
  const shown = (element) => element.checkVisibility();
  for (const control of [...document.querySelectorAll("input:not([type=hidden]), button, a")].filter(shown)) {
    const named = control.labels?.length || control.getAttribute("aria-label") || control.textContent.trim();
    if (!named) faults.push(`nothing names ${control.outerHTML}`);
  }
  const titles = [...document.querySelectorAll("h1")].filter(shown).length;
  if (titles !== 1) faults.push(`${titles} first headings`);
  const over = document.documentElement.scrollWidth - innerWidth;
  if (over > 0) faults.push(`the page is ${over} px too wide`);
  return faults;
}"""

TOO_WIDE = """[...document.querySelectorAll(".card, .ticks, .table-scroll")]
  .filter((box) => box.scrollWidth > box.clientWidth).map((box) => box.className)"""


def faults(page: Page) -> list[str]:
    found: list[str] = page.evaluate(FAULTS)
    return found


@pytest.mark.parametrize("width", [1440, 390, 320])
def test_every_public_page_fits_and_is_labelled(visitors: Visitors, width: int) -> None:
    page = visitors.new(viewport={"width": width, "height": 800})
    for path in PATHS:
        page.goto(path)
        assert faults(page) == [], path


@pytest.mark.parametrize("width", [1440, 390, 320])
def test_every_page_of_a_student_fits_and_is_labelled(join: Join, session: ClassSession, width: int) -> None:
    page = join(viewport={"width": width, "height": 700})
    expect(page.locator(".face-box")).to_have_count(1, timeout=20_000)
    page.get_by_text("What happened to the pictures").click()
    assert faults(page) == []
    page.goto(f"{page.url}consent/")
    page.get_by_text("Read the whole text").click()
    assert faults(page) == []
    actions.end_session(session)
    page.reload()
    assert faults(page) == []


def test_beside_a_lecture_the_reading_the_pause_and_the_pace_need_no_scrolling(join: Join) -> None:
    page = join(viewport={"width": 320, "height": 700})
    expect(page.locator(".face-box")).to_have_count(1, timeout=20_000)
    lowest = page.locator(".paces").bounding_box()
    assert lowest
    assert lowest["y"] + lowest["height"] <= 700


def test_a_wrong_code_is_said_beside_the_field(visitors: Visitors) -> None:
    page = visitors.new()
    page.goto("/")
    page.get_by_label("Session code").fill("zzz-zzzz")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("alert")).to_contain_text("No class is open under this code now.")
    expect(page.get_by_label("Session code")).to_have_value("ZZZ-ZZZZ")
    expect(page.get_by_label("Session code")).to_have_attribute("aria-invalid", "true")
    # A screen reader says the title and what has the focus; an alert that was there from the start, it may not.
    expect(page.get_by_label("Session code")).to_be_focused()
    expect(page).to_have_title("Not joined yet · Join a class · Roomtone")


def test_an_empty_name_is_said_at_the_field(visitors: Visitors, session: ClassSession) -> None:
    page = visitors.new()
    page.goto(f"/join/{session.join_code}/")
    expect(page).to_have_title("Join Calculus 1 · Roomtone")
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_label("Your name")).to_be_focused()
    expect(page).to_have_title("Not joined yet · Join Calculus 1 · Roomtone")


def test_ones_own_minutes_fit_a_phone(visitors: Visitors, session: ClassSession) -> None:
    arjun = hold(session, datetime(2026, 3, 2, 9, 3, tzinfo=UTC), 75, NAMES[:3])[2]
    page = visitors.new(viewport={"width": 320, "height": 700})
    cookies = student_cookies(arjun).items()
    page.context.add_cookies([{"name": name, "value": value, "url": visitors.base_url} for name, value in cookies])
    page.goto(f"/session/{session.public_id}/mine/")
    page.get_by_text("Every minute with a reading").click()
    expect(page.get_by_role("img", name=re.compile("of 75 minutes"))).to_be_visible()
    assert faults(page) == []
    assert page.evaluate(TOO_WIDE) == []


def test_a_letter_in_the_middle_of_the_code_can_be_corrected(visitors: Visitors) -> None:
    page = visitors.new()
    page.goto("/")
    field = page.get_by_label("Session code")
    field.press_sequentially("kmx4qxb")
    field.evaluate("(field) => field.setSelectionRange(2, 3)")
    page.keyboard.type("t")
    expect(field).to_have_value("KMT-4QXB")
    assert field.evaluate("(field) => field.selectionStart") == 3


def test_a_chosen_theme_is_remembered(visitors: Visitors) -> None:
    page = visitors.new(color_scheme="light")
    page.goto("/")
    page.get_by_role("button", name="Dark theme").click()
    page.goto("/try/")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(19, 21, 25)"
    expect(page.get_by_role("button", name="Light theme")).to_be_visible()


def test_the_keyboard_reaches_the_content_first(visitors: Visitors) -> None:
    page = visitors.new()
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Session code")).to_be_focused()


def test_consent_can_be_changed_on_the_way(join: Join) -> None:
    page = join(scope="none")
    page.get_by_role("link", name="Change my choice").click()
    expect(page.locator("button[value=none]")).to_contain_text("Your choice now")
    page.get_by_role("button", name="Also with my name").click()
    expect(page.locator("[data-part=line]")).to_contain_text(
        "your instructor sees this with your name", timeout=20_000
    )
