"""YuNet, the face detector (Wu et al. 2023, "YuNet: A Tiny Millisecond-level Face Detector"), on onnxruntime.

It takes a blue-green-red picture and gives rows of 15 numbers, as OpenCV's own `FaceDetectorYN` does: x, y, width,
height, five landmarks (x, y each), score.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ml.serving.yunet_model import CHANNELS, STRIDES, served_model
from ml.types import ByteArray, FloatArray

SIZE_STEP = STRIDES[-1]
"""Height and width of the network's input are multiples of this: its coarsest stride."""
SESSIONS_KEPT = 6
"""Input sizes whose session stays in memory. Browsers send one or two sizes; photographs may be of any."""
LOWEST_LOGIT = -80.0
"""A score below it is nought, and not far beyond e^-x would exceed float32."""


@dataclass(frozen=True, slots=True)
class _Sized:
    """The network for one size of input: a session, which keeps its memory plan, and where that size's cells lie."""

    session: Any
    cells: FloatArray
    strides: FloatArray

    @classmethod
    def of(cls, session: Any, height: int, width: int) -> _Sized:
        """`cells`: (2, n) column and row of each cell, the finest stride first, row by row; `strides`: (n,)."""
        grids = [np.mgrid[: height // stride, : width // stride][::-1].reshape(2, -1) for stride in STRIDES]
        sizes = [np.full(grid.shape[1], stride) for grid, stride in zip(grids, STRIDES, strict=True)]
        return cls(
            session, np.concatenate(grids, axis=1).astype(np.float32), np.concatenate(sizes).astype(np.float32)
        )

    def rows(self, canvas: FloatArray, threshold: float) -> FloatArray:
        """Candidates with a score of at least `threshold`, (n, 15), in pixels."""
        outputs = self.session.run(None, {"input": canvas})
        said = np.concatenate([output.reshape(CHANNELS, -1) for output in outputs], axis=1)
        face, thing = _sigmoid(said[:2])
        scores = np.sqrt(face * thing)
        kept = np.flatnonzero(scores >= threshold)
        said, cells, strides = said[2:, kept], self.cells[:, kept], self.strides[kept]
        sizes = np.exp(said[2:4]) * strides
        corners = (cells + said[:2]) * strides - sizes / 2
        landmarks = (said[4:].reshape(5, 2, -1) + cells) * strides
        return np.concatenate([corners, sizes, landmarks.reshape(10, -1), scores[None, kept]]).T


class YuNet:
    """The network on one thread."""

    def __init__(self, nms_threshold: float) -> None:
        import onnxruntime

        self._runtime = onnxruntime
        self._model = served_model()
        self._sized: OrderedDict[tuple[int, int], _Sized] = OrderedDict()
        self._nms_threshold = nms_threshold

    def rows(self, bgr: ByteArray, threshold: float) -> FloatArray:
        """Faces in a (h, w, 3) uint8 picture with a score of at least `threshold`: (n, 15) float32, in no particular
        order."""
        height, width = (-(-side // SIZE_STEP) * SIZE_STEP for side in bgr.shape[:2])
        candidates = self._of_size(height, width).rows(_padded(bgr, height, width), threshold)
        return _suppressed(candidates, threshold, self._nms_threshold)

    def _of_size(self, height: int, width: int) -> _Sized:
        key = (height, width)
        if key not in self._sized:
            if len(self._sized) >= SESSIONS_KEPT:
                self._sized.popitem(last=False)
            self._sized[key] = _Sized.of(self._new_session(), height, width)
        self._sized.move_to_end(key)
        return self._sized[key]

    def _new_session(self) -> Any:
        options = self._runtime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.execution_mode = self._runtime.ExecutionMode.ORT_SEQUENTIAL
        return self._runtime.InferenceSession(self._model, options, providers=["CPUExecutionProvider"])


def _padded(bgr: ByteArray, height: int, width: int) -> FloatArray:
    """The picture in the corner of a black (1, 3, height, width) float32 canvas."""
    canvas = np.zeros((1, 3, height, width), np.float32)
    canvas[0, :, : bgr.shape[0], : bgr.shape[1]] = bgr.transpose(2, 0, 1)
    return canvas


def _sigmoid(logits: FloatArray) -> FloatArray:
    return np.asarray(1 / (1 + np.exp(-np.maximum(logits, LOWEST_LOGIT))), np.float32)


def _suppressed(candidates: FloatArray, score_threshold: float, nms_threshold: float) -> FloatArray:
    """Non-maximum suppression on boxes cut to whole pixels, which is what OpenCV's detector does."""
    if len(candidates) < 2:
        return candidates
    boxes: npt.NDArray[np.int32] = candidates[:, :4].astype(np.int32)
    kept = cv2.dnn.NMSBoxes(boxes.tolist(), candidates[:, 14].tolist(), score_threshold, nms_threshold)
    return candidates[np.asarray(kept, np.intp).reshape(-1)]
