"""Puts a small grey face on somebody who sits before a webcam: a drawn head and shoulders in a plain room."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ml.serving.preprocess import FACE_SIDE
from ml.types import ByteArray, FloatArray

Colour = tuple[float, float, float]
"""Blue, green, red, each 0..255."""

FULL_TONE_GREY = 150.0
"""The grey of a face that shows as the skin's own colour."""


@dataclass(frozen=True, slots=True)
class Look:
    """What stays the same about a person and a room from frame to frame. `size`: of the face, in frame heights; `x`
    and `y`: where it is, as fractions of the frame."""

    skin: Colour
    hair: Colour
    clothes: Colour
    wall: Colour
    long_hair: bool
    size: float
    x: float
    y: float
    light: float

    @classmethod
    def random(cls, rng: np.random.Generator) -> Look:
        """A skin from dark to light, hair, clothes and a wall of its own; a seat near the middle of the picture."""
        tone = rng.uniform(0.55, 1.0)
        shade = rng.uniform(25, 90)
        wall = rng.uniform(110, 200)
        return cls(
            skin=(145 * tone, 172 * tone, 222 * tone**0.8),
            hair=(shade * 0.6, shade * 0.75, shade),
            clothes=_tinted(rng, rng.uniform(50, 150), 45),
            wall=_tinted(rng, wall, 12),
            long_hair=bool(rng.random() < 0.5),
            size=rng.uniform(0.46, 0.58),
            x=rng.uniform(0.44, 0.56),
            y=rng.uniform(0.44, 0.5),
            light=rng.uniform(0.85, 1.05),
        )


def _tinted(rng: np.random.Generator, grey: float, spread: float) -> Colour:
    blue, green, red = grey + rng.uniform(-spread, spread, 3)
    return blue, green, red


def compose_frame(
    face: ByteArray, rng: np.random.Generator, width: int = 320, height: int = 240, look: Look | None = None
) -> ByteArray:
    """A webcam-like (height, width, 3) uint8 picture of a head and shoulders with this (48, 48) uint8 face.

    Pose, scale and brightness differ a little with every call, and a camera's noise is added. `look`: keep one per
    student; without it every frame shows another person in another room.
    """
    look = Look.random(rng) if look is None else look
    size = height * look.size * rng.uniform(0.97, 1.03)
    x, y = width * (look.x + rng.normal(0, 0.008)), height * (look.y + rng.normal(0, 0.008))
    light = look.light * rng.uniform(0.97, 1.03)
    picture = _room(look.wall, light, width, height)
    _draw_person(picture, look, light * _edge_tone(face), x, y, size)
    picture = np.asarray(cv2.blur(picture, (3, 3)), np.uint8)
    _blend_face(
        picture, face, np.array(look.skin, np.float32) * np.float32(light), x, y, size, roll=rng.normal(0, 2.0)
    )
    return _with_noise(picture, rng)


def _room(wall: Colour, light: float, width: int, height: int) -> ByteArray:
    """A wall that grows darker to one side and towards the floor."""
    shade = np.array([[1.08, 0.96], [0.94, 0.82]])[..., None] * np.array(wall) * light
    return np.asarray(cv2.resize(np.clip(shade, 0, 255).astype(np.uint8), (width, height)), np.uint8)


def _draw_person(picture: ByteArray, look: Look, tone: float, x: float, y: float, size: float) -> None:
    """Shoulders, hair, neck and head, from the back to the front. `tone`: of the skin at the face's edge."""
    skin, hair, clothes = (
        _scaled(colour, by) for colour, by in ((look.skin, tone), (look.hair, 1), (look.clothes, look.light))
    )
    if look.long_hair:
        _ellipse(picture, x, y + 0.2 * size, 0.5 * size, 0.66 * size, hair)
    _ellipse(picture, x, y + 1.24 * size, 0.92 * size, 0.62 * size, clothes)
    _ellipse(picture, x, y + 0.5 * size, 0.2 * size, 0.32 * size, _scaled(skin, 0.78))
    _ellipse(picture, x, y - 0.14 * size, 0.46 * size, 0.56 * size, hair)
    _ellipse(picture, x, y + 0.0 * size, 0.395 * size, 0.5 * size, skin)
    _ellipse(picture, x, y - 0.52 * size, 0.36 * size, 0.17 * size, hair)


def _scaled(colour: Colour, by: float) -> Colour:
    blue, green, red = (min(255.0, channel * by) for channel in colour)
    return blue, green, red


def _ellipse(picture: ByteArray, x: float, y: float, half_width: float, half_height: float, colour: Colour) -> None:
    centre, axes = (round(x), round(y)), (round(half_width), round(half_height))
    cv2.ellipse(picture, centre, axes, 0, 0, 360, colour, -1, cv2.LINE_AA)


def _soft_oval(half_width: int, half_height: int) -> FloatArray:
    """(48, 48) mask, 1 over the features and 0 at the edge."""
    mask = np.zeros((FACE_SIDE, FACE_SIDE), np.float32)
    cv2.ellipse(mask, (FACE_SIDE // 2, FACE_SIDE // 2), (half_width, half_height), 0, 0, 360, 1.0, -1)
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), 2.2), np.float32)


OVAL = _soft_oval(16, 20)
"""Hides where the face's own picture ends."""
EDGE = (OVAL > 0.2) & (OVAL < 0.8)


def _edge_tone(face: ByteArray) -> float:
    """How light the face is where it blends into the head: 1 for the skin's own colour."""
    return float(face[EDGE].mean()) / FULL_TONE_GREY


def _blend_face(
    picture: ByteArray, face: ByteArray, skin: FloatArray, x: float, y: float, size: float, roll: float
) -> None:
    """Lay the face, in the colour of the skin, over the picture at its place, size and roll (degrees)."""
    height, width = picture.shape[:2]
    left, top = max(0, int(x - size * 0.6)), max(0, int(y - size * 0.6))
    region = picture[top : min(height, int(y + size * 0.6)), left : min(width, int(x + size * 0.6))]
    if not region.size:
        return
    middle = FACE_SIDE / 2
    transform = np.asarray(cv2.getRotationMatrix2D((middle, middle), roll, size / FACE_SIDE), np.float64)
    transform[:, 2] += (x - left - middle, y - top - middle)
    shape = region.shape[1], region.shape[0]
    grey = cv2.warpAffine(face, transform, shape, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    mask = cv2.warpAffine(OVAL, transform, shape, flags=cv2.INTER_LINEAR)[..., None]
    toned = np.minimum(grey[..., None].astype(np.float32) * (skin / FULL_TONE_GREY), 255)
    region[:] = (region + mask * (toned - region)).astype(np.uint8)


def _with_noise(picture: ByteArray, rng: np.random.Generator) -> ByteArray:
    """The picture with a camera's grain: bytes are cheap to draw, and their half range is a few grey levels."""
    height, width = picture.shape[:2]
    rough = np.frombuffer(rng.bytes((height // 2 + 1) * (width // 2 + 1)), np.uint8) // 24
    grain = cv2.resize(rough.reshape(height // 2 + 1, width // 2 + 1), (width, height))
    lighter = cv2.add(picture, cv2.merge([grain] * 3))
    return np.asarray(cv2.subtract(lighter, np.full_like(picture, 5)), np.uint8)
