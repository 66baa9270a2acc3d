"""Past sessions in the administration, in a real browser: the chart under the strict policy, both themes, a phone."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from classroom.models import ClassSession
from tests.browser.conftest import Visitors
from tests.browser.dashboards import chart, drawn, sign_in, wait_for_chart, wait_until
from tests.emotions.lectures import hold

pytestmark = pytest.mark.browser


@pytest.fixture
def lecture(session: ClassSession) -> ClassSession:
    hold(session, datetime(2026, 3, 2, 9, 3, tzinfo=UTC), 48)
    return session


def test_the_chart_is_the_reports_and_follows_the_theme(
    visitors: Visitors, lecture: ClassSession, root: User
) -> None:
    page = visitors.new(camera=False, color_scheme="light")
    sign_in(page, root, visitors.base_url)
    page.goto(f"/admin/classroom/classsession/{lecture.pk}/change/")
    wait_for_chart(page)
    light, before = chart(page), drawn(page)
    page.locator("#header .theme-toggle").click()
    wait_until(page, "n => Number(document.getElementById('mood-chart').dataset.drawn) > n", before)
    dark = chart(page)
    assert [trace["fillcolor"] for trace in dark] != [trace["fillcolor"] for trace in light]
    page.goto(f"/teach/{lecture.public_id}/report/")  # In the theme that was chosen in the administration.
    wait_for_chart(page)
    assert chart(page) == dark
    page.get_by_role("button", name="Light theme").click()
    page.reload()
    wait_for_chart(page)
    assert chart(page) == light


def test_the_administration_follows_the_theme_that_was_chosen_elsewhere(visitors: Visitors, root: User) -> None:
    page = visitors.new(camera=False, color_scheme="light")
    page.goto("/")
    page.get_by_role("button", name="Dark theme").click()
    sign_in(page, root, visitors.base_url)
    page.goto("/admin/")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(27, 30, 36)"
    page.locator("#header .theme-toggle").click()  # On a light system: from dark to light, then as the system.
    page.goto("/")
    assert page.evaluate("document.documentElement.dataset.theme") == "light"
    page.goto("/admin/")
    page.locator("#header .theme-toggle").click()
    page.goto("/")
    assert page.evaluate("document.documentElement.dataset.theme") is None
    expect(page.get_by_role("button", name="Dark theme")).to_be_visible()


def test_a_moment_leads_by_keyboard_to_its_place_in_the_timeline(visitors: Visitors, lecture: ClassSession) -> None:
    page = visitors.new(camera=False)
    sign_in(page, lecture.course.instructor, visitors.base_url)
    page.goto(f"/teach/{lecture.public_id}/report/")
    wait_for_chart(page)
    before = drawn(page)
    page.locator(".moments a").first.focus()
    page.keyboard.press("Enter")
    wait_until(page, "n => Number(document.getElementById('mood-chart').dataset.drawn) > n", before)
    expect(page.locator("#moment-1")).to_be_focused()
    framed = (
        "document.getElementById('mood-chart').layout.shapes.filter(s => s.name === 'moment' && s.y0 === 0).length"
    )
    assert page.evaluate(framed) == 1
    expect(page.locator("#mood-chart")).to_be_in_viewport()
