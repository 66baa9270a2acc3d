"""Pictures in folders named by label: `train/angry/1.jpg`, or `angry/1.jpg`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from ml.data.problems import MOST_FACES, SIDE, DataError, Progress, Rows
from ml.labels import INDEX, LABELS
from ml.serving.picture_size import MOST_PIXELS, decoded, too_large

ALIASES = {
    **INDEX,
    "anger": INDEX["angry"],
    "disgusted": INDEX["disgust"],
    "fearful": INDEX["fear"],
    "afraid": INDEX["fear"],
    "happiness": INDEX["happy"],
    "sadness": INDEX["sad"],
    "surprised": INDEX["surprise"],
}
USAGES = {
    "train": "Training",
    "training": "Training",
    "validation": "PublicTest",
    "val": "PublicTest",
    "publictest": "PublicTest",
    "test": "PrivateTest",
    "privatetest": "PrivateTest",
}
"""A folder's name -> the challenge's word. Folders of labels without one above them are Training."""

PICTURES = frozenset({".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".webp"})
LARGEST_FILE = 32 * 2**20


def read_folder(root: Path, progress: Progress | None = None) -> Rows:
    """(n, 48, 48) uint8 grey, (n,) labels, (n,) usage. Pictures of another size are resized. Raises DataError."""
    pixels: list[npt.NDArray[np.uint8]] = []
    labels: list[int] = []
    usage: list[str] = []
    for path, label, use in picture_files(root):
        if len(labels) == MOST_FACES:
            raise DataError(f"{root}: expected at most {MOST_FACES:,} pictures, found more.")
        pixels.append(_grey(path))
        labels.append(label)
        usage.append(use)
        if progress:
            progress(len(labels))
    return np.stack(pixels), np.array(labels, np.int64), np.array(usage)


def picture_files(root: Path, left_out: list[Path] | None = None) -> Iterator[tuple[Path, int, str]]:
    """(file, label, usage) of every picture, however deep below its label's folder, in sorted order.

    A folder that names no label raises DataError, and so does what lies beside such folders, or beside train and
    test: it would be passed over without a word. With a list `left_out`, such folders, and files that are none of
    PICTURES, are added to that instead. What is hidden, or was put there by a file manager, is passed over.
    """
    if not root.is_dir():
        raise DataError(f"{root}: expected a folder of pictures, found none.")
    count = 0
    tops = _tops(root)
    for beside in _beside(root, tops):
        _leave_out(beside, left_out)
    for top, usage in tops:
        for path, label in _labelled(top, left_out):
            count += 1
            yield path, label, usage
    if not count:
        raise DataError(f"{root}: expected pictures in folders named {', '.join(LABELS)}, found none.")


def _labelled(top: Path, left_out: list[Path] | None) -> Iterator[tuple[Path, int]]:
    for folder in _folders(top):
        label = ALIASES.get(folder.name.strip().lower())
        if label is None:
            _leave_out(folder, left_out)
            continue
        files = _files(folder)
        yield from ((path, label) for path in files if path.suffix.lower() in PICTURES)
        if left_out is not None:
            left_out += [path for path in files if path.suffix.lower() not in PICTURES]


def _leave_out(path: Path, left_out: list[Path] | None) -> None:
    if left_out is None:
        what = f"a folder named {', '.join(LABELS)}" if path.is_dir() else "pictures in such folders alone"
        raise DataError(f"{path}: expected {what}, received {path.name!r}.")
    left_out.append(path)


def _tops(root: Path) -> list[tuple[Path, str]]:
    tops = [(path, USAGES[path.name.lower()]) for path in _folders(root) if path.name.lower() in USAGES]
    return tops or [(root, "Training")]


def _beside(root: Path, tops: list[tuple[Path, str]]) -> list[Path]:
    """What lies in the root beside folders of usages, or of labels, and would be passed over without a word."""
    known = {top for top, _usage in tops}
    loose = [
        path for path in root.iterdir() if path.suffix.lower() in PICTURES and not path.is_dir() and _visible(path)
    ]
    return sorted(loose) if root in known else sorted({*_folders(root)} - known) + sorted(loose)


def _folders(top: Path) -> list[Path]:
    return sorted(path for path in top.iterdir() if path.is_dir() and _visible(path))


def _files(folder: Path) -> list[Path]:
    inside = (path for path in folder.rglob("*") if all(map(_visible, [path, *path.relative_to(folder).parents])))
    return sorted(path for path in inside if not path.is_dir())


def _visible(path: Path) -> bool:
    return not path.name.startswith((".", "__MACOSX"))


def colour_picture(path: Path) -> npt.NDArray[np.uint8]:
    """(h, w, 3) blue-green-red uint8. Raises DataError for a file that is too large or no picture."""
    return _decode(path, cv2.IMREAD_COLOR)


def _decode(path: Path, mode: int) -> npt.NDArray[np.uint8]:
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise DataError(
                f"{path}: expected a picture of at most {LARGEST_FILE // 2**20} MB, received a larger file."
            )
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}.") from error
    if too_large(content):
        raise DataError(f"{path}: expected at most {MOST_PIXELS:,} pixels, received a picture that declares more.")
    picture = decoded(content, mode)
    if picture is None:
        raise DataError(f"{path}: expected a picture, received a file that does not decode as one.")
    return picture


def _grey(path: Path) -> npt.NDArray[np.uint8]:
    grey = _decode(path, cv2.IMREAD_GRAYSCALE)
    if grey.shape != (SIDE, SIDE):
        grey = np.asarray(cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)
    return grey
