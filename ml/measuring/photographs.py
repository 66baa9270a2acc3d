"""Photographs of any size that each show one labelled face: decode, find it, align, classify."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ml.data.folder import colour_picture, picture_files
from ml.data.problems import DataError, Progress
from ml.labels import LABELS
from ml.measuring.measures import confusion, figures
from ml.serving.faces import SCORE_THRESHOLD, FaceDetector
from ml.serving.preprocess import FACE_SIDE, align_photograph

FRAMINGS = {"cut off by 5 pixels": -5, "no margin": 0, "margin of 7 pixels": 7, "margin of 19 pixels": 19}
"""Pixels of FER2013's 48 that a photograph shows more of, on each side, or less."""
PHOTOGRAPH_SIDE, PHOTOGRAPH_QUALITY = 350, 90

Bytes = npt.NDArray[np.uint8]
Indexes = npt.NDArray[np.int64]
Classify = Callable[[Bytes], npt.NDArray[np.float32]]


@dataclass(slots=True)
class _Found:
    """The faces so far, their labels, and the labels of pictures in which none was found."""

    faces: list[Bytes] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)
    missed: list[int] = field(default_factory=list)
    doubtful: int = 0
    unreadable: list[str] = field(default_factory=list)


def evaluate_photographs(
    root: Path, classify: Classify, usage: str | None = None, progress: Progress | None = None
) -> dict[str, Any]:
    """Figures for the pictures under `root`, in folders named by label, by the portrait of each
    (`FaceDetector.detect_portrait`).

    `n` pictures, `faces_found` of them with a face, `faces_doubtful` of these under SCORE_THRESHOLD. A picture
    without one counts as wrong in `accuracy`, `macro_f1`, `recall` and `mean_recall`, and so does one of the
    `unreadable`, which do not decode; `accuracy_of_found`, `ece`, `cross_entropy` and `confusion` rest on the faces.
    `left_out`: folders that name no label, and files that are no picture by their ending. `usage`: only these
    pictures (None: all). Raises DataError.
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
        "faces_doubtful": found.doubtful,
        "unreadable": found.unreadable,
        "left_out": [str(folder.relative_to(root)) for folder in left_out],
        **_read(found, classify),
    }


def evaluate_enlarged(
    faces: Bytes, labels: Indexes, classify: Classify, progress: Progress | None = None
) -> dict[str, Any]:
    """What finding and cropping a face costs: (n, 48, 48) faces enlarged to photographs with more or less around.

    `directly`: of the faces themselves. `framings`: of the photographs, a face that is not found counting as wrong.
    """
    cv2.setNumThreads(1)
    detector, framings = FaceDetector(), {}
    for number, (framing, margin) in enumerate(FRAMINGS.items()):
        found = _Found()
        for count, (face, label) in enumerate(zip(faces, labels, strict=True), start=1):
            _find(photograph_of(face, margin), int(label), detector, found)
            if progress:
                progress(number * len(faces) + count)
        figure = _read(found, classify)
        framings[framing] = {
            "faces_found": len(found.faces),
            "faces_doubtful": found.doubtful,
            **{name: figure[name] for name in ("accuracy", "mean_recall")},
        }
    direct = figures(probabilities := classify(faces), labels)
    accuracy = round(float((probabilities.argmax(axis=1) == labels).mean()), 4)
    directly = {"accuracy": accuracy, "mean_recall": direct["mean_recall"]}
    return {"n": len(faces), "directly": directly, "framings": framings}


def photograph_of(face: Bytes, margin: int) -> Bytes:
    """A JPEG of PHOTOGRAPH_SIDE pixels, decoded, of a (48, 48) grey face: with `margin` pixels more around it, which
    repeat its edge, or, below 0, with so many less."""
    less, more = max(-margin, 0), max(margin, 0)
    shown = face[less : len(face) - less, less : len(face) - less]
    around = cv2.copyMakeBorder(shown, more, more, more, more, cv2.BORDER_REPLICATE)
    large = cv2.resize(around, (PHOTOGRAPH_SIDE, PHOTOGRAPH_SIDE), interpolation=cv2.INTER_CUBIC)
    packed = cv2.imencode(".jpg", large, [cv2.IMWRITE_JPEG_QUALITY, PHOTOGRAPH_QUALITY])[1]
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)


def _look(path: Path, label: int, detector: FaceDetector, found: _Found) -> None:
    try:
        picture = colour_picture(path)
    except DataError as error:
        found.unreadable.append(str(error))
        found.missed.append(label)
    else:
        _find(picture, label, detector, found)


def _find(picture: Bytes, label: int, detector: FaceDetector, found: _Found) -> None:
    face = detector.detect_portrait(picture)
    if face is None:
        found.missed.append(label)
        return
    found.doubtful += face.score < SCORE_THRESHOLD
    found.faces.append(align_photograph(picture, face))
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
