"""The frames that every benchmark reads: faces of nobody, 320x240, as camera/encoder.js encodes them."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np

from emotions.simulation.pictures import encode, synthetic_bank
from ml.labels import LABELS
from ml.synthetic import Look, SyntheticFaces, compose_frame
from ml.types import ByteArray

Distance = Literal["near", "middle", "far"]
SIZES: dict[Distance, tuple[float, float]] = {"near": (0.40, 0.60), "middle": (0.22, 0.32), "far": (0.11, 0.18)}
"""Height of the head as a share of the frame's: a laptop on a table, twice as far away, four times as far."""


def frames() -> list[bytes]:
    """What the simulated class sends."""
    return [picture.jpeg for picture in synthetic_bank(1, lambda done, total: None).all]


def frames_at(distance: Distance, count: int, seed: int = 7) -> list[bytes]:
    """JPEGs of heads at this distance, everyone in a room of their own."""
    faces, rng = SyntheticFaces.load(), np.random.default_rng(seed)
    return [frame(faces.face(LABELS[number % len(LABELS)], rng), rng, SIZES[distance]) for number in range(count)]


def frame(face: ByteArray, rng: np.random.Generator, sizes: tuple[float, float]) -> bytes:
    """A JPEG of somebody with this (48, 48) face in a room of their own; the head's height is one of these shares."""
    look = replace(Look.random(rng), size=float(rng.uniform(*sizes)))
    return encode(compose_frame(face, rng, look=look))
