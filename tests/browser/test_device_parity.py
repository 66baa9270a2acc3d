"""What a browser reads in a frame is what the server reads in it. More faces: `python -m benchmarks.parity`."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from django.conf import settings
from playwright.sync_api import Browser, Page

from benchmarks import parity
from ml.serving.analyser import FrameAnalyser
from ml.serving.manifest import Manifest
from tests.browser.parity_check import assert_read_alike
from tests.ml.golden_crops import golden

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(settings.DEVICE is None, reason="no files for on-device mode: manage.py device_files"),
]
CROP = """async ([base, face]) => {
  const { crop } = await import(`${base}/js/device/crop.js`);
  const [width, height] = [160, 120];
  const pixels = new Uint8ClampedArray(width * height * 4);
  const wave = (place) => Math.abs((place % 510) - 255);
  for (let y = 0, at = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1, at += 4) {
      [pixels[at + 2], pixels[at + 1]] = [wave(2 * x + 3 * y + 90), wave(5 * y - x + 160)];
      pixels[at] = wave(3 * x + y);
    }
  }
  return [...crop({ width, height, pixels }, face)];
}"""
PACE = """async (base) => {
  const { pace, isSlow } = await import(`${base}/js/device/device.js`);
  return [[15, 1000], [700, 1000], [1400, 1000], [15, 5000]].map(([ms, wanted]) => {
    const every = pace(ms, wanted);
    return [every, isSlow(every, wanted)];
  });
}"""
# Opened twice at once and once more, with files and without: how many workers it took, and what came of it.
OPENED = """async ([base, urls]) => {
  const { Place } = await import(`${base}/js/device/place.js`);
  let workers = 0;
  window.Worker = class extends Worker {
    constructor(...how) { super(...how); workers += 1; }
  };
  const place = new Place("device", { urls, version: "any", odds: [1, 1, 1, 1, 1, 1, 1], uncertain_below: 0.5 });
  let changed = 0;
  place.addEventListener("changed", () => { changed += 1; });
  await Promise.all([place.open(), place.open()]);
  await place.open();
  return { workers, changed, ready: place.ready, failed: place.failed };
}"""
# What the page thinks of readings: [probabilities, label].
UNCERTAIN = """async ([base, odds, uncertain_below, readings]) => {
  const { Place } = await import(`${base}/js/device/place.js`);
  const place = new Place("device", { urls: {}, version: "any", odds, uncertain_below });
  return readings.map(([probabilities, label]) => place.isUncertain(probabilities, label));
}"""


@pytest.fixture
def page(browser: Browser) -> Page:
    return browser.new_page()


def test_boxes_labels_and_probabilities(page: Page) -> None:
    assert_read_alike(page)


def test_both_sides_are_uncertain_of_the_same_readings(page: Page) -> None:
    lesson = Manifest.load().lesson
    rows = np.random.default_rng(5).dirichlet(np.full(7, 0.3), 400)
    readings = [(row.tolist(), int(row.argmax())) for row in rows]
    with parity.static_files() as base:
        page.goto(f"{base}/js/try.js")
        here = page.evaluate(UNCERTAIN, [base, list(lesson.odds), lesson.uncertain_below, readings])
    there = [lesson.is_uncertain(*reading) for reading in readings]
    assert here == there
    assert {True, False} == set(there)


def test_every_face_large_and_small(page: Page) -> None:
    """As the try page asks: two people side by side, and one far away, who is found at double size."""
    near = parity.synthetic_frames(4)
    far = np.full((240, 320, 3), 150, np.uint8)
    far[90:150, 120:200] = cv2.resize(near[3], (80, 60), interpolation=cv2.INTER_AREA)
    analyser = FrameAnalyser.load()
    with parity.static_files() as base:
        page.goto(f"{base}/js/try.js")
        parity.in_browser([], page, base)
        for frame, least in ((np.hstack(near[:2]), 2), (far, 1)):
            server, device = analyser.analyse_picture(frame), parity.read(page, frame, every=True)
            assert device["count"] == server.face_count >= least
            height, width = frame.shape[:2]
            boxes = [one.face.box.as_fractions(width, height) for one in server.readings]
            assert [face["box"] for face in device["faces"]] == [pytest.approx(box, abs=0.004) for box in boxes]


def test_the_crop_is_the_golden_one_to_one_grey_level(page: Page) -> None:
    with parity.static_files() as base:
        page.goto(f"{base}/js/try.js")
        for case in golden():
            made = page.evaluate(CROP, [base, {"box": case["box"], "landmarks": case["landmarks"]}])
            differences = [abs(a - b) for a, b in zip(made, bytes.fromhex(case["crop"]), strict=True)]
            assert max(differences) <= 1, case["name"]
            assert sum(differences) / len(differences) < 0.01, case["name"]


def test_a_slow_device_is_read_less_often_and_says_so(page: Page) -> None:
    with parity.static_files() as base:
        page.goto(f"{base}/js/try.js")
        assert page.evaluate(PACE, base) == [[1000, False], [1400, False], [2800, True], [5000, False]]


def test_opened_twice_at_once_it_is_opened_once(page: Page) -> None:
    with parity.static_files() as base:
        page.goto(f"{base}/js/try.js")
        urls = {name: f"{base}/device/{file}" for name, file in parity.NAMES.items()}
        assert page.evaluate(OPENED, [base, urls]) == {"workers": 1, "changed": 1, "ready": True, "failed": False}
        gone = urls | {"network": f"{base}/device/gone.onnx"}
        # What failed is tried anew by whoever asks after it.
        assert page.evaluate(OPENED, [base, gone]) == {"workers": 2, "changed": 2, "ready": False, "failed": True}
