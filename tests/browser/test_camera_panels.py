"""The try page and the room camera's page: what they say and keep when something goes wrong or somebody leaves."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.conf import settings
from playwright.sync_api import Page, WebSocketRoute, expect

from classroom.models import ClassSession
from emotions.frames.frame import FrameHeader
from emotions.messages import CloseCode, FrameReplaced, Message, RoomRead, TryBusy, TryFace, TryReading, Welcome
from tests.browser.conftest import Visitors
from tests.browser.dashboards import CALM, sign_in
from tests.browser.test_student_camera import ENCODER, NO_TRACK_FRAMES, wait_for
from tests.browser.test_student_journey import camera_is_off

pytestmark = pytest.mark.browser

FACE = TryFace(box=(0.3, 0.2, 0.3, 0.4), label="neutral", confidence=0.6, uncertain=False, probabilities=CALM)
LINE, BOXES, SHARES = "[data-part=line]", ".face-box", ".share > :last-child"
# The browser asks; the test answers, one question after the other: `asked[0]()` allows the first.
ASKS = """
  window.asked = [];
  const given = navigator.mediaDevices.getUserMedia;
  navigator.mediaDevices.getUserMedia = (wanted) =>
    new Promise((allow) => window.asked.push(allow)).then(() => given(wanted));
"""
# What a screen reader is told from here on.
LISTEN = """() => {
  window.told = [];
  for (const region of document.querySelectorAll("main [role=status], main [aria-live]")) {
    const tell = () => window.told.push(region.textContent);
    new MutationObserver(tell).observe(region, { childList: true, characterData: true, subtree: true });
  }
}"""
# A video of which the first picture can't be had: it has just begun, or the tab was away.
VIDEO_NOT_READY = f"""
  {NO_TRACK_FRAMES}
  const make = window.createImageBitmap;
  let first = true;
  window.createImageBitmap = (...what) => {{
    if (!first) return make(...what);
    first = false;
    return Promise.reject(new DOMException("no picture yet", "InvalidStateError"));
  }};
"""
Answer = Callable[[int], Message | None]


class PlayedServer:
    """The other end of a page's pictures: each is answered by what `answer` makes of its sequence, or not at all."""

    def __init__(self, page: Page, path: str, *openings: Message) -> None:
        self.page, self.openings = page, openings
        self.answer: Answer = lambda sequence: None
        self.lines: list[WebSocketRoute] = []
        self.pictures = 0
        page.route_web_socket(re.compile(path), self._connected)

    def _connected(self, route: WebSocketRoute) -> None:
        self.lines.append(route)
        route.on_message(lambda message: self._heard(route, message))
        for message in self.openings:
            route.send(message.to_json())

    def _heard(self, route: WebSocketRoute, message: str | bytes) -> None:
        if isinstance(message, str):
            return
        self.pictures += 1
        answer = self.answer(FrameHeader.unpack(message).sequence)
        if answer:
            route.send(answer.to_json())

    def say(self, message: Message) -> None:
        self.lines[-1].send(message.to_json())


def try_page(visitors: Visitors, session: ClassSession | None = None, script: str = "") -> PlayedServer:
    page = visitors.new(script=script)
    page.clock.install()
    server = PlayedServer(page, "/ws/try/")
    page.goto("/try/")
    return server


def room_page(visitors: Visitors, session: ClassSession) -> PlayedServer:
    """Declared, and not yet started."""
    page = visitors.new()
    page.clock.install()
    welcome = Welcome(consent_epoch=1, scope="aggregate", inference=True, place="server", interval_ms=500)
    server = PlayedServer(page, "/ws/room/", welcome)
    sign_in(page, session.course.instructor, visitors.base_url)
    page.goto(f"/teach/{session.public_id}/room/")
    page.get_by_label("All of this is so").check()
    page.get_by_role("button", name="I declare this").click()
    return server


def start(page: Page) -> None:
    page.locator("[data-part=start]").click()


def one_face(sequence: int) -> TryReading:
    return TryReading(sequence=sequence, faces=[FACE], too_dark=False)


def busy(sequence: int) -> TryBusy:
    return TryBusy(sequence=sequence)


def replaced(sequence: int) -> FrameReplaced:
    return FrameReplaced(sequence=sequence)


def counted(faces: int, uncertain: int = 0) -> RoomRead:
    return RoomRead(sequence=0, faces=faces, uncertain=uncertain, needed=5, too_dark=False)


# -- Nothing comes back


def test_an_old_reading_is_not_shown_as_if_it_were_now(visitors: Visitors) -> None:
    server = try_page(visitors)
    page, server.answer = server.page, one_face
    start(page)
    expect(page.locator(BOXES)).to_have_count(1)
    server.answer = busy
    expect(page.locator(LINE)).to_contain_text("Busy: a class is in session")
    page.clock.fast_forward(6_000)
    expect(page.locator(BOXES)).to_have_count(0)
    expect(page.locator(SHARES)).to_have_text(["–"] * 7)
    expect(page.locator(LINE)).to_contain_text("Busy: a class is in session")
    server.answer = one_face
    expect(page.locator(BOXES)).to_have_count(1)
    server.lines[-1].close(code=1012)
    expect(page.locator(LINE)).to_contain_text("The connection is gone.")
    expect(page.locator(BOXES)).to_have_count(0)


def test_the_try_page_says_that_nobody_reads(visitors: Visitors) -> None:
    server = try_page(visitors)
    page, server.answer = server.page, one_face
    start(page)
    expect(page.locator(LINE)).to_have_text("One face")
    server.answer = replaced
    page.clock.fast_forward(6_000)
    expect(page.locator(LINE)).to_have_text("Looking for faces")
    before = server.pictures
    wait_for(page, lambda: server.pictures > before)
    page.clock.fast_forward(11_000)
    expect(page.locator(LINE)).to_contain_text("Nobody reads the pictures just now")
    server.answer = one_face
    expect(page.locator(LINE)).to_have_text("One face")


@pytest.mark.skipif(settings.DEVICE is None, reason="no files for on-device mode: manage.py device_files")
def test_where_pictures_are_read_can_be_chosen_while_the_browser_asks(visitors: Visitors) -> None:
    server = try_page(visitors, script=ASKS)
    page = server.page
    start(page)
    page.get_by_role("button", name="Read them on this device").click()
    expect(page.locator(LINE)).to_contain_text("Your browser asks")
    page.evaluate("window.asked[0]()")
    expect(page.locator(BOXES)).to_have_count(1, timeout=60_000)
    assert server.lines == [], "nothing was sent"


def test_an_answer_to_an_earlier_question_starts_nothing(visitors: Visitors) -> None:
    server = try_page(visitors, script=ASKS)
    page = server.page
    start(page)
    start(page)
    page.evaluate("window.asked[0]()")
    page.wait_for_timeout(1_000)
    expect(page.locator("[data-part=start]")).to_be_visible()
    assert camera_is_off(page)
    page.evaluate("window.asked[1]()")
    wait_for(page, lambda: server.pictures > 0)
    expect(page.locator("[data-part=start]")).to_be_hidden()


def test_a_picture_that_the_video_does_not_give_is_passed_over(visitors: Visitors) -> None:
    server = try_page(visitors, script=VIDEO_NOT_READY)
    start(server.page)
    wait_for(server.page, lambda: server.pictures > 0)


# -- The page itself


@pytest.mark.parametrize("opened", [try_page, room_page])
def test_an_outdated_page_loads_anew_and_starts_no_camera(
    visitors: Visitors, session: ClassSession, opened: Callable[[Visitors, ClassSession], PlayedServer]
) -> None:
    server = opened(visitors, session)
    page = server.page
    start(page)
    wait_for(page, lambda: server.pictures > 0)
    server.lines[-1].close(code=CloseCode.OUTDATED)
    expect(page.locator(LINE)).to_contain_text("loads anew by itself within a minute. Then start the camera again.")
    assert camera_is_off(page)
    with page.expect_navigation():
        page.clock.fast_forward(60_000)
    expect(page.locator(LINE)).to_have_text("The camera is off.")
    assert page.evaluate("window.cameraCalls") == 0


def test_the_keyboard_stays_at_the_camera(visitors: Visitors) -> None:
    """Each of its buttons hides itself when it is pressed."""
    page = try_page(visitors).page
    page.route(ENCODER, lambda route: route.fulfill(status=404))
    page.locator("[data-part=start]").press("Enter")
    again = page.get_by_role("button", name="Try again")
    expect(again).to_be_focused()
    expect(page.locator("[data-part=problem-words]")).to_contain_text("When the connection is back, press Try again.")
    page.unroute(ENCODER)
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Stop my camera")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Start my camera")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Stop my camera")).to_be_focused()


def test_counts_are_said_aloud_at_a_rate_for_listeners(visitors: Visitors, session: ClassSession) -> None:
    server = room_page(visitors, session)
    page = server.page
    start(page)
    expect(page.locator(LINE)).to_have_text("Looking for faces")
    page.evaluate(LISTEN)
    for uncertain in range(1, 11):
        server.say(counted(12, uncertain))
        expect(page.locator(LINE)).to_have_text(f"12 faces counted · unsure about {uncertain}")
    assert len(page.evaluate("window.told")) <= 1
    page.clock.fast_forward(10_000)
    server.say(counted(12))
    wait_for(page, lambda: page.evaluate("window.told.at(-1)") == "12 faces counted")
    server.lines[-1].close(code=1012)
    wait_for(page, lambda: page.evaluate("window.told.at(-1)") == "The connection is gone. It comes back by itself.")


def test_the_way_to_the_live_class_leaves_the_room_camera_on(visitors: Visitors, session: ClassSession) -> None:
    server = room_page(visitors, session)
    page = server.page
    expect(page.get_by_text("Keep this page open: leaving it stops the camera.")).to_be_visible()
    start(page)
    wait_for(page, lambda: server.pictures > 0)
    with page.expect_popup() as opened:
        page.get_by_role("link", name="the live class (opens in a new tab)").click()
    live = visitors.watch(opened.value)
    expect(live).to_have_url(re.compile(f"/teach/{session.public_id}/$"))
    assert live.evaluate("window.opener") is None
    assert not camera_is_off(page)
    links = page.locator("footer a")
    expect(links).to_have_text(["How your data is treated (opens in a new tab)"])
    expect(links).to_have_attribute("target", "_blank")
