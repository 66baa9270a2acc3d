"""Crops that every language must make of the same pictures: `python -m tests.ml.golden_crops` writes them anew.

A picture is a formula of whole numbers, the same in any language: no picture is kept.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from ml.serving.preprocess import align
from ml.types import Box, ByteArray, Face

GOLDEN = Path(__file__).with_name("golden_crops.json")
WIDTH, HEIGHT = 160, 120
FACES: tuple[tuple[str, tuple[float, ...], tuple[float, ...]], ...] = (
    ("upright", (40, 20, 60, 75), (55, 48, 85, 48, 70, 62, 58, 78, 82, 78)),
    ("leaning", (42.3, 21.7, 58.1, 70.9), (53, 56, 82, 44, 71.5, 62, 62, 80, 86, 71)),
    ("past the edge", (-18, -12, 62, 80), (-4, 20, 26, 22, 10, 36, -2, 52, 24, 54)),
    ("lying", (60, 30, 50, 50), (80, 40, 82, 70, 90, 55, 100, 42, 101, 69)),
    ("small", (90.5, 60.25, 18, 22), (95, 68, 104, 67, 99.5, 72, 96, 77, 103, 77)),
)
"""Name, box, landmarks (x, y five times)."""


def picture() -> ByteArray:
    """(120, 160, 3) blue-green-red: slopes that rise and fall, each colour in a direction of its own."""
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.int64)
    waves = [_wave(2 * x + 3 * y + 90), _wave(5 * y - x + 160), _wave(3 * x + y)]
    return np.asarray(np.stack(waves, axis=2), np.uint8)


def _wave(place: Any) -> Any:
    """0 up to 255 and down again, over 510 steps."""
    return np.abs(place % 510 - 255)


def face(box: tuple[float, ...], landmarks: tuple[float, ...]) -> Face:
    return Face(Box(*box), np.array(landmarks, np.float32).reshape(5, 2), 1.0)


def golden() -> list[dict[str, Any]]:
    """The committed cases: name, box, landmarks, and the crop's grey levels in rows, as hexadecimal digits."""
    cases: list[dict[str, Any]] = json.loads(GOLDEN.read_text(encoding="utf-8"))
    return cases


if __name__ == "__main__":
    rows = [
        {"name": name, "box": box, "landmarks": marks, "crop": align(picture(), face(box, marks)).tobytes().hex()}
        for name, box, marks in FACES
    ]
    GOLDEN.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
