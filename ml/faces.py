"""Finding faces in a picture."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np

from ml.types import Box, ByteArray, Face, FloatArray
from ml.yunet import Engine, OnnxEngine, OpenCVEngine

EngineName = Literal["onnxruntime", "opencv"]
ENGINES: dict[str, type[OnnxEngine] | type[OpenCVEngine]] = {"onnxruntime": OnnxEngine, "opencv": OpenCVEngine}

SCORE_THRESHOLD = 0.7
NMS_THRESHOLD = 0.3
LONGEST_SIDE = 640
"""Pictures larger than this are made smaller before the search: YuNet was trained on faces of 10 to 300 pixels."""


class FaceDetector:
    """Finds the faces in a picture with YuNet.

    `engine`: "onnxruntime", or "opencv" as the fall-back. `longest_side`: larger pictures are searched at this size.
    `cascade`: search at half size first, and at full size only where that finds nothing.
    Not to be shared between threads.
    """

    def __init__(
        self,
        engine: EngineName = "onnxruntime",
        *,
        score_threshold: float = SCORE_THRESHOLD,
        longest_side: int = LONGEST_SIDE,
        cascade: bool = False,
    ) -> None:
        if engine not in ENGINES:
            raise ValueError(f"engine: expected one of {sorted(ENGINES)}, received {engine!r}.")
        cv2.setNumThreads(1)
        self._engine: Engine = ENGINES[engine](score_threshold, NMS_THRESHOLD)
        self._longest_side = longest_side
        self._cascade = cascade

    def detect(self, bgr: ByteArray) -> list[Face]:
        """The faces in a (h, w, 3) uint8 blue-green-red picture, the largest box first.

        Raises ValueError for any other shape or type.
        """
        _require_colour(bgr)
        full = min(1.0, self._longest_side / max(bgr.shape[:2]))
        rows = self._rows_at(bgr, full / 2) if self._cascade else None
        if rows is None or not len(rows):
            rows = self._rows_at(bgr, full)
        return sorted(map(_face, rows), key=lambda face: face.box.area, reverse=True)

    def _rows_at(self, bgr: ByteArray, scale: float) -> FloatArray:
        """Search the picture at `scale` of its size; the rows are in pixels of the picture itself."""
        if scale == 1.0:
            return self._engine.rows(bgr)
        height, width = bgr.shape[:2]
        size = max(1, round(width * scale)), max(1, round(height * scale))
        smaller = np.asarray(cv2.resize(bgr, size, interpolation=cv2.INTER_AREA), np.uint8)
        rows = self._engine.rows(smaller)
        rows[:, 0:14:2] *= width / size[0]
        rows[:, 1:14:2] *= height / size[1]
        return rows


def _face(row: FloatArray) -> Face:
    x, y, width, height = (float(value) for value in row[:4])
    return Face(Box(x, y, width, height), row[4:14].reshape(5, 2).astype(np.float32), float(row[14]))


def _require_colour(bgr: ByteArray) -> None:
    if bgr.dtype != np.uint8 or bgr.ndim != 3 or bgr.shape[2] != 3 or 0 in bgr.shape:
        raise ValueError(f"A picture to search: expected (h, w, 3) uint8, received {bgr.shape} {bgr.dtype}.")
