"""Finding faces in a picture."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np

from ml.serving.yunet import YuNet
from ml.types import Box, ByteArray, Face, FloatArray

Search = Literal["quick", "full", "thorough"]
SCALES: dict[Search, tuple[float, ...]] = {"quick": (0.5, 1.0), "full": (1.0,), "thorough": (1.0, 0.5, 2.0)}
"""Sizes, as fractions of the picture's own, at which faces are looked for until some are found."""

PORTRAIT_SCALES, SMALL_SCALE = (1.0, 0.5, 0.25), 2.0
"""Where one face is known to be, possibly larger than the picture; and for one too small for all of these."""

SCORE_THRESHOLD = 0.6
DOUBTFUL_THRESHOLD = 0.3
"""From here on something is taken for the face that a picture is known to show."""
NMS_THRESHOLD = 0.3
LONGEST_SIDE = 640
"""Pictures larger than this are made smaller before the search: YuNet was trained on faces of 10 to 300 pixels."""


class FaceDetector:
    """Finds the faces in a picture with YuNet. Not to be shared between threads."""

    def __init__(self) -> None:
        cv2.setNumThreads(1)
        self._network = YuNet(NMS_THRESHOLD)

    def detect(self, bgr: ByteArray, search: Search = "full") -> list[Face]:
        """The faces in a (h, w, 3) uint8 blue-green-red picture, the largest box first.

        `search`: "full" looks once, at the picture's own size.
        "quick" looks at half size first: for a near face, at much less than half the cost; where it finds one it may
        miss smaller ones. `python -m benchmarks.recall --data FILE` prints what both find of real faces.
        "thorough" looks at half and at double size where "full" finds nothing: for photographs, which may show one
        large face or one small one.
        Raises ValueError for any other shape, type or search.
        """
        _require_colour(bgr)
        if search not in SCALES:
            raise ValueError(f"search: expected one of {sorted(SCALES)}, received {search!r}.")
        for scale in SCALES[search]:
            rows = self._rows_at(bgr, scale)
            if len(rows):
                return sorted(map(_face, rows), key=lambda face: face.box.area, reverse=True)
        return []

    def detect_portrait(self, bgr: ByteArray) -> Face | None:
        """The face of a (h, w, 3) uint8 picture that is known to show one, perhaps cut off by its edges.

        The largest of those found at full and at half size: at full size YuNet takes a part of a very large face for
        a small one. Otherwise the largest of those at a quarter and at double size. Where there is none either, the
        best of what was too doubtful: its `score` then lies under SCORE_THRESHOLD.
        Raises ValueError for any other shape or type.
        """
        _require_colour(bgr)
        found = [_face(row) for scale in PORTRAIT_SCALES[:2] for row in self._rows_at(bgr, scale, DOUBTFUL_THRESHOLD)]
        if not any(map(_is_sure, found)):
            found += map(_face, self._rows_at(bgr, PORTRAIT_SCALES[2], DOUBTFUL_THRESHOLD))
        if not any(map(_is_sure, found)):
            found += map(_face, self._rows_at(bgr, SMALL_SCALE))
        sure = list(filter(_is_sure, found))
        if sure:
            return max(sure, key=lambda face: face.box.area)
        return max(found, key=lambda face: face.score, default=None)

    def _rows_at(self, bgr: ByteArray, scale: float, threshold: float = SCORE_THRESHOLD) -> FloatArray:
        """Search the picture at `scale` of its size, or of LONGEST_SIDE; the rows are in pixels of the picture."""
        scale *= min(1.0, LONGEST_SIDE / max(bgr.shape[:2]))
        if scale == 1.0:
            return self._network.rows(bgr, threshold)
        height, width = bgr.shape[:2]
        size = max(1, round(width * scale)), max(1, round(height * scale))
        method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        rows = self._network.rows(np.asarray(cv2.resize(bgr, size, interpolation=method), np.uint8), threshold)
        rows[:, 0:14:2] *= width / size[0]
        rows[:, 1:14:2] *= height / size[1]
        return rows


def _is_sure(face: Face) -> bool:
    return face.score >= SCORE_THRESHOLD


def _face(row: FloatArray) -> Face:
    x, y, width, height = (float(value) for value in row[:4])
    return Face(Box(x, y, width, height), row[4:14].reshape(5, 2).astype(np.float32), float(row[14]))


def _require_colour(bgr: ByteArray) -> None:
    if bgr.dtype != np.uint8 or bgr.ndim != 3 or bgr.shape[2] != 3 or 0 in bgr.shape:
        raise ValueError(f"A picture to search: expected (h, w, 3) uint8, received {bgr.shape} {bgr.dtype}.")
