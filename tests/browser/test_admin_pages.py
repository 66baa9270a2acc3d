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
    in_admin, before = chart(page), drawn(page)
    page.locator("#header .theme-toggle").click()
    wait_until(page, "n => Number(document.getElementById('mood-chart').dataset.drawn) > n", before)
    assert [trace["fillcolor"] for trace in chart(page)] != [trace["fillcolor"] for trace in in_admin]
    page.goto(f"/teach/{lecture.public_id}/report/")
    wait_for_chart(page)
    assert chart(page) == in_admin


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
