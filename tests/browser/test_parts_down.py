"""A part of the server is down: the pages say so in words, and go on by themselves when it is back."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from benchmarks.processes import tree
from classroom.local.running import RunningProduct
from classroom.models import ClassSession
from tests.browser.conftest import Join, Visitors
from tests.browser.dashboards import sign_in
from tests.browser.test_student_journey import expect_reading

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@contextlib.contextmanager
def stopped(product: RunningProduct, name: str) -> Iterator[None]:
    """The service with all its processes, as if the machine had no time for it."""
    pids = tree(product.pids()[name])
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):  # `up` has lost patience and started another
                os.kill(pid, signal.SIGCONT)


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
