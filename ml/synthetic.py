"""Faces of nobody: for demonstrations and load tests, where no person's picture may be used.

A face is the mean of several hundred aligned faces of an emotion plus random weights on their first principal
components ("eigenfaces", Turk and Pentland 1991). `python -m ml.synthetic` makes the components from FER2013.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from ml.labels import INDEX, LABELS, NEUTRAL
from ml.manifest import WEIGHTS, ModelFileError
from ml.preprocess import FACE_SIDE
from ml.types import ByteArray, FloatArray

COMPONENTS_NAME = "synthetic_faces.npz"
SPREAD = 0.7
"""Standard deviation of the random weights, in those of the real faces. Below 1: plainer, and always a face."""
LARGEST_WEIGHT = 1.6
MIDDLE_GREY = 128.0
CONTRAST = 48.0
"""Grey levels of one standard deviation within a face."""


class SyntheticFaces:
    """Makes faces that show an emotion.

    `means`: (7, 48, 48) and `components`: (7, k, 48, 48) float32, in standard deviations of a face's grey levels;
    a component is scaled so that a weight of 1 is one standard deviation among the real faces.
    """

    def __init__(self, means: FloatArray, components: FloatArray) -> None:
        side = FACE_SIDE
        if means.shape != (len(LABELS), side, side) or components.shape[::2] != (len(LABELS), side):
            raise ModelFileError(
                f"Components: expected means (7, {side}, {side}) and components (7, k, {side}, {side}), "
                f"received {means.shape} and {components.shape}."
            )
        self._means = means
        self._components = components

    @classmethod
    def load(cls, path: Path | str | None = None) -> SyntheticFaces:
        """The components from a file that `python -m ml.synthetic` wrote (default: the one in this package)."""
        source = WEIGHTS / COMPONENTS_NAME if path is None else Path(path)
        if not source.is_file():
            raise ModelFileError(f"{source.name} is missing: make it with python -m ml.synthetic --data FILE.")
        with np.load(source, allow_pickle=False) as stored:
            return cls(*unpacked(stored["means"], stored["components"], stored["steps"]))

    def face(self, label: str, rng: np.random.Generator, intensity: float = 1.0) -> ByteArray:
        """A (48, 48) uint8 face that shows `label`. `intensity` 0..1.5: from a neutral look to a stronger one.

        A generator in the same state gives the same face: seed it alike to see one person change.
        """
        if label not in INDEX:
            raise ValueError(f"label: expected one of {LABELS}, received {label!r}.")
        emotion = INDEX[label]
        components = self._components[emotion]
        weights = np.clip(rng.normal(0, SPREAD, len(components)), -LARGEST_WEIGHT, LARGEST_WEIGHT)
        neutral = self._means[NEUTRAL]
        face = neutral + intensity * (self._means[emotion] - neutral)
        face = face + np.tensordot(weights.astype(np.float32), components, axes=1)
        return np.clip(MIDDLE_GREY + CONTRAST * face, 0, 255).astype(np.uint8)


def unpacked(
    means: npt.NDArray[np.float16], components: npt.NDArray[np.int8], steps: npt.NDArray[np.float32]
) -> tuple[FloatArray, FloatArray]:
    """Means and components as stored (components in whole steps, (7, k) sizes of a step) as float32."""
    return means.astype(np.float32), components.astype(np.float32) * steps[..., None, None]


@dataclass(frozen=True, slots=True)
class Look:
    """What stays the same about a person and a room from frame to frame. Colours are blue-green-red, 0..255."""

    skin: tuple[float, float, float]
    hair: tuple[float, float, float]
    clothes: tuple[float, float, float]
    wall: tuple[float, float, float]
    size: float
    x: float
    y: float
    light: float

    @classmethod
    def random(cls, rng: np.random.Generator) -> Look:
        """A skin from dark to light, hair, clothes and wall of its own; a seat near the middle of the picture."""
        tone = rng.uniform(0.35, 1.0)
        skin = (150 * tone, 178 * tone, 222 * tone)
        shade = rng.uniform(25, 95)
        hair = (shade * 0.6, shade * 0.75, shade)
        clothes = tuple(rng.uniform(40, 190, 3))
        wall = tuple(rng.uniform(120, 205) + rng.uniform(-14, 14, 3))
        seat = rng.uniform(0.5, 0.62), rng.uniform(0.44, 0.56), rng.uniform(0.44, 0.5)
        return cls(skin, hair, clothes, wall, *seat, light=rng.uniform(0.8, 1.05))  # type: ignore[arg-type]


def compose_frame(
    face: ByteArray, rng: np.random.Generator, width: int = 320, height: int = 240, look: Look | None = None
) -> ByteArray:
    """A webcam-like (height, width, 3) uint8 picture of a head and shoulders with this (48, 48) uint8 face.

    Pose, scale and brightness differ a little with every call, and a camera's noise is added. `look`: keep one per
    student; without it every frame shows another person in another room.
    """
    look = Look.random(rng) if look is None else look
    size = height * look.size * rng.uniform(0.97, 1.03)
    x = width * (look.x + rng.normal(0, 0.008))
    y = height * (look.y + rng.normal(0, 0.008))
    picture = _room(look, width, height)
    _draw_body(picture, look, x, y, size)
    _blend_face(picture, face, look, x, y, size, roll=rng.normal(0, 2.0))
    noise = rng.normal(0, 3, (height // 2, width // 2, 1)).astype(np.float32)
    picture += cv2.resize(noise, (width, height))[..., None]
    return np.clip(picture * (look.light * rng.uniform(0.97, 1.03)), 0, 255).astype(np.uint8)


def _room(look: Look, width: int, height: int) -> FloatArray:
    """A wall that grows darker to one side and towards the floor."""
    across = np.linspace(1.06, 0.88, width, dtype=np.float32)[None, :, None]
    down = np.linspace(1.04, 0.9, height, dtype=np.float32)[:, None, None]
    return np.asarray(across * down * np.float32(look.wall), np.float32)


def _draw_body(picture: FloatArray, look: Look, x: float, y: float, size: float) -> None:
    """Hair behind the head, neck and shoulders."""
    _ellipse(picture, x, y - 0.04 * size, 0.47 * size, 0.6 * size, look.hair)
    _ellipse(picture, x, y + 1.22 * size, 0.95 * size, 0.62 * size, look.clothes)
    neck = tuple(channel * 0.8 for channel in look.skin)
    _ellipse(picture, x, y + 0.5 * size, 0.21 * size, 0.3 * size, neck)


def _ellipse(
    picture: FloatArray, x: float, y: float, half_width: float, half_height: float, colour: tuple[float, ...]
) -> None:
    centre, axes = (round(x), round(y)), (round(half_width), round(half_height))
    cv2.ellipse(picture, centre, axes, 0, 0, 360, colour, -1, cv2.LINE_AA)


def _oval() -> FloatArray:
    """Soft (48, 48) mask, 1 over the features and 0 at the edge: hides where the face's own picture ends."""
    mask = np.zeros((FACE_SIDE, FACE_SIDE), np.float32)
    cv2.ellipse(mask, (24, 24), (17, 21), 0, 0, 360, 1.0, -1)
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), 2.0), np.float32)


OVAL = _oval()


def _blend_face(
    picture: FloatArray, face: ByteArray, look: Look, x: float, y: float, size: float, roll: float
) -> None:
    """Lay the face, in the colour of the skin, over the picture at its place, size and roll (degrees)."""
    height, width = picture.shape[:2]
    transform = cv2.getRotationMatrix2D((FACE_SIDE / 2, FACE_SIDE / 2), roll, size / FACE_SIDE)
    transform[:, 2] += x - FACE_SIDE / 2, y - FACE_SIDE / 2
    grey = cv2.warpAffine(
        face, transform, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    mask = cv2.warpAffine(OVAL, transform, (width, height), flags=cv2.INTER_LINEAR)[..., None]
    skin = grey[..., None].astype(np.float32) * (np.float32(look.skin) / 150)
    picture += mask * (skin - picture)


if __name__ == "__main__":
    from ml.eigenfaces import main

    sys.exit(main())
