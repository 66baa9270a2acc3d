"""A part of the server is down: the pages say so in words, and go on by themselves when it is back."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from classroom.local.running import RunningProduct
from classroom.models import ClassSession
from tests.browser.conftest import Join, Visitors
from tests.browser.dashboards import sign_in
from tests.browser.test_student_journey import expect_reading
from tests.processes import stopped

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_nobody_reads_the_pictures(
    product: RunningProduct, join: Join, visitors: Visitors, session: ClassSession
) -> None:
    """The student's page and the teacher's say so, each in its own words."""
    page = join(scope="individual")
    live = visitors.new(camera=False)
    sign_in(live, session.course.instructor, visitors.base_url)
    live.goto(f"/teach/{session.public_id}/")
    expect_reading(page)
    expect(live.locator("#sentence")).to_be_visible()
    expect(live.locator("#unread")).to_be_hidden()
    with stopped(product, "worker"):
        expect(live.locator("#unread")).to_contain_text("Nobody reads the pictures just now", timeout=30_000)
        expect(page.locator("[data-part=line]")).to_contain_text("No reading of you is stored", timeout=30_000)
    expect_reading(page)
    expect(live.locator("#unread")).to_be_hidden(timeout=10_000)
