"""A live dashboard of a class whose faces are known: what it shows is the truth, and stays whole over a lost line."""

from __future__ import annotations

from itertools import pairwise

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, WebSocketRoute, expect

from classroom.actions import start_session
from classroom.local.running import RunningProduct
from classroom.models import ClassSession, Course
from emotions.models import MoodPoint
from ml.labels import LABELS
from tests.browser.conftest import Visitors
from tests.browser.dashboards import chart, sign_in
from tests.browser.test_student_camera import wait_for
from tests.processes import simulating

pytestmark = pytest.mark.browser

# All share individually, so that all are measured.
SHOWN = {"happy": 8, "surprise": 6, "neutral": 6}
STUDENTS = sum(SHOWN.values())
TRUTH = {label: SHOWN.get(label, 0) / STUDENTS for label in LABELS}
TOLERANCE = 0.05
FACES = ("--showing", ",".join(f"{label}={count}" for label, count in SHOWN.items()), "--individual", "1")


class Line:
    """The way between the page and the server's socket. Cut, it takes no connection until `mended`."""

    def __init__(self, page: Page) -> None:
        self.whole, self.routes, self.refused = True, list[tuple[WebSocketRoute, WebSocketRoute]](), 0
        page.route_web_socket("**/ws/dashboard/**", self._connected)

    def _connected(self, route: WebSocketRoute) -> None:
        if self.whole:
            self.routes.append((route, route.connect_to_server()))
        else:
            self.refused += 1
            route.close(code=1011)

    def cut(self) -> None:
        self.whole = False
        for end in self.routes[-1]:
            end.close(code=1011)

    def mended(self) -> None:
        self.whole = True


def test_the_live_chart_shows_the_truth_and_fills_what_a_lost_line_missed(
    product: RunningProduct, visitors: Visitors, alice: User
) -> None:
    session = start_session(Course.objects.create(title="Known faces", instructor=alice))
    page = visitors.new(camera=False)
    sign_in(page, alice, visitors.base_url)
    line = Line(page)
    page.goto(f"/teach/{session.public_id}/")
    with simulating(product, session.join_code, *FACES):
        everybody = f"Rests on {STUDENTS} of {STUDENTS} students"
        expect(page.locator("#coverage")).to_contain_text(everybody, timeout=60_000)
        # The smoothing forgets how the first came in.
        wait_for(page, lambda: apart(latest(session), TRUTH) < TOLERANCE / 2)
        lost_at = newest(session)
        line.cut()
        expect(page.locator("#connection-words")).to_contain_text("Connection lost")
        page.wait_for_timeout(4_000)
        line.mended()
        expect(page.locator("#connection-words")).to_have_text("Live", timeout=30_000)
        live_at = newest(session)
        wait_for(page, lambda: max(by_time(page)) > live_at + 3_000)
    drawn, stored = by_time(page), points(session)
    assert line.refused > 0
    missed = [at for at in stored if lost_at < at < lost_at + 4_000]
    assert len(missed) >= 3
    assert all(any(abs(at - shown) <= 1_000 for shown in drawn) for at in missed)
    assert max(b - a for a, b in pairwise(drawn)) <= 2_000
    for at, shares in drawn.items():
        near = [point for when, point in stored.items() if abs(when - at) <= 1_000]
        assert any(apart(one, shares) < 0.02 for one in near)
    late = [shares for at, shares in drawn.items() if at > lost_at]
    shown = {label: sum(shares[label] for shares in late) / len(late) for label in LABELS}
    assert apart(shown, TRUTH) < TOLERANCE, shown


def apart(one: dict[str, float], other: dict[str, float]) -> float:
    """The largest difference of a share."""
    return max(abs(one[label] - other[label]) for label in LABELS)


def points(session: ClassSession) -> dict[float, dict[str, float]]:
    rows = MoodPoint.objects.filter(session=session, shares__isnull=False).order_by("sequence")
    return {row.at.timestamp() * 1000: dict(zip(LABELS, row.shares or [], strict=True)) for row in rows}


def newest(session: ClassSession) -> float:
    return max(points(session))


def latest(session: ClassSession) -> dict[str, float]:
    found = points(session)
    return found[max(found)]


def by_time(page: Page) -> dict[float, dict[str, float]]:
    """The chart, second by second; the school's zone is UTC here."""
    found: dict[float, dict[str, float]] = {}
    for trace in chart(page):
        for x, y in zip(trace["x"], trace["y"], strict=True):
            found.setdefault(x, {})[trace["meta"]] = y
    return dict(sorted(found.items()))
