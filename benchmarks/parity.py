"""The same frames read on the server and in a browser: `python -m benchmarks.parity --data FILE --faces 1000`.

Prints one JSON object: boxes, labels, probabilities and times of LiteRT, of ONNX in Python, and of ONNX in a
browser's worker (--firefox: in Firefox's instead of Chromium's). Without --data the faces are synthetic. Wants
`manage.py device_files` to have run.
"""

from __future__ import annotations

import argparse
import base64
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any, Protocol

import cv2
import numpy as np
from playwright.sync_api import sync_playwright

from benchmarks import firefox
from classroom.local.browsers import find_chromium, find_firefox
from ml.data import dataset
from ml.labels import LABELS
from ml.serving.classifier import EmotionClassifier
from ml.serving.device import DeviceNetwork
from ml.serving.faces import FaceDetector
from ml.serving.preprocess import align
from ml.synthetic import SyntheticFaces, compose_frame
from ml.types import ByteArray, Face

STATIC = Path(__file__).parents[1] / "emotions" / "static" / "emotions"
NAMES = {
    "runtime": "ort.wasm.min.mjs",
    "glue": "ort-wasm-simd-threaded.mjs",
    "wasm": "ort-wasm-simd-threaded.wasm",
    "detector": "yunet.onnx",
    "network": "emotion.onnx",
}
OPEN = """async ([base, urls]) => {
  const { DeviceReader } = await import(`${base}/js/device/device.js`);
  window.device = await DeviceReader.open(urls);
  return window.device.ms;
}"""
READ = """async ([width, height, coded, every]) => {
  const pixels = Uint8Array.from(atob(coded), (letter) => letter.charCodeAt(0)).buffer;
  const began = performance.now();
  const reading = await window.device.read({ width, height, pixels }, every);
  return { ...reading, ms: performance.now() - began };
}"""


class Page(Protocol):
    """What is asked of a browser's page here: Playwright's, or another that can call a function of JavaScript."""

    def goto(self, url: str, /) -> Any: ...

    def evaluate(self, expression: str, arg: Any = None, /) -> Any: ...


@dataclass(frozen=True, slots=True)
class Readings:
    """Of each frame: pixels of the largest face's box, how many faces, and probabilities (None without a face)."""

    boxes: list[tuple[float, float, float, float] | None]
    counts: list[int]
    probabilities: list[np.ndarray[Any, Any] | None]
    ms: list[float]


def synthetic_frames(count: int) -> list[ByteArray]:
    """Faces of nobody, the same number of each emotion."""
    faces, rng = SyntheticFaces.load(), np.random.default_rng(3)
    return [compose_frame(faces.face(LABELS[n % len(LABELS)], rng), rng) for n in range(count)]


def labelled_frames(data: Path, count: int) -> list[ByteArray]:
    """Faces of the validation split (PublicTest), enlarged into webcam-like frames."""
    faces, rng = dataset.read(data), np.random.default_rng(3)
    chosen = rng.permutation(np.flatnonzero(faces.usage == "PublicTest"))[:count]
    return [compose_frame(faces.pixels[index], rng) for index in chosen]


def on_server(frames: Sequence[ByteArray], classify: Any) -> Readings:
    """As ml.serving.analyser reads them, without the JPEG. `classify`: of EmotionClassifier or DeviceNetwork."""
    detector, readings = FaceDetector(), Readings([], [], [], [])
    for frame in frames:
        began = time.perf_counter()
        found = detector.detect(frame, "quick")
        crops = [align(frame, face) for face in found[:1]]
        readings.probabilities.append(classify(np.stack(crops))[0] if crops else None)
        readings.ms.append(1000 * (time.perf_counter() - began))
        readings.counts.append(len(found))
        readings.boxes.append(_box(found[0]) if found else None)
    return readings


def in_browser(frames: Sequence[ByteArray], page: Page, base: str) -> Readings:
    """In a worker of this page, which stands on `base`'s origin."""
    page.evaluate(OPEN, [base, {name: f"{base}/device/{file}" for name, file in NAMES.items()}])
    readings = Readings([], [], [], [])
    for frame in frames:
        height, width = frame.shape[:2]
        reading = read(page, frame)
        face = reading["faces"][0] if reading["faces"] else None
        readings.counts.append(reading["count"])
        readings.ms.append(reading["ms"])
        readings.probabilities.append(np.array(face["probabilities"]) if face else None)
        sides = (width, height, width, height)
        readings.boxes.append(tuple(b * s for b, s in zip(face["box"], sides, strict=True)) if face else None)
    return readings


def read(page: Page, frame: ByteArray, *, every: bool = False) -> dict[str, Any]:
    """What the worker of a page that `in_browser` has opened says. `every`: of each face, found thoroughly."""
    height, width = frame.shape[:2]
    coded = base64.b64encode(cv2.cvtColor(frame, cv2.COLOR_BGR2RGBA).tobytes()).decode()
    reading: dict[str, Any] = page.evaluate(READ, [width, height, coded, every])
    return reading


def difference(one: Readings, other: Readings) -> dict[str, Any]:
    """How alike two ways of reading the same frames are, over the frames in which both found a face."""
    both = [n for n, box in enumerate(one.boxes) if box and other.boxes[n]]
    rows = [np.array([way.probabilities[n] for n in both]) for way in (one, other)]
    return {
        "frames": len(one.boxes),
        "with_a_face": len(both),
        "another_count": sum(a != b for a, b in zip(one.counts, other.counts, strict=True)),
        "least_overlap": round(min(_overlap(one.boxes[n], other.boxes[n]) for n in both), 5),
        "label_agreement": round(float((rows[0].argmax(1) == rows[1].argmax(1)).mean()), 4),
        "largest_difference": round(float(np.abs(rows[0] - rows[1]).max()), 5),
        "mean_difference": round(float(np.abs(rows[0] - rows[1]).mean()), 6),
    }


def _box(face: Face) -> tuple[float, float, float, float]:
    return face.box.x, face.box.y, face.box.width, face.box.height


def _overlap(one: Any, other: Any) -> float:
    (x, y, w, h), (a, b, c, d) = one, other
    common = max(0.0, min(x + w, a + c) - max(x, a)) * max(0.0, min(y + h, b + d) - max(y, b))
    return float(common / (w * h + c * d - common))


class _Files(SimpleHTTPRequestHandler):
    extensions_map = {
        **SimpleHTTPRequestHandler.extensions_map,
        ".mjs": "text/javascript",
        ".wasm": "application/wasm",
    }

    def log_message(self, *args: object) -> None:
        """Quietly."""


@contextmanager
def static_files() -> Iterator[str]:
    """Our static files under an address of their own."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Files, directory=str(STATIC)))
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def _installed(program: str | None, name: str) -> str:
    if program is None:
        raise SystemExit(f"benchmarks.parity: there is no {name} on this machine.")
    return program


@contextmanager
def chromium_page() -> Iterator[Page]:
    program = _installed(find_chromium(), "Chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        yield browser.new_page()
        browser.close()


@contextmanager
def firefox_page() -> Iterator[Page]:
    program = _installed(find_firefox(), "Firefox")
    with TemporaryDirectory() as profile, firefox.firefox_page(program, Path(profile)) as page:
        yield page


def measure(frames: Sequence[ByteArray], browser: AbstractContextManager[Page]) -> dict[str, Any]:
    """Three ways, pairwise, and the median time of each."""
    litert = on_server(frames, EmotionClassifier.load().probabilities)
    onnx = on_server(frames, DeviceNetwork.load().probabilities)
    with static_files() as base, browser as page:
        page.goto(f"{base}/js/try.js")
        device = in_browser(frames, page, base)
    ways = {"litert": litert, "onnx": onnx, "browser": device}
    return {
        "litert_to_onnx": difference(litert, onnx),
        "litert_to_browser": difference(litert, device),
        "onnx_to_browser": difference(onnx, device),
        "median_ms": {name: round(float(np.median(way.ms)), 2) for name, way in ways.items()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.parity", description=__doc__)
    parser.add_argument("--data", type=Path, help="FER2013's CSV (plain, .gz, .xz, .zip)")
    parser.add_argument("--faces", type=int, default=1000)
    parser.add_argument("--firefox", action="store_true")
    options = parser.parse_args()
    frames = labelled_frames(options.data, options.faces) if options.data else synthetic_frames(options.faces)
    page = firefox_page() if options.firefox else chromium_page()
    print(json.dumps(measure(frames, page), indent=1))


if __name__ == "__main__":
    main()
