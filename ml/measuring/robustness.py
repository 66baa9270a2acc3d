"""How much accuracy is lost when faces look as a webcam shows them: each degradation alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Changed = Any
"""A changed face: (48, 48) numbers of any type, rounded and clipped afterwards."""
Change = Callable[[Bytes, np.random.Generator], Changed]
Classify = Callable[[Bytes], npt.NDArray[np.float32]]

SMALL_SIDE = 24
JPEG_QUALITY = 30
BLUR_SIGMA = 1.0
NOISE_SIGMA = 12.0
LOW_LIGHT = 0.25
ROLL_DEGREES = 10.0
BOX_SHIFT = 0.15
SEED = 0


def _down_scaled(face: Bytes, random: np.random.Generator) -> Changed:
    """Down to 24 pixels a side and up again: a face at the far end of the room."""
    small = cv2.resize(face, (SMALL_SIDE, SMALL_SIDE), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, face.shape[::-1], interpolation=cv2.INTER_LINEAR)


def _jpeg(face: Bytes, random: np.random.Generator) -> Changed:
    """JPEG of quality 30, at the face's own 48 pixels: harder than a frame whose face is larger."""
    _, data = cv2.imencode(".jpg", face, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)


def _blurred(face: Bytes, random: np.random.Generator) -> Changed:
    return cv2.GaussianBlur(face, (0, 0), BLUR_SIGMA)


def _noisy(face: Bytes, random: np.random.Generator) -> Changed:
    return face + random.normal(0, NOISE_SIGMA, face.shape)


def _dark(face: Bytes, random: np.random.Generator) -> Changed:
    """A quarter of the light, in whole grey levels."""
    return np.rint(face * LOW_LIGHT)


def _warped(face: Bytes, degrees: float, right: float, down: float) -> Changed:
    side = len(face)
    matrix = cv2.getRotationMatrix2D(((side - 1) / 2, (side - 1) / 2), degrees, 1.0)
    matrix[:, 2] += np.array([right * side, down * side])
    return cv2.warpAffine(face, matrix, (side, side), borderMode=cv2.BORDER_REPLICATE)


def _rolled(face: Bytes, random: np.random.Generator) -> Changed:
    return _warped(face, ROLL_DEGREES * random.choice([-1, 1]), 0, 0)


def _box_off(face: Bytes, random: np.random.Generator) -> Changed:
    """A box that lies 15 % of its side off, in a random direction."""
    angle = random.uniform(0, 2 * np.pi)
    return _warped(face, 0, BOX_SHIFT * np.cos(angle), BOX_SHIFT * np.sin(angle))


DEGRADATIONS: dict[str, Change] = {
    "down-scaled to 24 px": _down_scaled,
    "JPEG quality 30": _jpeg,
    "blur": _blurred,
    "noise": _noisy,
    "low light": _dark,
    "roll of 10 degrees": _rolled,
    "box 15 % off": _box_off,
}


def degraded(faces: Bytes, change: Change) -> Bytes:
    """(n, 48, 48) uint8 faces, each changed; the same faces give the same result."""
    random = np.random.default_rng(SEED)
    changed = np.stack([change(face, random) for face in faces])
    return np.asarray(np.clip(np.rint(changed), 0, 255), np.uint8)


def robustness(faces: Bytes, labels: npt.NDArray[np.int64], classify: Classify) -> dict[str, Any]:
    """Accuracy as the faces are, under each degradation, and the mean drop in points."""
    plain = _accuracy(faces, labels, classify)
    found = {name: _accuracy(degraded(faces, change), labels, classify) for name, change in DEGRADATIONS.items()}
    drop = plain - float(np.mean(list(found.values())))
    return {
        "n": len(labels),
        "accuracy": round(plain, 4),
        "degraded": {name: round(value, 4) for name, value in found.items()},
        "mean_drop_points": round(100 * drop, 2),
    }


def _accuracy(faces: Bytes, labels: npt.NDArray[np.int64], classify: Classify) -> float:
    return float((classify(faces).argmax(axis=1) == labels).mean())
