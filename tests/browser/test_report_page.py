"""The report in a real browser: what it shows, on a phone, on paper."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page

from classroom.models import ClassSession
from tests.browser.conftest import Visitors
from tests.browser.dashboards import sign_in, wait_for_chart
from tests.emotions.lectures import NAMES, hold

pytestmark = pytest.mark.browser

START = datetime(2026, 3, 2, 9, 3, tzinfo=UTC)


@pytest.fixture
def lecture(session: ClassSession) -> ClassSession:
    """The third one of its course."""
    for week in (2, 1):
        begin = START - timedelta(weeks=week)
        before = ClassSession.objects.create(course=session.course, started_at=begin, ended_at=begin)
        hold(before, begin, 9 * week, NAMES[: 12 - week])
    hold(session, START, 48)
    return session


def report_of(visitors: Visitors, session: ClassSession, **options: Any) -> Page:
    page = visitors.new(camera=False, **options)
    sign_in(page, session.course.instructor, visitors.base_url)
    page.goto(f"/teach/{session.public_id}/report/")
    wait_for_chart(page)
    return page


def test_the_heat_map_scrolls_in_its_own_box_on_a_phone(visitors: Visitors, lecture: ClassSession) -> None:
    page = report_of(visitors, lecture, viewport={"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    box = page.get_by_role("region", name="Minute by minute, as a wide table")
    assert box.evaluate("box => box.scrollWidth > box.clientWidth")
    assert box.locator("tbody tr").count() == 9
