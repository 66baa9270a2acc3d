"""What Chromium takes for a camera: a file of JPEG pictures of one synthetic student, who sits left of the middle."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from ml.serving.faces import FaceDetector
from ml.synthetic import Look, SyntheticFaces, compose_frame
from ml.types import ByteArray

WIDTH, HEIGHT = 640, 480
SEAT = 0.36
"""The face's middle, as a fraction of the width: far enough from 0.5 that a picture mirrored wrongly shows."""
PICTURES = 20


def picture() -> ByteArray:
    """(480, 640, 3) uint8, blue-green-red; always the same."""
    rng = np.random.default_rng(7)
    face = SyntheticFaces.load().face("happy", rng)
    return compose_frame(face, rng, WIDTH, HEIGHT, replace(Look.random(rng), x=SEAT, size=0.5))


def jpegs(count: int) -> list[bytes]:
    """The picture again and again, each with its own noise, as a camera has it."""
    rng, still = np.random.default_rng(8), picture().astype(np.int16)
    noisy = (np.clip(still + rng.integers(-2, 3, still.shape), 0, 255).astype(np.uint8) for _ in range(count))
    return [cv2.imencode(".jpg", one, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes() for one in noisy]


def write_video(path: Path) -> Path:
    """An .mjpeg as `--use-file-for-fake-video-capture` reads it: JPEG after JPEG."""
    path.write_bytes(b"".join(jpegs(PICTURES)))
    return path


def face_in_picture() -> tuple[float, float, float, float]:
    """Where the detector finds the face: (x, y, width, height) as fractions, not mirrored."""
    small = np.asarray(cv2.resize(picture(), (WIDTH // 2, HEIGHT // 2), interpolation=cv2.INTER_AREA), np.uint8)
    return FaceDetector().detect(small)[0].box.as_fractions(WIDTH // 2, HEIGHT // 2)
