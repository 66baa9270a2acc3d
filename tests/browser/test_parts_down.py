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
from tests.browser.conftest import Join
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


def test_nobody_reads_the_pictures(product: RunningProduct, join: Join) -> None:
    page = join(scope="individual")
    expect_reading(page)
    with stopped(product, "worker"):
        expect(page.locator("[data-part=line]")).to_contain_text("No reading of you is stored", timeout=30_000)
    expect_reading(page)
