"""The student's page in a stock Firefox: it keeps a camera's frames from workers, so pictures come from the video."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings

from benchmarks.firefox import FirefoxPage, firefox_page
from classroom.local.browsers import find_firefox
from classroom.local.running import RunningProduct
from classroom.models import ClassSession
from emotions.frames.reading import READING_BYTES
from emotions.models import EmotionEvent
from tests.browser.fake_camera import jpegs
from tests.browser.parity_check import assert_read_alike

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(settings.DEVICE is None, reason="no files for on-device mode: manage.py device_files"),
]
LINE, PLACE = "[data-part=line]", "[data-part=place]"
LOOKS = "^You look"
# Firefox has no switch for a camera that shows a file: here a canvas does.
SHOW_A_FACE = """() => {
  if (!navigator.mediaDevices) return;
  const pictures = PICTURES.map((coded) => Object.assign(new Image(), { src: `data:image/jpeg;base64,${coded}` }));
  navigator.mediaDevices.getUserMedia = async () => {
    await Promise.all(pictures.map((picture) => picture.decode()));
    const canvas = Object.assign(document.createElement("canvas"), { width: 640, height: 480 });
    let shown = 0;
    setInterval(() => canvas.getContext("2d").drawImage(pictures[shown++ % pictures.length], 0, 0), 66);
    return canvas.captureStream(15);
  };
}"""
KEEP_WHAT_IS_SENT = """() => {
  window.sizes = [];
  const send = WebSocket.prototype.send;
  WebSocket.prototype.send = function (message) {
    window.sizes.push(typeof message === "string" ? -message.length : message.byteLength);
    return send.call(this, message);
  };
}"""
Join = Callable[[], FirefoxPage]


@pytest.fixture(scope="module")
def program() -> str:
    """The path of a Firefox. Missing: skipped in words; failed where REQUIRE_BROWSER=1."""
    found = find_firefox()
    if found is None:
        words = "Firefox is not installed (Debian: apt-get install firefox-esr)"
        if os.environ.get("REQUIRE_BROWSER") == "1":
            pytest.fail(words)
        pytest.skip(f"tests in Firefox are skipped: {words}")
    return found


@pytest.fixture
def page(program: str, tmp_path: Path) -> Iterator[FirefoxPage]:
    with firefox_page(program, tmp_path) as opened:
        yield opened


@pytest.fixture
def join(product: RunningProduct, page: FirefoxPage, session: ClassSession) -> Join:
    def join_session() -> FirefoxPage:
        page.before_each_page(KEEP_WHAT_IS_SENT)
        page.goto(f"{product.base_url}/join/{session.join_code}/")
        page.evaluate("() => { document.querySelector('#id_display_name').value = 'Meera'; }")
        page.press("form.card button[type=submit]")
        page.wait_for("button[value=aggregate]", ".")
        page.press("button[value=aggregate]")
        page.wait_for(PLACE, "Read on")
        return page

    return join_session


def sent(page: FirefoxPage) -> list[int]:
    """Bytes of each binary message; what is text counts below zero."""
    sizes: list[int] = page.evaluate("() => window.sizes")
    return sizes


def read(page: FirefoxPage) -> int:
    return int(page.text("[data-count=read]"))


def test_firefox_reads_what_the_server_reads(page: FirefoxPage) -> None:
    assert_read_alike(page)


def test_a_camera_without_a_face(join: Join, session: ClassSession) -> None:
    """Firefox's own fake camera: the stream opens, the worker loads, and says that nobody is there; then it stops."""
    session.reading_place = "device"
    session.save()
    page = join()
    page.wait_for(LINE, "^No face in the picture")
    page.wait_for(PLACE, "no picture leaves it, only numbers")
    assert all(size < 0 for size in sent(page)), "without a face nothing is sent"
    page.evaluate("() => { document.querySelector('video').srcObject.getTracks()[0].enabled = false; }")
    page.wait_for("[data-part=problem-words]", "^No picture comes from your camera")
    assert page.errors == []


def test_on_the_server_then_on_this_device(
    product: RunningProduct, page: FirefoxPage, join: Join, session: ClassSession
) -> None:
    coded = [base64.b64encode(jpeg).decode() for jpeg in jpegs(7)]
    page.before_each_page(SHOW_A_FACE.replace("PICTURES", json.dumps(coded)))
    join()
    page.wait_for(LINE, LOOKS)
    assert max(sent(page)) > 1000, "a picture"
    page.press("[data-part=place-switch]")
    page.wait_for(PLACE, "no picture leaves it, only numbers")
    before, asked, already = len(sent(page)), len(page.requests), read(page)
    page.wait_for(LINE, LOOKS)
    product.wait_until(lambda: read(page) > already + 2, 20, "readings of the device")
    page.hide()
    already = read(page)
    product.wait_until(lambda: read(page) > already + 2, 20, "readings of a hidden page")
    assert page.evaluate("() => document.visibilityState") == "hidden"
    assert {size for size in sent(page)[before:] if size > 0} == {READING_BYTES}
    assert all(body < 1000 for _, body in page.requests[asked:])
    events = EmotionEvent.objects.filter(session=session)
    assert set(events.values_list("source", flat=True)) == {"server", "device"}
    assert events.filter(source="device", label="happy").exists(), "as the picture shows it"
    assert page.errors == []
