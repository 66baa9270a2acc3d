"""The frames that every benchmark reads: faces of nobody, 320x240, as camera/encoder.js encodes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from emotions.simulation.pictures import encode, synthetic_bank
from ml.labels import LABELS
from ml.synthetic import Look, SyntheticFaces, compose_frame

Distance = Literal["near", "far"]
SIZES: dict[Distance, tuple[float, float]] = {"near": (0.40, 0.60), "far": (0.11, 0.18)}
"""Height of the head as a share of the frame's: a laptop on a table, somebody who sits back."""


def frames() -> list[bytes]:
    """What the simulated class sends."""
    return [picture.jpeg for picture in synthetic_bank(1, lambda done, total: None).all]


def frames_at(distance: Distance, count: int, seed: int = 7) -> list[bytes]:
    """JPEGs of heads at this distance, everyone in a room of their own."""
    faces, rng = SyntheticFaces.load(), np.random.default_rng(seed)
    return [_frame(faces, rng, LABELS[number % len(LABELS)], SIZES[distance]) for number in range(count)]


def _frame(faces: SyntheticFaces, rng: np.random.Generator, label: str, sizes: Sequence[float]) -> bytes:
    look = replace(Look.random(rng), size=float(rng.uniform(*sizes)))
    picture: npt.NDArray[np.uint8] = compose_frame(faces.face(label, rng), rng, look=look)
    return encode(picture)
