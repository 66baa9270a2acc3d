"""What every browser is held to: it reads in a frame what the server reads in it."""

from __future__ import annotations

from typing import Any

from benchmarks import parity
from ml.serving.classifier import EmotionClassifier

FRAMES = 28


def assert_read_alike(page: Any) -> None:
    """`page`: Playwright's, or a FirefoxPage. Boxes, counts, labels and probabilities of synthetic faces."""
    frames = parity.synthetic_frames(FRAMES)
    server = parity.on_server(frames, EmotionClassifier.load().probabilities)
    with parity.static_files() as base:
        page.goto(f"{base}/js/try.js")
        device = parity.in_browser(frames, page, base)
    found = parity.difference(server, device)
    assert found["with_a_face"] == len(frames)
    assert found["another_count"] == 0
    assert found["least_overlap"] > 0.99
    assert found["label_agreement"] >= 0.99
    assert found["mean_difference"] < 0.01
