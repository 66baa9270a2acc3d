"""The whole serving path on photographs of any size: decode, find the face, align, classify."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ml.faces import FaceDetector
from ml.measures import confusion, figures
from ml.preprocess import align
from ml.training.folder import colour_picture, picture_files
from ml.training.problems import Progress

Classify = Callable[[npt.NDArray[np.uint8]], npt.NDArray[np.float32]]


def evaluate_photographs(root: Path, classify: Classify, progress: Progress | None = None) -> dict[str, Any]:
    """Figures for the pictures under `root`, in folders named by label; the largest face of each is read.

    `n` pictures, `faces_found` of them with a face. `accuracy` counts a picture without a found face as wrong,
    `accuracy_of_found` leaves it out, as the other figures do. Raises DataError.
    """
    cv2.setNumThreads(1)
    detector = FaceDetector()
    faces, labels, pictures = [], [], 0
    for path, label, _ in picture_files(root):
        pictures += 1
        picture = colour_picture(path)
        found = detector.detect(picture, "thorough")
        if found:
            faces.append(align(picture, found[0]))
            labels.append(label)
        if progress:
            progress(pictures)
    return {"n": pictures, "faces_found": len(faces), **_read(faces, labels, pictures, classify)}


def _read(faces: list[npt.NDArray[np.uint8]], labels: list[int], pictures: int, classify: Classify) -> dict[str, Any]:
    if not faces:
        return {"accuracy": 0.0}
    truth = np.array(labels, np.int64)
    probabilities = classify(np.stack(faces))
    right = int(np.diag(confusion(probabilities.argmax(axis=1), truth)).sum())
    return {
        "accuracy": round(right / pictures, 4),
        "accuracy_of_found": round(right / len(faces), 4),
        **figures(probabilities, truth),
    }
