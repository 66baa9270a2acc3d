"""Drawn faces for tests: each label has its own pattern, so that a small network can learn it in seconds."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ml.data.dataset import FaceSet
from ml.labels import LABELS


def drawn_faces(per_label: int, seed: int = 0, labels: int = len(LABELS)) -> FaceSet:
    """`per_label` noisy faces of each of the first `labels` labels: bright bars whose height tells the label."""
    random = np.random.default_rng(seed)
    truth = np.repeat(np.arange(labels), per_label)
    pixels = random.integers(40, 90, (len(truth), 48, 48))
    for face, label in zip(pixels, truth, strict=True):
        face[3 + 6 * label : 9 + 6 * label, 4:44] += 120
    order = random.permutation(len(truth))
    usage = np.full(len(truth), "Training")
    votes = np.zeros((len(truth), len(LABELS)), np.float32)
    return FaceSet(pixels[order].astype(np.uint8), truth[order], usage, votes)


def row(label: int | str, pixels: npt.ArrayLike, usage: str = "Training") -> list[str]:
    """One row as the challenge writes it."""
    return [str(label), " ".join(map(str, np.ravel(pixels).tolist())), usage]


def write_csv(path: Path, rows: list[list[str]], header: tuple[str, ...] = ("emotion", "pixels", "Usage")) -> Path:
    """A file as the challenge's."""
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([list(header), *rows])
    return path


def faces_csv(path: Path, faces: FaceSet) -> Path:
    """The faces as a file of the challenge."""
    triples = zip(faces.labels.tolist(), faces.pixels, faces.usage.tolist(), strict=True)
    return write_csv(path, [row(label, pixels, usage) for label, pixels, usage in triples])
