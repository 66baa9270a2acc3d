"""Photographs of any size, read as a person's own are: decode, find every face, align and classify the largest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ml.faces import FaceDetector
from ml.labels import LABELS
from ml.measures import confusion, figures
from ml.preprocess import FACE_SIDE, align_photograph
from ml.training.folder import colour_picture, picture_files
from ml.training.problems import DataError, Progress

Bytes = npt.NDArray[np.uint8]
Classify = Callable[[Bytes], npt.NDArray[np.float32]]


@dataclass(slots=True)
class _Found:
    """The faces so far, their labels, and the labels of pictures in which none was found."""

    faces: list[Bytes] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)
    missed: list[int] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)


def evaluate_photographs(
    root: Path, classify: Classify, usage: str | None = None, progress: Progress | None = None
) -> dict[str, Any]:
    """Figures for the pictures under `root`, in folders named by label; the largest face of each is read.

    `n` pictures, `faces_found` of them with a face. A picture without one counts as wrong in `accuracy`, `macro_f1`
    and `recall`, and so does one of the `unreadable`, which do not decode; `accuracy_of_found`, `ece`,
    `cross_entropy` and `confusion` rest on the faces. `left_out`: folders that name no label, and files that are no
    picture by their ending. `usage`: only these pictures (None: all). Raises DataError.
    """
    cv2.setNumThreads(1)
    detector, found, left_out = FaceDetector(), _Found(), list[Path]()
    files = [(path, label) for path, label, use in picture_files(root, left_out) if usage in (None, use)]
    if not files:
        raise DataError(f"{root}: expected pictures of usage {usage}, found none.")
    for count, (path, label) in enumerate(files, start=1):
        _look(path, label, detector, found)
        if progress:
            progress(count)
    return {
        "n": len(files),
        "faces_found": len(found.faces),
        "unreadable": found.unreadable,
        "left_out": [str(folder.relative_to(root)) for folder in left_out],
        **_read(found, classify),
    }


def _look(path: Path, label: int, detector: FaceDetector, found: _Found) -> None:
    try:
        picture = colour_picture(path)
    except DataError as error:
        found.unreadable.append(str(error))
        found.missed.append(label)
        return
    faces = detector.detect(picture, "thorough")
    if not faces:
        found.missed.append(label)
        return
    found.faces.append(align_photograph(picture, faces[0]))
    found.labels.append(label)


def _read(found: _Found, classify: Classify) -> dict[str, Any]:
    truth, pictures = np.array(found.labels, np.int64), len(found.labels) + len(found.missed)
    crops = np.stack(found.faces) if found.faces else np.zeros((0, FACE_SIDE, FACE_SIDE), np.uint8)
    probabilities = classify(crops) if found.faces else np.zeros((0, len(LABELS)), np.float32)
    missed = np.bincount(np.array(found.missed, np.int64), minlength=len(LABELS))
    right = int(np.diag(confusion(probabilities.argmax(axis=1), truth)).sum())
    return {
        "accuracy": round(right / pictures, 4),
        "accuracy_of_found": round(right / len(truth), 4) if len(truth) else None,
        **figures(probabilities, truth, missed),
        "missed": dict(zip(LABELS, missed.tolist(), strict=True)),
    }
