"""What may happen to a face on its way through a camera, done to a batch at random: pose, light, blur, covered parts.

Every function takes the generator that it draws from, so that one seed gives one batch.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Strength:
    """How far each change may go. Degrees; shares of the side, of the area, of the contrast; grey levels; chances."""

    roll: float = 15.0
    scale: float = 0.15
    shift: float = 0.08
    contrast: float = 0.35
    brightness: float = 25.0
    degrade: float = 0.15
    erase: float = 0.4
    erase_area: tuple[float, float] = (0.02, 0.18)


def augment(faces: Bytes, random: np.random.Generator, side: int, strength: Strength = Strength()) -> Floats:
    """(n, h, w) uint8 -> (n, side, side, 1) float32 in 0..255, each changed on its own."""
    moved = np.stack([_degrade(_move(face, random, side, strength), random, strength) for face in faces])
    lit = _relight(moved.astype(np.float32), random, strength)
    _erase(lit, random, strength)
    return lit[..., np.newaxis]


def _move(face: Bytes, random: np.random.Generator, side: int, strength: Strength) -> Bytes:
    """Mirror, roll, scale and shift in one warp to `side` pixels; the border repeats."""
    height, width = face.shape
    flip = -1.0 if random.random() < 0.5 else 1.0
    roll = np.deg2rad(random.uniform(-strength.roll, strength.roll))
    zoom = side / width * (1 + random.uniform(-strength.scale, strength.scale))
    shift = random.uniform(-strength.shift, strength.shift, 2) * side
    cos, sin = zoom * np.cos(roll), zoom * np.sin(roll)
    turn = np.array([[cos * flip, -sin], [sin * flip, cos]])
    centre = np.array([width - 1, height - 1]) / 2
    offset = (side - 1) / 2 + shift - turn @ centre
    matrix = np.column_stack([turn, offset])
    moved = cv2.warpAffine(face, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.uint8)


def _degrade(face: Bytes, random: np.random.Generator, strength: Strength) -> Bytes:
    """Now and then, what a webcam far away does: fewer pixels, blur, JPEG blocks or noise."""
    if random.random() >= strength.degrade:
        return face
    kind = DEGRADATIONS[random.integers(len(DEGRADATIONS))]
    return kind(face, random)


def _fewer_pixels(face: Bytes, random: np.random.Generator) -> Bytes:
    side = len(face)
    small = int(random.integers(side // 2, side - 4))
    fewer = cv2.resize(face, (small, small), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(fewer, (side, side), interpolation=cv2.INTER_LINEAR), np.uint8)


def _blur(face: Bytes, random: np.random.Generator) -> Bytes:
    return np.asarray(cv2.GaussianBlur(face, (0, 0), random.uniform(0.5, 1.2)), np.uint8)


def _jpeg(face: Bytes, random: np.random.Generator) -> Bytes:
    _, data = cv2.imencode(".jpg", face, [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(20, 70))])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8)


def _noise(face: Bytes, random: np.random.Generator) -> Bytes:
    noisy = face + random.normal(0, random.uniform(3, 12), face.shape)
    return np.asarray(np.clip(noisy, 0, 255), np.uint8)


DEGRADATIONS = (_fewer_pixels, _blur, _jpeg, _noise)


def _relight(faces: Floats, random: np.random.Generator, strength: Strength) -> Floats:
    """Contrast about each face's own mean, then brightness."""
    shape = (len(faces), 1, 1)
    contrast = np.exp(random.uniform(-strength.contrast, strength.contrast, shape)).astype(np.float32)
    brightness = random.uniform(-strength.brightness, strength.brightness, shape).astype(np.float32)
    mean = faces.mean(axis=(1, 2), keepdims=True)
    return np.asarray(np.clip((faces - mean) * contrast + mean + brightness, 0, 255), np.float32)


def _erase(faces: Floats, random: np.random.Generator, strength: Strength) -> None:
    """Cover a rectangle of some faces with one grey level (random erasing, Zhong et al. 2020); in place."""
    side = faces.shape[1]
    for index in np.flatnonzero(random.random(len(faces)) < strength.erase):
        area = random.uniform(*strength.erase_area) * side**2
        width = min(side, round(float(np.sqrt(area * random.uniform(0.4, 2.5)))))
        height = min(side, round(area / max(width, 1)))
        x, y = random.integers(0, side - width + 1), random.integers(0, side - height + 1)
        faces[index, y : y + height, x : x + width] = random.uniform(0, 255)
