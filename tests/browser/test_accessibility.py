"""axe-core on every page that is not the report's, in both themes, on a phone and on a desk."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect

from classroom import actions
from classroom.models import ClassSession
from emotions.messages import Alert, Attention, Hand, Notices, Pace, RoomMood
from tests.browser.accessibility import violations
from tests.browser.conftest import Visitors
from tests.browser.dashboards import BEGAN_MS, CALM, played, point, sign_in, snapshot, tick, tile, wait_for_chart
from tests.emotions.parts import room_camera

pytestmark = pytest.mark.browser

DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}


@dataclass(frozen=True, slots=True)
class Looks:
    """A page as somebody sees it. axe-core is put into it by a script, which the page's own policy forbids."""

    visitors: Visitors
    theme: str
    viewport: dict[str, int]

    def page(self) -> Page:
        return self.visitors.new(color_scheme=self.theme, viewport=self.viewport, bypass_csp=True)

    def hold(self, page: Page) -> None:
        """No rule is broken, and nothing makes the page wider than it is."""
        assert violations(page) == [], page.url
        assert page.evaluate("document.documentElement.scrollWidth") <= self.viewport["width"], page.url


@pytest.fixture(params=["light", "dark"])
def theme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=[DESK, PHONE], ids=["desk", "phone"])
def looks(request: pytest.FixtureRequest, visitors: Visitors, theme: str) -> Looks:
    return Looks(visitors, theme, request.param)


def test_what_a_student_sees(looks: Looks, session: ClassSession) -> None:
    page = looks.page()
    for address in ("/", "/join/", "/join/ZZZZZZZ/", f"/join/{session.join_code}/", "/accounts/login/", "/nowhere/"):
        page.goto(address)
        looks.hold(page)
    page.goto(f"/join/{session.join_code}/")
    page.get_by_label("Your name").fill("Meera")
    page.get_by_role("button", name="Join").click()
    expect(page.locator("button[value=individual]")).to_be_visible()
    looks.hold(page)
    page.locator("button[value=individual]").click()
    expect(page.locator("[data-part=state]")).to_be_visible()
    looks.hold(page)
    actions.end_session(session)
    page.goto(f"/session/{session.public_id}/")
    looks.hold(page)


def test_what_an_instructor_finds(looks: Looks, session: ClassSession) -> None:
    page = looks.page()
    sign_in(page, session.course.instructor, looks.visitors.base_url)
    room = f"/teach/{session.public_id}/room/"
    for address in ("/courses/", f"/courses/{session.course.public_id}/", "/accounts/password/", "/try/", room):
        page.goto(address)
        looks.hold(page)
    room_camera(session, session.course.instructor)
    page.goto(room)
    looks.hold(page)


def test_the_live_dashboard_and_its_dialogs(looks: Looks, session: ClassSession) -> None:
    tiles = [
        tile("Ada"),
        tile("Ben", label="sad", uncertain=True),
        tile("Cy", state="paused", label=None, value=None),
    ]
    now = BEGAN_MS + 190_000
    told = Notices(
        attention=[Attention(id=tiles[1].id, troubled_ms=now - 240_000, unsure=True, lost_ms=now - 20_000)],
        hands=[Hand(id=tiles[2].id, name="Cy", at_ms=now - 70_000)],
        alerts=[Alert(kind="too_fast", at_ms=now - 30_000, words="5 of 24 said too fast in the last 3 minutes.")],
    )
    points = [point(n, pace=Pace(lost=5, too_fast=3, withheld=2)) for n in range(1, 190)]
    options = {"color_scheme": looks.theme, "viewport": looks.viewport, "bypass_csp": True}
    socket = played(looks.visitors, session, snapshot(points, tiles, told), **options)
    page = socket.page
    wait_for_chart(page)
    looks.hold(page)
    beside = {"room": RoomMood(until_ms=now, faces=23, uncertain=3, shares=CALM), "unread": True}
    socket.send(tick(point(190)).model_copy(update=beside))
    expect(page.locator("#unread")).to_be_visible()
    said = "calm, but about 3 of 23 faces look troubled (unsure about 3)"
    expect(page.locator("#room [data-room-line]")).to_contain_text(said)
    looks.hold(page)
    page.keyboard.press("m")
    expect(page.locator("#marker-dialog")).to_be_visible()
    looks.hold(page)
    page.keyboard.press("Escape")
    page.locator("#tiles").get_by_role("button", name=re.compile("Ben")).click()
    expect(page.locator("#student-dialog")).to_be_visible()
    looks.hold(page)
    page.keyboard.press("Escape")
    page.keyboard.press("p")
    looks.hold(page)


def test_the_lobby_of_an_empty_room(looks: Looks, session: ClassSession) -> None:
    options = {"color_scheme": looks.theme, "viewport": looks.viewport, "bypass_csp": True}
    page = played(looks.visitors, session, snapshot([]), **options).page
    expect(page.locator("#lobby")).to_be_visible()
    looks.hold(page)
