"""What may happen to a face on its way through a camera, done to a batch at random: pose, light, blur, covered parts.

numpy draws what happens to which face, so that one seed gives the same faces on every backend; Keras' operations
change the pixels where the training runs, so that on a GPU they never leave it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt
from keras import ops

Floats: TypeAlias = npt.NDArray[np.float32]
Random: TypeAlias = np.random.Generator
Tensor: TypeAlias = Any
"""A tensor of the backend; Keras has no types that a checker could follow."""

BLOCK = 8
"""Pixels a side of the blocks that JPEG works on."""


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


def augment(faces: Tensor, random: Random, side: int, strength: Strength = Strength()) -> Tensor:
    """(n, h, w) grey levels -> (n, side, side, 1) float32 in 0..255, each changed on its own.

    `side`: pixels, a multiple of 8.
    """
    moved = _move(ops.cast(faces, "float32"), random, side, strength)
    lit = _relight(_degrade(moved, random, strength), random, strength)
    return ops.expand_dims(_erase(lit, random, strength), -1)


def _move(faces: Tensor, random: Random, side: int, strength: Strength) -> Tensor:
    """Mirror, roll, scale and shift, in one look at where each pixel of the result comes from; the border repeats."""
    count, height, width = faces.shape
    mirror = np.where(random.random(count) < 0.5, -1.0, 1.0)
    roll = np.deg2rad(random.uniform(-strength.roll, strength.roll, count))
    zoom = side / width * (1 + random.uniform(-strength.scale, strength.scale, count))
    down, right = random.uniform(-strength.shift, strength.shift, (2, count)) * side
    cos, sin = np.cos(roll) / zoom, np.sin(roll) / zoom
    from_middle = np.arange(side) - (side - 1) / 2
    # Rows and columns of the result, told apart by their axes: (n, side, 1) and (n, 1, side).
    y = (from_middle - down[:, None])[:, :, None]
    x = (from_middle - right[:, None])[:, None, :]
    per_face = (slice(None), None, None)
    source_x = _tensor((mirror * cos)[per_face] * x) + _tensor((mirror * sin)[per_face] * y) + (width - 1) / 2
    source_y = _tensor(cos[per_face] * y) - _tensor(sin[per_face] * x) + (height - 1) / 2
    return _between(faces, source_x, source_y)


def _between(faces: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """(n, h, w) faces, looked at in places (n, side, side) between their pixels."""
    count, height, width = faces.shape
    x, y = ops.clip(x, 0, width - 1), ops.clip(y, 0, height - 1)
    left, top = ops.floor(x), ops.floor(y)
    right, bottom = ops.minimum(left + 1, width - 1), ops.minimum(top + 1, height - 1)
    pixels = ops.reshape(faces, (count, height * width))

    def at(row: Tensor, column: Tensor) -> Tensor:
        place = ops.reshape(ops.cast(row * width + column, "int32"), (count, -1))
        return ops.reshape(ops.take_along_axis(pixels, place, axis=1), x.shape)

    upper = at(top, left) * (left + 1 - x) + at(top, right) * (x - left)
    lower = at(bottom, left) * (left + 1 - x) + at(bottom, right) * (x - left)
    return upper * (top + 1 - y) + lower * (y - top)


def _degrade(faces: Tensor, random: Random, strength: Strength) -> Tensor:
    """Now and then, what a webcam far away does: fewer pixels, blur, JPEG blocks or noise."""
    kinds = random.integers(len(DEGRADATIONS), size=len(faces))
    kinds[random.random(len(faces)) >= strength.degrade] = -1
    for kind, degraded in enumerate(DEGRADATIONS):
        if len(chosen := np.flatnonzero(kinds == kind)):
            changed = ops.clip(degraded(ops.take(faces, chosen, axis=0), random), 0, 255)
            faces = ops.scatter_update(faces, chosen[:, None], changed)
    return faces


def _fewer_pixels(faces: Tensor, random: Random) -> Tensor:
    side = faces.shape[1]
    return _both_ways(
        np.stack([_scaled(side, int(random.integers(side // 2, side - 4))) for _ in range(len(faces))]), faces
    )


@cache
def _scaled(side: int, small: int) -> Floats:
    """(side, side): makes a column of `side` pixels `small` ones, and those `side` again."""
    fewer = cv2.resize(np.eye(side, dtype=np.float32), (side, small), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(fewer, (side, side), interpolation=cv2.INTER_LINEAR), np.float32)


def _blur(faces: Tensor, random: Random) -> Tensor:
    return _both_ways(
        np.stack([_blurred(faces.shape[1], random.uniform(0.5, 1.2)) for _ in range(len(faces))]), faces
    )


def _blurred(side: int, sigma: float) -> Floats:
    """(side, side): blurs a column of pixels; the border repeats."""
    column, alone = cv2.getGaussianKernel(7, sigma), np.ones(1)
    repeated = cv2.BORDER_REPLICATE
    return np.asarray(cv2.sepFilter2D(np.eye(side, dtype=np.float32), -1, alone, column, borderType=repeated))


def _jpeg(faces: Tensor, random: Random) -> Tensor:
    """What JPEG loses: each block's waves, rounded to steps that are coarser for finer waves."""
    side = faces.shape[1]
    waves = np.kron(np.eye(side // BLOCK), cv2.dct(np.eye(BLOCK), flags=cv2.DCT_ROWS).T).astype(np.float32)
    qualities = [int(random.integers(20, 70)) for _ in range(len(faces))]
    step = _tensor(np.stack([np.tile(_steps(quality), [side // BLOCK] * 2) for quality in qualities]))
    rounded = ops.round(_both_ways(waves, faces - 128) / step) * step
    return _both_ways(waves.T, rounded) + 128


def _steps(quality: int) -> Floats:
    """(8, 8) the steps of each wave at a quality of 1 to 100, as libjpeg scales those of the standard's annex K."""
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    return np.asarray(np.clip((LUMINANCE_STEPS * scale + 50) // 100, 1, 255), np.float32)


LUMINANCE_STEPS = np.array(
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ]
)
"""JPEG's table K.1 (ITU-T T.81): how coarsely brightness may be kept, wave by wave."""


def _noise(faces: Tensor, random: Random) -> Tensor:
    spread = random.uniform(3, 12, (len(faces), 1, 1))
    return faces + _tensor(random.standard_normal(tuple(faces.shape), np.float32) * spread)


DEGRADATIONS: tuple[Callable[[Tensor, Random], Tensor], ...] = (_fewer_pixels, _blur, _jpeg, _noise)


def _both_ways(matrix: Floats, faces: Tensor) -> Tensor:
    """The same done to columns and rows. `matrix`: (side, side), or one for each face."""
    return ops.matmul(ops.matmul(_tensor(matrix), faces), _tensor(np.swapaxes(matrix, -1, -2).copy()))


def _relight(faces: Tensor, random: Random, strength: Strength) -> Tensor:
    """Contrast about each face's own mean, then brightness."""
    shape = (len(faces), 1, 1)
    contrast = _tensor(np.exp(random.uniform(-strength.contrast, strength.contrast, shape)))
    brightness = _tensor(random.uniform(-strength.brightness, strength.brightness, shape))
    mean = ops.mean(faces, axis=(1, 2), keepdims=True)
    return ops.clip((faces - mean) * contrast + mean + brightness, 0, 255)


def _erase(faces: Tensor, random: Random, strength: Strength) -> Tensor:
    """Cover a rectangle of some faces with one grey level (random erasing, Zhong et al. 2020)."""
    count, side = len(faces), faces.shape[1]
    area = random.uniform(*strength.erase_area, count) * side**2
    width = np.minimum(side, np.round(np.sqrt(area * random.uniform(0.4, 2.5, count))))
    height = np.minimum(side, np.round(area / np.maximum(width, 1)))
    height[random.random(count) >= strength.erase] = 0
    rows, columns = (_stretch(side, long, random)[:, :, None] for long in (height, width))
    covered = _tensor(rows) * _tensor(np.swapaxes(columns, 1, 2).copy())
    grey = _tensor(random.uniform(0, 255, (count, 1, 1)))
    return faces + (grey - faces) * covered


def _stretch(side: int, long: npt.NDArray[np.float64], random: Random) -> npt.NDArray[np.bool_]:
    """(n, side): true in a stretch of `long` (n) places, wherever it fits."""
    first = np.floor(random.random(len(long)) * (side - long + 1))
    places = np.arange(side)
    return np.asarray((places >= first[:, None]) & (places < (first + long)[:, None]))


def _tensor(values: npt.NDArray[Any]) -> Tensor:
    return ops.convert_to_tensor(values.astype(np.float32))
