"""Pictures that are read in the student's own browser: what leaves it, and that the rest is as ever."""

from __future__ import annotations

import base64
import itertools
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass, field

import cv2
import numpy as np
import pytest
from django.conf import settings
from playwright.sync_api import Page, Request, Route, WebSocket, WebSocketRoute, expect

from benchmarks import parity
from classroom.local.running import RunningProduct
from classroom.models import ClassSession, Participant
from emotions.frames.frame import FrameHeader
from emotions.frames.reading import READING_BYTES
from emotions.models import EmotionEvent
from tests.browser.conftest import Join, Visitors
from tests.browser.test_student_camera import wait_for
from tests.browser.test_student_journey import count, expect_reading, stored

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(settings.DEVICE is None, reason="no files for on-device mode: manage.py device_files"),
]
# A device on which the network takes a second and a half, and keeps its thread busy for as long.
SLOW = """
const quick = Reader.prototype.classify;
Reader.prototype.classify = function (face) {
  for (const until = performance.now() + 1500; performance.now() < until; );
  return quick.call(this, face);
};
"""
# A camera before which two people sit.
TWO_PEOPLE = """
  const people = Object.assign(new Image(), { src: "data:image/jpeg;base64,PICTURE" });
  navigator.mediaDevices.getUserMedia = async () => {
    await people.decode();
    const canvas = Object.assign(document.createElement("canvas"), { width: 640, height: 480 });
    setInterval(() => canvas.getContext("2d").drawImage(people, 0, 0), 66);
    return canvas.captureStream(15);
  };
"""
# A device that reads nine pictures (six to warm up), then no more.
STOPS = """
const works = Reader.prototype.classify;
let turns = 9;
Reader.prototype.classify = function (face) {
  return turns-- > 0 ? works.call(this, face) : new Promise(() => {});
};
"""
# How long the page itself was kept from anything, at most, in so many ms.
LONGEST_GAP = """(ms) => new Promise((resolve) => {
  let [longest, last] = [0, performance.now()];
  const until = last + ms;
  const timer = setInterval(() => {
    const now = performance.now();
    [longest, last] = [Math.max(longest, now - last), now];
    if (now < until) return;
    clearInterval(timer);
    resolve(longest);
  }, 20);
})"""
JPEG = b"\xff\xd8\xff"
SWITCH = "Read them on this device"


def two_people() -> str:
    """A JPEG of 640x480 in base64."""
    picture = np.full((480, 640, 3), 150, np.uint8)
    picture[120:360] = np.hstack(parity.synthetic_frames(2))
    return base64.b64encode(cv2.imencode(".jpg", picture)[1].tobytes()).decode()


@dataclass
class Left:
    """Everything that left a page: requests with their body, messages on its sockets."""

    requests: list[Request] = field(default_factory=list)
    messages: list[bytes | str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        page.context.on("request", self._asked)
        page.on("websocket", self._socket)

    def _socket(self, socket: WebSocket) -> None:
        socket.on("framesent", self._said)

    def _asked(self, request: Request) -> None:
        self.requests.append(request)

    def _said(self, message: bytes | str) -> None:
        self.messages.append(message)

    @property
    def binary(self) -> list[bytes]:
        return [message for message in self.messages if isinstance(message, bytes)]

    def holds_no_picture(self) -> None:
        """Not a JPEG, not its pixels; nor in the text of an address or a message."""
        bodies = [request.post_data_buffer or b"" for request in self.requests]
        texts = [message.encode() for message in self.messages if isinstance(message, str)]
        assert all(len(body) < 1000 for body in [*bodies, *texts])
        assert all(len(message) == READING_BYTES for message in self.binary)
        assert not any(JPEG in content for content in [*bodies, *texts, *self.binary])
        assert all(len(request.url) < 300 for request in self.requests)


@pytest.fixture
def left(monkeypatch: pytest.MonkeyPatch) -> Left:
    """Watches every page that a visitor opens from here on."""
    watched, watch = Left(), Visitors.watch

    def watching(visitors: Visitors, page: Page) -> Page:
        watched.watch(page)
        return watch(visitors, page)

    monkeypatch.setattr(Visitors, "watch", watching)
    return watched


@pytest.fixture
def on_devices(session: ClassSession) -> ClassSession:
    """A session whose teacher asks for it."""
    session.reading_place = "device"
    session.save()
    return session


def test_no_picture_leaves_in_a_whole_journey(left: Left, join: Join, on_devices: ClassSession) -> None:
    page = join()
    expect_reading(page)
    expect(page.locator("dd[data-count=read]")).to_have_text(re.compile(r"^[3-9]$"), timeout=20_000)
    expect(page.locator("[data-part=place]")).to_contain_text("no picture leaves it")
    assert page.locator("[data-part=place-switch]").is_hidden()
    page.get_by_role("button", name="Got it").click()
    page.get_by_role("button", name="Raise my hand").click()
    page.get_by_role("button", name="Pause my camera").click()
    page.get_by_role("button", name="Go on measuring").click()
    expect_reading(page)
    page.reload()
    expect_reading(page)
    page.get_by_role("button", name="Stop measuring me").click()
    expect(page.get_by_text("You take part without a camera")).to_be_visible()
    page.get_by_text("Leave the session").click()
    page.get_by_role("button", name="Leave for good").click()
    expect(page.get_by_text("You have left the session.")).to_be_visible()
    assert len(left.binary) >= 4
    left.holds_no_picture()


def test_what_is_sent_is_stored(product: RunningProduct, left: Left, join: Join, session: ClassSession) -> None:
    page = join()
    expect_reading(page)
    page.get_by_role("button", name=SWITCH).click()
    before = count(page, "read")
    product.wait_until(lambda: count(page, "read") > before + 2, 20, "readings of the device")
    page.get_by_role("button", name="Pause my camera").click()
    product.wait_until(lambda: stored(session) == count(page, "read"), 5, "as many events as the page counts")
    event = EmotionEvent.objects.filter(session=session, source="device").latest("captured_at")
    assert settings.DEVICE is not None
    assert event.model_version == settings.DEVICE.version
    sent = [message for message in left.binary if len(message) == READING_BYTES]
    by_sequence = {struct.unpack(">I", message[:4])[0]: message for message in sent}
    numbers = struct.unpack(">7f", by_sequence[event.sequence][16:44])
    assert event.probabilities == pytest.approx(numbers, abs=1e-6)
    assert EmotionEvent.objects.filter(session=session, source="server").exists(), "read on the server before"


def test_the_choice_stays_and_can_be_taken_back(join: Join, session: ClassSession) -> None:
    page = join()
    page.get_by_role("button", name=SWITCH).click()
    expect(page.locator("[data-part=place]")).to_contain_text("only numbers", timeout=20_000)
    page.reload()
    expect_reading(page)
    assert not EmotionEvent.objects.filter(session=session, source="server").exclude(
        connection=EmotionEvent.objects.filter(session=session).earliest("captured_at").connection
    )
    page.get_by_role("button", name="Let the server read them").click()
    expect(page.locator("[data-part=place]")).to_contain_text("Read on the server")
    expect_reading(page)


def test_only_the_worker_may_compile_webassembly(visitors: Visitors, join: Join, on_devices: ClassSession) -> None:
    page = join()
    expect_reading(page)
    policies = page.evaluate(
        """async () => {
          const of = async (url) => (await fetch(url)).headers.get("content-security-policy") ?? "";
          return [await of(location.href), await of("/static/emotions/js/device/worker.js")];
        }"""
    )
    assert "wasm-unsafe-eval" not in policies[0]
    assert "'wasm-unsafe-eval'" in policies[1]
    refused = page.evaluate(
        "WebAssembly.compile(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])).then(() => 'compiled', (e) => e.name)"
    )
    assert refused == "CompileError"
    page.wait_for_timeout(500)
    assert len(visitors.complaints) == 1
    assert "script-src wasm-eval" in visitors.complaints.pop()


def test_try_reads_here_and_opens_no_socket(left: Left, visitors: Visitors) -> None:
    page = visitors.new()
    page.goto("/try/")
    page.get_by_role("button", name=SWITCH).click()
    page.get_by_role("button", name="Start my camera").click()
    expect(page.locator("[data-part=line]")).to_have_text(re.compile("^One face"), timeout=20_000)
    assert page.locator(".share .bar").count() == 7
    assert left.messages == []
    left.holds_no_picture()


def test_try_reads_several_faces_here(left: Left, visitors: Visitors) -> None:
    page = visitors.new(script=TWO_PEOPLE.replace("PICTURE", two_people()))
    page.goto("/try/")
    page.get_by_role("button", name=SWITCH).click()
    page.get_by_role("button", name="Start my camera").click()
    expect(page.locator("[data-part=line]")).to_have_text(re.compile("^2 faces"), timeout=20_000)
    expect(page.locator(".face-box")).to_have_count(2)
    expect(page.get_by_text(re.compile(r"\w+ · \d+\s%, (unsure|fairly sure)$"))).to_have_count(2)
    shares = page.locator(".share span:last-child").all_inner_texts()
    assert sum(int(share.split()[0]) for share in shares) == pytest.approx(100, abs=4), "the largest face's"
    assert left.messages == []
    left.holds_no_picture()


def missing(route: Route) -> None:
    route.fulfill(status=404, body="")


def unavailable(route: Route) -> None:
    route.fulfill(status=503, body="")


def blocked(route: Route) -> None:
    route.abort()


def another_content(route: Route) -> None:
    route.fulfill(status=200, body=b"not what it should be")


@dataclass
class Fault:
    """What becomes of one file, and how often it was asked for."""

    file: str
    answer: Callable[[Route], object]
    met: int = 0

    def __call__(self, route: Route) -> None:
        self.met += 1
        self.answer(route)


FAULTS = (
    ("**/device/worker*.js", missing),
    ("**/device/reader*.js", another_content),
    ("**/device/ort.wasm*.mjs", missing),
    ("**/*.wasm", blocked),
    ("**/*.wasm", another_content),
    ("**/device/yunet*.onnx", missing),
    ("**/device/emotion*.onnx", another_content),
)


def test_without_any_of_its_files_a_student_is_told_and_nothing_is_sent_until_it_is_there(
    left: Left, visitors: Visitors, join: Join, on_devices: ClassSession
) -> None:
    """On one page: each attempt meets another fault, the last one none."""
    faults = [Fault(*fault) for fault in FAULTS]
    page = join(before=lambda page: page.route(faults[0].file, faults[0]))
    words = page.get_by_text("What reads pictures on this device did not load, or does not run in this browser")
    for fault, following in zip(faults, [*faults[1:], None], strict=True):
        wait_for(page, lambda fault=fault: fault.met > 0)  # type: ignore[misc]
        expect(words, fault.file).to_be_visible(timeout=20_000)
        page.wait_for_timeout(1500)
        expect(words, fault.file).to_be_visible()
        assert left.binary == [], fault.file
        assert Participant.objects.get(session=on_devices).scope == "aggregate"
        page.unroute(fault.file)
        if following:
            page.route(following.file, following)
        page.get_by_role("button", name="Try again").click()
    expect_reading(page)
    visitors.complaints.clear()  # The console says that a file was not there; that is what was tested.


def test_a_file_that_did_not_come_is_asked_for_again_with_the_next_connection(
    visitors: Visitors, join: Join, on_devices: ClassSession
) -> None:
    """The Wi-Fi was away for a moment: nobody has to press anything."""
    fault, lines = Fault("**/device/emotion*.onnx", unavailable), list[WebSocketRoute]()

    def connect(route: WebSocketRoute) -> None:
        route.connect_to_server()
        lines.append(route)

    def before(page: Page) -> None:
        page.route(fault.file, fault)
        page.route_web_socket(re.compile("/ws/camera/"), connect)

    page = join(before=before)
    words = page.get_by_text("It tries again when the connection is back")
    expect(words).to_be_visible(timeout=20_000)
    expect(page.locator("[data-part=state]")).to_have_text("No camera")  # connected, that is
    page.wait_for_timeout(1500)
    expect(words).to_be_visible()
    page.unroute(fault.file)
    lines[-1].close(code=1012)
    expect_reading(page)
    visitors.complaints.clear()  # The console says that a file was not there; that is what was tested.


def test_a_file_that_fails_after_the_student_went_back_to_the_server_changes_nothing(
    visitors: Visitors, join: Join, session: ClassSession
) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page = join(before=lambda page: page.route("**/device/emotion*.onnx", hold))
    expect_reading(page)
    page.get_by_role("button", name=SWITCH).click()
    wait_for(page, lambda: bool(held))
    page.get_by_role("button", name="Let the server read them").click()
    with page.expect_console_message(lambda message: message.type == "warning" and "can't" in message.text):
        held.pop().abort()
    page.wait_for_timeout(500)
    expect(page.locator("[data-part=problem]")).to_be_hidden()
    expect_reading(page)
    assert page.evaluate("window.cameraCalls") == 1
    visitors.complaints.clear()  # The console says that a file was not there; that is what was tested.


def test_a_pause_outlasts_a_device_that_fails(visitors: Visitors, join: Join, session: ClassSession) -> None:
    fault = Fault("**/device/emotion*.onnx", unavailable)
    page = join(before=lambda page: page.route(fault.file, fault))
    expect_reading(page)
    page.get_by_role("button", name="Pause my camera").click()
    page.get_by_role("button", name=SWITCH).click()
    expect(page.locator("[data-part=place]")).to_contain_text("To be read on this device", timeout=20_000)
    page.get_by_role("button", name="Let the server read them").click()
    expect(page.locator("[data-part=place]")).to_contain_text("Read on the server")
    page.wait_for_timeout(500)
    expect(page.locator("[data-part=state]")).to_have_text("Paused")
    assert page.evaluate("window.cameraCalls") == 1
    page.get_by_role("button", name="Go on measuring").click()
    expect_reading(page)
    visitors.complaints.clear()  # The console says that a file was not there; that is what was tested.


def test_a_page_from_before_a_new_network_is_refused_in_words_and_works_anew(
    left: Left, join: Join, on_devices: ClassSession
) -> None:
    """The network was exchanged while the page was open: it says the version that it began with."""

    def as_of_old(route: WebSocketRoute) -> None:
        server = route.connect_to_server()
        version = "roomtone-web-000000000000"
        route.on_message(
            lambda said: server.send(
                re.sub("roomtone-web-[0-9a-f]{12}", version, said) if isinstance(said, str) else said
            )
        )

    page = join(before=lambda page: page.route_web_socket(re.compile("/ws/camera/"), as_of_old))
    words = "Your pictures are not taken at this moment. Reload the page if it stays so."
    expect(page.locator("[data-part=line]")).to_have_text(words, timeout=20_000)
    already = len(left.binary)
    page.wait_for_timeout(2500)
    expect(page.locator("[data-part=line]")).to_have_text(words)
    assert len(left.binary) == already, "nothing more is sent"
    assert not stored(on_devices)
    page.unroute_all()
    again = page.context.new_page()
    again.goto(page.url)
    expect_reading(again)


def test_a_page_from_before_another_rule_is_made_anew(left: Left, join: Join, session: ClassSession) -> None:
    """The school has decided for devices meanwhile: not one more picture goes to the server."""

    def with_the_new_rule(route: WebSocketRoute) -> None:
        server = route.connect_to_server()
        server.on_message(
            lambda said: route.send(
                re.sub('"place": ?"choice"', '"place":"device"', said) if isinstance(said, str) else said
            )
        )

    page = join(before=lambda page: page.route_web_socket(re.compile("/ws/camera/"), with_the_new_rule))
    with page.expect_navigation(timeout=20_000):
        pass
    assert left.binary == []


def test_a_device_that_stops_reading_is_noticed(join: Join, on_devices: ClassSession) -> None:
    """Its worker answers for a while, then never again, as when the browser takes its memory away."""

    def for_a_while(route: Route) -> None:
        found = route.fetch()
        route.fulfill(response=found, body=found.text() + STOPS)

    page = join(before=lambda page: page.route("**/device/reader*.js", for_a_while))
    expect_reading(page)
    expect(page.locator("[data-part=line]")).to_contain_text("This device gives no reading just now", timeout=30_000)


def test_a_slow_device_is_read_less_often_says_so_and_keeps_its_page_smooth(
    left: Left, visitors: Visitors, join: Join, on_devices: ClassSession
) -> None:
    def slowly(route: Route) -> None:
        found = route.fetch()
        route.fulfill(response=found, body=found.text() + SLOW)

    page = join(before=lambda page: page.route("**/device/reader*.js", slowly))
    expect(page.locator("[data-part=place]")).to_contain_text(
        "This device is slow: it is read every 3 seconds.", timeout=20_000
    )
    expect_reading(page)
    assert page.evaluate(LONGEST_GAP, 7000) < 750, "half of what the worker takes for one reading"
    expect_reading(page)  # still shown, though it is some seconds old
    page.get_by_role("button", name="Pause my camera").click()
    headers = [FrameHeader.unpack(message) for message in left.binary]
    gaps = [later.captured_ms - one.captured_ms for one, later in itertools.pairwise(headers)]
    assert len(gaps) >= 2
    assert min(gaps) > 2500
