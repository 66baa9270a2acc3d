"""Frames that are encoded before the first one is sent, so that sending costs no picture work."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from ml.data.dataset import read
from ml.labels import LABELS
from ml.synthetic import Look, SyntheticFaces, compose_frame

JPEG_QUALITY = 70
"""As camera/encoder.js has it."""
SYNTHETIC_PER_LABEL = 48


@dataclass(frozen=True, slots=True)
class Picture:
    """An encoded frame and the emotion that its face is labelled with."""

    jpeg: bytes
    label: str


class PictureBank:
    """Pictures by label, and all of them in one row."""

    def __init__(self, pictures: Iterable[Picture]) -> None:
        self.all = list(pictures)
        if not self.all:
            raise ValueError("no pictures to send: the file or folder holds no labelled face")
        self._by_label = {label: [p for p in self.all if p.label == label] for label in LABELS}

    def showing(self, label: str, rng: np.random.Generator) -> Picture:
        """A picture with this label (any, where the bank has none)."""
        choices = self._by_label[label] or self.all
        return choices[int(rng.integers(len(choices)))]


def encode(frame: npt.NDArray[np.uint8]) -> bytes:
    """A (h, w, 3) frame as JPEG."""
    done, data = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not done:
        raise ValueError(f"a frame of shape {frame.shape} could not be encoded as JPEG")
    return data.tobytes()


def synthetic_bank(seed: int, progress: Callable[[int, int], None]) -> PictureBank:
    """Faces of nobody, the same number for each emotion."""
    faces, rng = SyntheticFaces.load(), np.random.default_rng(seed)
    total = SYNTHETIC_PER_LABEL * len(LABELS)
    pictures = []
    for number in range(total):
        label = LABELS[number % len(LABELS)]
        face = faces.face(label, rng, intensity=float(rng.uniform(0.9, 1.2)))
        pictures.append(Picture(encode(compose_frame(face, rng, look=Look.random(rng))), label))
        progress(number + 1, total)
    return PictureBank(pictures)


def labelled_bank(source: Path, limit: int, seed: int, progress: Callable[[int, int], None]) -> PictureBank:
    """Labelled faces from a CSV (its `PublicTest` rows, where it has a Usage column) or a folder, enlarged into
    webcam-like frames. At most `limit`, drawn evenly, so the mix is the data's own."""
    rng = np.random.default_rng(seed)
    faces = read(source)
    usable = np.flatnonzero(faces.usage == "PublicTest")
    chosen = rng.permutation(usable if len(usable) else len(faces))[:limit]
    pictures = []
    for done, index in enumerate(chosen, start=1):
        pictures.append(Picture(encode(compose_frame(faces.pixels[index], rng)), LABELS[faces.labels[index]]))
        progress(done, len(chosen))
    return PictureBank(pictures)
