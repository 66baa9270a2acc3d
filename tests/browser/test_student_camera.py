"""What goes wrong with a camera or a line, and what goes on behind the lecture's window, in a real browser."""

from __future__ import annotations

import json
import re
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings
from playwright.sync_api import Page, Playwright, Route, WebSocketRoute, expect

from classroom.codes import spaced
from classroom.local.network import free_port
from classroom.local.running import RunningProduct
from classroom.models import ClassSession, Participant
from emotions.frames.frame import HEADER_BYTES, FrameHeader
from emotions.models import EmotionEvent
from emotions.mood.alerts import WORDS_MS
from ml.serving.jpeg import declared_size
from tests.browser.conftest import FLAGS, Join, Visitors
from tests.browser.test_student_journey import camera_is_off, expect_reading

pytestmark = pytest.mark.browser

FAILS = "navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', '{}'));"
INSECURE = "Object.defineProperty(window, 'isSecureContext', { value: false });"
# A camera that looks at a wall, as long as `moving` holds; then it sends nothing more.
WALL = """
    window.moving = true;
    navigator.mediaDevices.getUserMedia = async () => {
      const canvas = Object.assign(document.createElement("canvas"), { width: 640, height: 480 });
      const context = canvas.getContext("2d");
      const stream = canvas.captureStream(0);
      let shade = 0;
      setInterval(() => {
        if (!window.moving) return;
        context.fillStyle = `rgb(150 150 ${150 + (shade++ % 9)})`;
        context.fillRect(0, 0, 640, 480);
        stream.getVideoTracks()[0].requestFrame();
      }, 100);
      return stream;
    };
"""
# The first camera that the page gets sends nothing.
DEAD_AT_FIRST = """
    const real = navigator.mediaDevices.getUserMedia;
    navigator.mediaDevices.getUserMedia = async (wanted) => {
      navigator.mediaDevices.getUserMedia = real;
      window.deadCanvas = document.createElement("canvas");
      window.deadCanvas.getContext("2d");
      return window.deadCanvas.captureStream(0);
    };
"""
# Keeps what an element says, each time that it says something else.
HEAR = """(selector) => {
  window.heard = [];
  const element = document.querySelector(selector);
  new MutationObserver(() => window.heard.push(element.textContent)).observe(element, { childList: true });
}"""
# As much, of the live region around a part; whether it is rendered now.
HEAR_REGION = """(name) => {
  window.heard = [];
  const region = document.querySelector(`[data-part=${name}]`).closest("[role=status]");
  const everything = { subtree: true, childList: true, attributes: true };
  new MutationObserver(() => window.heard.push(region.innerText)).observe(region, everything);
  return region.checkVisibility();
}"""
ENCODER = re.compile(r"/camera/encoder\b.*\.js")
# A browser that keeps a track's frames from the page (Firefox, Safari).
NO_TRACK_FRAMES = "delete window.MediaStreamTrackProcessor;"


class Line:
    """The page's sockets, in the test's hands: what the page said on them, in order."""

    def __init__(self) -> None:
        self.opened: list[WebSocketRoute] = []
        self.texts: list[str] = []
        self.frames: list[bytes] = []
        self.lost: Callable[[str | bytes], bool] = lambda message: False
        """Which messages the server never gets."""

    def __call__(self, route: WebSocketRoute) -> None:
        server = route.connect_to_server()
        self.opened.append(route)
        route.on_message(lambda message: self._pass_on(server, message))

    def _pass_on(self, server: WebSocketRoute, message: str | bytes) -> None:
        if isinstance(message, str):
            self.texts.append(message)
        else:
            self.frames.append(message)
        if not self.lost(message):
            server.send(message)

    def states(self) -> list[str]:
        said = map(json.loads, self.texts)
        return [message["state"] for message in said if message["type"] == "camera.state"]


def wait_for(page: Page, condition: Callable[[], bool], seconds: float = 25.0) -> None:
    """Not a plain sleep: only while Playwright waits does it hand on what the page says."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        page.wait_for_timeout(100)


def problem(page: Page) -> str:
    expect(page.locator("[data-part=problem]")).to_be_visible()
    return page.locator("[data-part=problem-words]").inner_text()


def test_a_denied_camera_is_explained_and_can_be_allowed(join: Join, product: RunningProduct) -> None:
    page = join(camera=False)
    assert "may not use your camera" in problem(page)
    assert "You are still in the session." in problem(page)
    page.context.grant_permissions(["camera"], origin=product.base_url)
    page.get_by_role("button", name="Try again").click()
    expect_reading(page)
    expect(page.locator("[data-part=problem]")).to_be_hidden()


def test_a_denied_camera_is_explained_for_a_phone_and_there_is_a_way_without(join: Join) -> None:
    page = join(camera=False, viewport={"width": 320, "height": 700})
    told = problem(page).splitlines()
    assert [line.split(":")[0] for line in told[1:4]] == ["On a computer", "On an iPhone or iPad", "On Android"]
    assert "inside another app" in told[4]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("link", name="Take part without a camera").click()
    expect(page.get_by_text("In this tab your camera is off meanwhile.")).to_be_visible()
    page.get_by_role("button", name="Take part without a camera").click()
    expect(page.get_by_role("heading", name="You take part without a camera")).to_be_visible()


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (FAILS.format("NotFoundError"), "No camera was found."),
        (FAILS.format("NotReadableError"), "Your camera is used by another program."),
        (INSECURE, "address that begins with https://"),
        ("delete window.OffscreenCanvas;", "This browser is too old"),
    ],
)
def test_each_problem_has_its_words_and_the_pace_stays(join: Join, script: str, words: str) -> None:
    page = join(script=script)
    assert words in problem(page)
    expect(page.locator("[data-part=state]")).to_have_text("No camera")  # connected, that is
    page.get_by_role("button", name="Got it").click()
    expect(page.get_by_text("Sent, without your name.")).to_be_visible()


def test_a_camera_that_is_unplugged_is_noticed(join: Join) -> None:
    page = join()
    expect_reading(page)
    page.evaluate(
        """() => {
          const [track] = document.querySelector("video").srcObject.getVideoTracks();
          track.stop();
          track.dispatchEvent(new Event("ended"));
        }"""
    )
    assert "unplugged" in problem(page)
    assert camera_is_off(page)
    page.get_by_role("button", name="Try again").click()
    expect_reading(page)


def test_the_keyboard_stays_beside_a_camera_that_is_refused_and_allowed(join: Join) -> None:
    page = join()
    expect_reading(page)
    pause, again = page.locator("[data-part=pause]"), page.get_by_role("button", name="Try again")
    page.get_by_role("button", name="Pause my camera").press("Enter")
    page.evaluate(f"window.works = navigator.mediaDevices.getUserMedia; {FAILS.format('NotReadableError')} null")
    page.get_by_role("button", name="Go on measuring").press("Enter")
    expect(again).to_be_focused()
    page.keyboard.press("Enter")  # Refused once more.
    expect(again).to_be_focused()
    page.evaluate("navigator.mediaDevices.getUserMedia = window.works; null")
    page.keyboard.press("Enter")
    expect(pause).to_be_focused()
    expect_reading(page)


@pytest.mark.parametrize("script", [WALL, WALL + NO_TRACK_FRAMES], ids=["track", "video"])
def test_no_face_is_said_and_a_camera_that_stands_still_is_noticed(join: Join, script: str) -> None:
    line = Line()
    page = join(script=script)
    page.context.route_web_socket(re.compile("/ws/camera/"), line)
    page.reload()
    expect(page.locator("[data-part=line]")).to_contain_text("No face in the picture.")
    expect(page.locator(".face-box")).to_have_count(0)
    page.evaluate("window.moving = false")
    assert "No picture comes from your camera." in problem(page)
    page.evaluate("window.moving = true")
    expect(page.locator("[data-part=line]")).to_contain_text("No face in the picture.")
    page.get_by_role("button", name="Pause my camera").click()
    assert line.states() == ["on", "busy", "on", "paused"]


def test_a_camera_that_stands_still_can_be_paused(join: Join) -> None:
    line = Line()
    page = join(script=WALL)
    page.context.route_web_socket(re.compile("/ws/camera/"), line)
    page.reload()
    expect(page.locator("[data-part=line]")).to_contain_text("No face in the picture.")
    page.evaluate("window.moving = false")
    assert "No picture comes from your camera." in problem(page)
    page.get_by_role("button", name="Pause my camera").click()
    expect(page.locator("[data-part=state]")).to_have_text("Paused")
    assert camera_is_off(page)
    page.evaluate("window.moving = true")
    page.wait_for_timeout(1500)
    assert line.states() == ["on", "busy", "paused"]


def test_a_camera_that_stood_still_for_long_goes_on_when_it_moves_again(join: Join) -> None:
    line = Line()
    page = join(script=WALL)
    page.context.route_web_socket(re.compile("/ws/camera/"), line)
    page.reload()
    expect(page.locator("[data-part=line]")).to_contain_text("No face in the picture.")
    page.evaluate("window.moving = false")
    wait_for(page, lambda: line.states().count("busy") == 2)  # Also after it was taken once more.
    page.evaluate("window.moving = true")
    expect(page.locator("[data-part=line]")).to_contain_text("No face in the picture.")
    wait_for(page, lambda: line.states()[-1] == "on")


def test_a_camera_that_stays_still_is_woken_again_and_again(join: Join) -> None:
    """A background may freeze it more than once. Never more often than once a minute."""
    line = Line()
    page = join(script=WALL, before=lambda page: page.clock.install())
    page.context.route_web_socket(re.compile("/ws/camera/"), line)
    page.reload()
    expect(page.locator("[data-part=line]")).to_contain_text("No face in the picture.")
    page.evaluate("window.moving = false")
    wait_for(page, lambda: line.states().count("busy") == 1)
    page.clock.run_for(3_000)
    wait_for(page, lambda: line.states().count("busy") == 2)
    page.clock.run_for(61_000)
    wait_for(page, lambda: line.states().count("busy") == 3)


def test_a_camera_goes_on_where_nothing_can_be_loaded(join: Join) -> None:
    page = join()
    expect_reading(page)
    page.get_by_role("button", name="Pause my camera").click()
    page.context.route(ENCODER, lambda route: route.fulfill(status=404))
    page.get_by_role("button", name="Go on measuring").click()
    expect_reading(page)


def test_a_camera_whose_encoder_does_not_load_is_spoken_of_and_tried_again(join: Join) -> None:
    line = Line()
    page = join()
    page.context.route_web_socket(re.compile("/ws/camera/"), line)
    page.context.route(ENCODER, lambda route: route.fulfill(status=404))
    page.reload()
    assert "A part of this page did not load" in problem(page)
    assert camera_is_off(page)
    page.context.unroute(ENCODER)
    line.opened[0].close(code=1012)
    expect_reading(page)


def test_a_picture_that_cannot_be_encoded_is_not_waited_for(join: Join) -> None:
    """And the page does not say that it is the server."""
    page = join(before=lambda page: page.context.route(ENCODER, fail_at_first))
    expect_reading(page)


def fail_at_first(route: Route) -> None:
    script = Path(settings.BASE_DIR, "emotions/static/emotions/js/camera/encoder.js").read_text()
    breaks = """
        const real = OffscreenCanvas.prototype.convertToBlob;
        let left = 2;
        OffscreenCanvas.prototype.convertToBlob = function (wanted) {
          return left-- > 0 ? Promise.reject(new DOMException("no memory")) : real.call(this, wanted);
        };
    """
    route.fulfill(body=breaks + script, content_type="text/javascript")


def test_a_camera_that_comes_up_dead_is_taken_once_more(join: Join) -> None:
    page = join(script=DEAD_AT_FIRST)
    expect_reading(page)
    assert "No picture comes" in str(page.locator("[data-part=problem-words]").text_content())


def test_a_browser_without_track_frames_reads_the_video(join: Join) -> None:
    page = join(script=NO_TRACK_FRAMES)
    expect_reading(page)
    expect(page.locator("dd[data-count=read]")).to_have_text(re.compile(r"^[3-9]$"), timeout=20_000)


def test_a_frame_has_the_header_and_the_size_that_the_server_expects(join: Join, session: ClassSession) -> None:
    line = Line()
    page = join()
    page.context.route_web_socket(re.compile("/ws/camera/"), line)
    page.reload()
    expect(page.locator("dd[data-count=read]")).to_have_text(re.compile(r"^[3-9]$"), timeout=20_000)
    assert json.loads(line.texts[0])["type"] == "hello"
    headers = [FrameHeader.unpack(frame) for frame in line.frames]
    assert [header.sequence for header in headers] == list(range(len(headers)))
    epoch = Participant.objects.get(session=session).consent_epoch
    assert {header.consent_epoch for header in headers} == {epoch}
    assert headers[-1].captured_ms == pytest.approx(time.time() * 1000, abs=5000)
    assert {declared_size(frame[HEADER_BYTES:]) for frame in line.frames} == {(320, 240)}
    assert max(map(len, line.frames)) < 30_000


def test_a_lost_connection_comes_back_by_itself(visitors: Visitors, join: Join) -> None:
    line = Line()
    page = join()
    page.context.route_web_socket(re.compile("/ws/camera/"), line)
    page.reload()
    expect_reading(page)
    line.opened[0].close(code=1012)
    expect(page.locator("[data-part=state]")).to_have_text(re.compile("Reconnecting in"))
    expect_reading(page)
    assert len(line.opened) == 2


def test_a_pause_outlasts_a_page_that_is_made_anew(join: Join) -> None:
    line = Line()
    page = join(before=lambda page: page.clock.install())
    page.context.route_web_socket(re.compile("/ws/camera/"), line)
    page.reload()
    expect_reading(page)
    page.get_by_role("button", name="Pause my camera").click()
    with page.expect_navigation():
        line.opened[-1].close(code=4426)
        expect(page.get_by_role("heading", name="Roomtone was updated")).to_be_visible()
        page.clock.run_for(61_000)
    expect(page.locator("[data-part=state]")).to_have_text("Paused")
    page.wait_for_timeout(1000)
    assert page.evaluate("window.cameraCalls") == 0
    assert line.states()[-1] == "paused"
    page.get_by_role("button", name="Go on measuring").click()
    expect_reading(page)
    page.reload()
    expect_reading(page)


def test_a_page_from_before_another_choice_is_made_anew(join: Join) -> None:
    """Another tab has chosen otherwise while this one was not connected: what it says of the teacher is not so."""

    def with_the_new_choice(route: WebSocketRoute) -> None:
        server = route.connect_to_server()
        server.on_message(
            lambda said: route.send(
                re.sub('"scope": ?"aggregate"', '"scope":"individual"', said) if isinstance(said, str) else said
            )
        )

    page = join(before=lambda page: page.route_web_socket(re.compile("/ws/camera/"), with_the_new_choice))
    with page.expect_navigation(timeout=20_000):
        pass


def test_one_reading_is_not_called_readings(join: Join) -> None:
    page = join(before=lambda page: page.route_web_socket(re.compile("/ws/camera/"), answer_the_first_frame))
    expect(page.locator(".counts-line")).to_contain_text("1 reading · last: Happy, fairly sure", timeout=20_000)


def answer_the_first_frame(route: WebSocketRoute) -> None:
    server, answered = route.connect_to_server(), list[bytes]()
    reading = {
        "type": "reading.own", "sequence": 0, "box": [0.3, 0.2, 0.4, 0.5], "label": "happy", "uncertain": False,
        "face_count": 1, "help": None, "seen_by_teacher": "aggregate",
    }  # fmt: skip

    def answer(message: str | bytes) -> None:
        if isinstance(message, str):
            server.send(message)
        elif not answered:
            answered.append(message)
            route.send(json.dumps(reading))

    route.on_message(answer)


NEVER_OPEN = "window.WebSocket = class { static OPEN = 1; readyState = 0; send() {} close() {} };"


def test_a_press_without_a_connection_says_why_it_was_not_sent(join: Join) -> None:
    page = join(scope="none", script=NEVER_OPEN)
    for name, answer in (("Lost", "pace-answer"), ("Raise my hand", "hand-answer")):
        page.get_by_role("button", name=name).click()
        expect(page.locator(f"[data-part={answer}]")).to_contain_text("Not sent: the page is still connecting.")
    line = Line()
    page = join(scope="none")
    page.context.route_web_socket(re.compile("/ws/camera/"), line)
    page.reload()
    expect(page.locator("[data-part=state]")).to_have_text("Connected")
    line.opened[0].close(code=1012)
    page.get_by_role("button", name="Lost").click()
    expect(page.locator("[data-part=pace-answer]")).to_contain_text("Not sent: the connection is gone.")


def test_a_line_that_dies_before_the_welcome_is_given_up(join: Join) -> None:
    deaf: list[WebSocketRoute] = []
    page = join(scope="none", before=lambda page: page.clock.install())
    page.context.route_web_socket(re.compile("/ws/camera/"), lambda route: deaf.insert(0, route))
    page.reload()
    expect(page.locator("[data-part=state]")).to_have_text("Connecting")
    wait_for(page, lambda: len(deaf) == 1)
    # Between the limit, 15 s, and the next try, 1 to 1.5 s later: there time stands still until it was looked at.
    page.clock.pause_at(page.evaluate("Date.now()") / 1000 + 15.1)
    expect(page.locator("[data-part=state]")).to_have_text(re.compile("Reconnecting in"))
    page.clock.run_for(2_000)
    wait_for(page, lambda: len(deaf) == 2)


def test_an_idle_line_is_asked_whether_it_lives(join: Join) -> None:
    line = Line()
    page = join(scope="none", before=lambda page: page.clock.install())
    page.context.route_web_socket(re.compile("/ws/camera/"), line)
    page.reload()
    expect(page.locator("[data-part=state]")).to_have_text("Connected")
    for asked in (1, 2):
        page.clock.run_for(21_000)
        wait_for(page, lambda asked=asked: sum("still.there" in text for text in line.texts) == asked)  # type: ignore[misc]
    assert len(line.opened) == 1
    line.lost = lambda message: True
    page.clock.run_for(21_000)
    wait_for(page, lambda: sum("still.there" in text for text in line.texts) > 2)
    page.clock.run_for(13_000)
    expect(page.locator("[data-part=state]")).to_have_text(re.compile("Reconnecting in"))


@pytest.mark.parametrize(
    ("scope", "word", "sent", "over"),
    [
        # Whether it counted, a page without a name does not know: fewer than five without one are left out.
        (
            "none",
            "Lost",
            "Sent, without your name. It counts once at least five take part without their name.",
            "That was more than 3 minutes ago.",
        ),
        ("individual", "Lost", "Sent, with your name.", "It counted for 3 minutes."),
        # The live page names nobody for it.
        (
            "individual",
            "Too fast",
            "Sent. Your instructor sees how many said so now, and your name with it in the report.",
            "It counted for 3 minutes.",
        ),
    ],
)
def test_a_word_counts_for_so_long_and_then_stays_pressed_no_more(
    join: Join, scope: str, word: str, sent: str, over: str
) -> None:
    page = join(scope=scope, camera=False, before=lambda page: page.clock.install())
    expect(page.locator("[data-part=state]")).to_have_text(re.compile("Connected|No camera"))
    said = page.get_by_role("button", name=word)
    said.click()
    expect(said).to_have_attribute("aria-pressed", "true")
    expect(page.locator("[data-part=pace-answer]")).to_have_text(sent)
    page.clock.run_for(WORDS_MS - 5_000)
    expect(said).to_have_attribute("aria-pressed", "true")
    page.clock.run_for(6_000)
    expect(said).to_have_attribute("aria-pressed", "false")
    expect(page.locator("[data-part=pace-answer]")).to_have_text(f"{over} Press again if it is still so.")


def test_a_word_that_is_lost_with_the_connection_is_not_said_to_be_on_its_way(join: Join) -> None:
    line = Line()
    line.lost = lambda message: isinstance(message, str) and "check_in" in message
    page = join(scope="none")
    page.context.route_web_socket(re.compile("/ws/camera/"), line)
    page.reload()
    expect(page.locator("[data-part=state]")).to_have_text("Connected")
    page.get_by_role("button", name="Lost").click()
    expect(page.locator("[data-part=pace-answer]")).to_have_text("Sending")
    wait_for(page, lambda: any("check_in" in text for text in line.texts))
    line.opened[0].close(code=1012)
    expect(page.locator("[data-part=state]")).to_have_text("Connected")
    expect(page.locator("[data-part=pace-answer]")).to_contain_text("it may not have arrived")


def test_a_word_that_counts_stays_pressed_after_a_reload(join: Join) -> None:
    page = join(scope="individual", camera=False, before=lambda page: page.clock.install())
    said, answer = page.get_by_role("button", name="Lost"), page.locator("[data-part=pace-answer]")
    said.click()
    expect(answer).to_have_text("Sent, with your name.")
    page.reload()
    expect(said).to_have_attribute("aria-pressed", "true")
    expect(answer).to_have_text("Sent, with your name.")
    page.clock.run_for(WORDS_MS)
    expect(said).to_have_attribute("aria-pressed", "false")
    expect(answer).to_have_text("It counted for 3 minutes. Press again if it is still so.")


def test_an_older_word_does_not_answer_for_one_that_was_not_sent(join: Join) -> None:
    line = Line()
    page = join(scope="none")
    page.context.route_web_socket(re.compile("/ws/camera/"), line)
    page.reload()
    page.get_by_role("button", name="Lost").click()
    expect(page.locator("[data-part=pace-answer]")).to_contain_text("Sent, without your name.")
    line.lost = lambda message: isinstance(message, str) and "check_in" in message
    page.get_by_role("button", name="Got it").click()
    wait_for(page, lambda: any("got_it" in text for text in line.texts))
    line.opened[-1].close(code=1012)
    expect(page.get_by_role("button", name="Lost")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("[data-part=pace-answer]")).to_contain_text("it may not have arrived")


@pytest.mark.parametrize("width", [1440, 390, 320])
def test_a_word_about_the_pace_moves_no_button(join: Join, width: int) -> None:
    page = join(scope="none", viewport={"width": width, "height": 800})
    expect(page.locator("[data-part=state]")).to_have_text("Connected")
    page.evaluate(
        """() => {
          const where = () => document.querySelector("[data-part=hand]").getBoundingClientRect().top + scrollY;
          const answer = document.querySelector("[data-part=pace-answer]");
          window.tops = [where()];
          new MutationObserver(() => window.tops.push(where())).observe(answer, { childList: true });
        }"""
    )
    page.get_by_role("button", name="Lost").click()
    expect(page.locator("[data-part=pace-answer]")).to_contain_text("Sent, without your name.")
    tops = page.evaluate("window.tops")
    assert len(tops) == 3
    assert len(set(tops)) == 1


def test_a_raised_hand_is_not_said_to_be_seen_while_the_line_is_gone(join: Join) -> None:
    line = Line()
    page = join(scope="none")
    page.context.route_web_socket(re.compile("/ws/camera/"), line)
    page.reload()
    expect(page.locator("[data-part=state]")).to_have_text("Connected")
    page.get_by_role("button", name="Raise my hand").click()
    said = page.locator("[data-part=hand-answer]")
    expect(said).to_contain_text("Your hand is up: your instructor sees your name.")
    page.evaluate(HEAR, "[data-part=hand-answer]")
    line.opened[0].close(code=1012)
    wait_for(page, lambda: len(line.opened) == 2)
    expect(said).to_contain_text("Your hand is up: your instructor sees your name.")
    unseen = "The connection is gone: your instructor does not see your hand until it is back."
    assert page.evaluate("window.heard")[0] == unseen


def test_a_slow_first_answer_after_a_pause_is_waited_for(join: Join) -> None:
    line = Line()
    page = join(before=lambda page: page.clock.install())
    page.context.route_web_socket(re.compile("/ws/camera/"), line)
    page.reload()
    expect_reading(page)
    page.get_by_role("button", name="Pause my camera").click()
    page.wait_for_timeout(1_000)  # An answer that is on its way comes: nothing is owed.
    page.clock.run_for(13_000)
    before = len(line.frames)
    line.lost = lambda message: isinstance(message, bytes)
    page.get_by_role("button", name="Go on measuring").click()
    wait_for(page, lambda: len(line.frames) >= before + 4)
    line.lost = lambda message: False
    expect_reading(page)
    assert len(line.opened) == 1


def test_a_screen_reader_hears_a_change_of_state_once(join: Join) -> None:
    line = Line()
    page = join(scope="none")
    page.context.route_web_socket(re.compile("/ws/camera/"), line)
    page.reload()
    expect(page.locator("[aria-live=polite]")).to_have_text("Connected")
    page.evaluate(HEAR, "[aria-live=polite]")
    line.opened[0].close(code=1012)
    expect(page.locator("[data-part=state]")).to_have_text("Connected")
    assert page.evaluate("window.heard") == ["Reconnecting", "Connected"]


def test_what_the_class_tells_a_student_comes_into_a_region_that_was_there(join: Join) -> None:
    """A region that appears together with its words is read by no screen reader."""
    line = Line()
    page = join(scope="none")
    page.context.route_web_socket(re.compile("/ws/camera/"), line)
    page.reload()
    expect(page.locator("[data-part=state]")).to_have_text("Connected")
    for name, message, words in (
        ("room", {"type": "room.changed", "room": True}, "a camera that sees the room"),
        ("attention", {"type": "attention.own", "troubled_ms": None, "unsure": False, "lost_ms": 0}, "said “lost”"),
    ):
        assert page.evaluate(HEAR_REGION, name), "rendered before there is anything to say"
        line.opened[-1].send(json.dumps(message))
        expect(page.locator(f"[data-part={name}]")).to_contain_text(words)
        expect(page.locator(f"[data-part={name}]")).to_be_visible()
        assert words in page.evaluate("window.heard")[-1]


def test_pictures_that_are_not_taken_are_spoken_of(join: Join) -> None:
    page = join()
    page.context.route_web_socket(re.compile("/ws/camera/"), refuse_every_frame)
    page.reload()
    expect(page.locator("[data-part=line]")).to_contain_text("Your pictures are not taken at this moment.")
    expect(page.locator("[data-part=state]")).to_have_text("Not taken")
    expect(page.locator("[aria-live=polite]")).to_have_text("Not taken")


def test_pictures_that_nobody_reads_are_spoken_of(join: Join) -> None:
    page = join(before=lambda page: page.clock.install())
    page.context.route_web_socket(re.compile("/ws/camera/"), replace_every_frame)
    page.reload()
    replaced = page.locator("dd[data-count=replaced]")
    for _ in range(3):
        before = int(replaced.text_content() or 0)
        wait_for(page, lambda before=before: int(replaced.text_content() or 0) > before + 1)  # type: ignore[misc]
        page.clock.run_for(4_000)
    expect(page.locator("[data-part=state]")).to_have_text("No reading")
    expect(page.locator("[data-part=line]")).to_contain_text("a part of the server is down")
    expect(page.locator("[aria-live=polite]")).to_have_text("No reading")


def refuse_every_frame(route: WebSocketRoute) -> None:
    answer_every_frame(route, {"type": "frame.rejected", "sequence": 0, "reason": "inference_off"})


def replace_every_frame(route: WebSocketRoute) -> None:
    answer_every_frame(route, {"type": "frame.replaced", "sequence": 0})


def answer_every_frame(route: WebSocketRoute, answer: dict[str, object]) -> None:
    server = route.connect_to_server()
    route.on_message(
        lambda message: server.send(message) if isinstance(message, str) else route.send(json.dumps(answer))
    )


def test_after_a_final_code_the_page_does_not_come_back(join: Join) -> None:
    line = Line()
    page = join(scope="none", before=lambda page: page.clock.install())
    page.context.route_web_socket(re.compile("/ws/camera/"), line)
    for opened, code in enumerate([4400, 4404, 4413, 4426, 4429], start=1):
        page.reload()
        expect(page.locator("[data-part=state]")).to_have_text("Connected")
        line.opened[-1].close(code=code)
        expect(page.locator("[data-part=ending]")).to_be_visible()
        page.clock.run_for(2_500)
        page.wait_for_timeout(300)
        assert len(line.opened) == opened, code


# -- Behind the lecture's window. Playwright tells its own browsers that every tab is seen: this one is left as it is.


@pytest.fixture
def plain_browser(chromium: str, playwright: Playwright, face_video: Path, tmp_path: Path) -> Iterator[str]:
    """The debugging address of a Chromium as a student runs it: hidden tabs are hidden, and slowed down."""
    port = free_port()
    own = ["--headless=new", "--no-first-run", "--use-fake-ui-for-media-stream", f"--user-data-dir={tmp_path}"]
    video = f"--use-file-for-fake-video-capture={face_video}"
    command = [chromium, *FLAGS, *own, video, f"--remote-debugging-port={port}", "about:blank"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield debugger(f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(20)


def debugger(address: str) -> str:
    """The address, once the browser answers there."""
    for _ in range(100):
        try:
            with urllib.request.urlopen(f"{address}/json/version", timeout=5) as answer:
                assert json.load(answer)["webSocketDebuggerUrl"]
                return address
        except OSError:
            time.sleep(0.2)
    raise AssertionError("Chromium does not answer on its debugging port")


def test_a_hidden_tab_goes_on_sampling(
    product: RunningProduct, playwright: Playwright, plain_browser: str, session: ClassSession
) -> None:
    connected = playwright.chromium.connect_over_cdp(plain_browser, no_defaults=True)
    page = connected.contexts[0].new_page()
    page.goto(f"{product.base_url}/join/?code={spaced(session.join_code)}")
    page.get_by_label("Your name").fill("Meera")
    page.keyboard.press("Enter")
    page.locator("button[value=aggregate]").click()
    expect_reading(page)
    connected.contexts[0].new_page().bring_to_front()
    product.wait_until(lambda: bool(page.evaluate("document.hidden")), 5, "a hidden tab")
    page.wait_for_timeout(12_000)  # Encoding in the page itself slows down only after some ten seconds of hiding.
    before = EmotionEvent.objects.filter(session=session).count()
    page.wait_for_timeout(10_000)
    after = EmotionEvent.objects.filter(session=session).count()
    assert after - before >= 9
    assert page.evaluate("document.visibilityState") == "hidden"
    connected.close()


# -- The try page


def test_the_try_page_asks_first_names_every_face_and_stores_nothing(visitors: Visitors) -> None:
    before = EmotionEvent.objects.count()
    page = visitors.new()
    page.goto("/try/")
    expect(page.get_by_text("The camera is off.")).to_be_visible()
    assert page.evaluate("window.cameraCalls") == 0
    page.get_by_role("button", name="Start my camera").click()
    expect(page.locator(".face-box")).to_have_count(1, timeout=20_000)
    expect(page.locator(".face-box")).to_have_text(re.compile(r"^\w+ · \d+\s%, (unsure|fairly sure)$"))
    shares = [int(text.split()[0]) for text in page.locator(".share > :last-child").all_inner_texts()]
    assert len(shares) == 7
    assert sum(shares) == pytest.approx(100, abs=4)
    page.get_by_role("button", name="Stop my camera").click()
    assert camera_is_off(page)
    assert EmotionEvent.objects.count() == before


def test_a_page_whose_script_is_late_takes_no_press_that_it_would_lose(visitors: Visitors, join: Join) -> None:
    page = visitors.new()
    release = hold(page, "**/camera/panel*.js")
    page.goto("/try/", wait_until="commit")
    expect(page.get_by_role("button", name="Start my camera")).to_be_disabled()
    release()
    page.get_by_role("button", name="Start my camera").click()
    expect(page.locator(".face-box")).to_have_count(1, timeout=20_000)

    student = join(scope="none")
    release = hold(student, "**/camera/student-view*.js")
    student.reload(wait_until="commit")
    for name in ("Too fast", "Raise my hand"):
        expect(student.get_by_role("button", name=name)).to_be_disabled()
    release()
    expect(student.locator("[data-part=state]")).to_have_text("Connected")
    student.get_by_role("button", name="Too fast").click()
    expect(student.get_by_text("Sent, without your name.")).to_be_visible()


def hold(page: Page, address: str) -> Callable[[], None]:
    """Keeps what the page asks for at this address back until the function that this returns is called."""
    held: list[Route] = []

    def keep(route: Route) -> None:
        held.append(route)

    def release() -> None:
        for _ in range(500):
            if held:
                return held.pop().continue_()
            page.wait_for_timeout(20)
        raise AssertionError(f"nothing was asked for at {address}")

    page.route(address, keep)
    return release


def test_the_try_page_says_when_classes_go_first(visitors: Visitors) -> None:
    page = visitors.new()
    page.route_web_socket(re.compile("/ws/try/"), answer_busy)
    page.goto("/try/")
    page.get_by_role("button", name="Start my camera").click()
    expect(page.locator("[data-part=line]")).to_contain_text("Busy: a class is in session and goes first.")


def answer_busy(route: WebSocketRoute) -> None:
    route.on_message(lambda _: route.send(json.dumps({"type": "try.busy", "sequence": 0})))
