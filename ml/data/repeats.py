"""Which pictures are the same picture: exact repeats, and the same one saved twice with other grey levels."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

THUMBNAIL = 16
ALIKE = 0.99
"""Correlation of two thumbnails above which they count as one picture."""

BLOCK = 2048


def repeat_groups(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """(n, h, w) uint8 -> (n,): the index of the first picture that each one repeats (its own where it is new)."""
    exact = _exact_groups(pixels)
    firsts = np.flatnonzero(exact == np.arange(len(pixels)))
    near = _near_groups(_thumbnails(pixels[firsts]))
    return firsts[near][np.searchsorted(firsts, exact)]


def repeats_any(pixels: npt.NDArray[np.uint8], others: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """(n, h, w), (m, h, w) -> (n,): which pictures repeat one of the others. Groups don't say: a picture that is like
    two others, which are not quite like one another, joins one of them."""
    known = _thumbnails(others).T if len(others) else np.zeros((THUMBNAIL**2, 0), np.float32)
    blocks = [_thumbnails(pixels[start : start + BLOCK]) for start in range(0, len(pixels), BLOCK)]
    return np.concatenate([np.zeros(0, bool), *((block @ known > ALIKE).any(axis=1) for block in blocks)])


def _exact_groups(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    first: dict[bytes, int] = {}
    return np.array([first.setdefault(face.tobytes(), index) for index, face in enumerate(pixels)], np.int64)


def _thumbnails(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Unit vectors without their mean, so that a product of two is their correlation; flat pictures give zeros."""
    size = (THUMBNAIL, THUMBNAIL)
    small = [cv2.resize(face, size, interpolation=cv2.INTER_AREA).ravel() for face in pixels]
    vectors = np.stack(small).astype(np.float32)
    vectors -= vectors.mean(axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6), np.float32)


def _near_groups(vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
    """Each vector joins the earliest one that it is like, and that one's group (blockwise: memory stays bounded)."""
    groups = np.arange(len(vectors))
    for start in range(0, len(vectors), BLOCK):
        block = vectors[start : start + BLOCK]
        rows, columns = np.nonzero(block @ vectors[: start + len(block)].T > ALIKE)
        for row, column in zip(rows + start, columns, strict=True):
            if column < row:
                groups[row] = min(groups[row], groups[column])
    return groups
