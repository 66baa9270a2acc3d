"""The emotion network as it is served: LiteRT, one thread, calibrated."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ml.labels import LABELS
from ml.serving.manifest import Manifest, ModelFileError
from ml.serving.preprocess import FACE_SIDE
from ml.types import ByteArray, FloatArray

NETWORK_NAME = "emotion.tflite"
NO_BIASES: npt.NDArray[np.float64] = np.zeros(len(LABELS))
SMALLEST_PROBABILITY = 1e-6
"""Below this a probability has no logarithm worth scaling. A quantised output's own step may be larger."""


class EmotionClassifier:
    """Probabilities of the seven emotions for aligned faces. Not to be shared between threads."""

    def __init__(self, manifest: Manifest) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self.model_version = manifest.model_version
        self.lesson = manifest.lesson
        self._temperature, self._biases = manifest.temperature, manifest.biases
        self._interpreter = Interpreter(model_content=manifest.read(NETWORK_NAME), num_threads=1)
        self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]
        self._output = self._interpreter.get_output_details()[0]
        _require_shape("input", self._input, (1, FACE_SIDE, FACE_SIDE, 1))
        _require_shape("output", self._output, (1, len(LABELS)))

    @classmethod
    def load(cls, directory: Path | str | None = None) -> EmotionClassifier:
        """The network in a folder of weights (default: the one in this package).

        Raises ModelFileError when a file is missing, has another checksum, or has other tensors than expected.
        """
        return cls(Manifest.load(directory))

    def probabilities(self, faces: ByteArray) -> FloatArray:
        """Calibrated probabilities, (n, 7) float32, for (n, 48, 48) uint8 grey faces as `align` makes them.

        Raises ValueError for any other shape or type. One face at a time: a batch costs the same per face.
        """
        _require_faces(faces)
        raw = np.empty((len(faces), len(LABELS)), np.float32)
        for row, face in enumerate(faces):
            raw[row] = self._run(face)
        return calibrated(raw, self._temperature, self._biases, self._smallest())

    def _run(self, face: ByteArray) -> FloatArray:
        self._interpreter.set_tensor(self._input["index"], _to_tensor(face[None, :, :, None], self._input))
        self._interpreter.invoke()
        return _from_tensor(self._interpreter.get_tensor(self._output["index"])[0], self._output)

    def _smallest(self) -> float:
        """Half of a quantised output's step, so that a zero reads as "under one step"."""
        return max(SMALLEST_PROBABILITY, float(self._output["quantization"][0]) / 2)


def calibrated(
    probabilities: FloatArray,
    temperature: float,
    biases: npt.NDArray[np.float64] = NO_BIASES,
    smallest: float = SMALLEST_PROBABILITY,
) -> FloatArray:
    """Bias-corrected temperature scaling (Alexandari et al. 2020) of (n, 7) probabilities: p^(1/T) e^b, normed."""
    logits = np.log(np.maximum(probabilities, smallest)) / temperature + biases
    scaled = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(scaled / scaled.sum(axis=-1, keepdims=True), np.float32)


def _to_tensor(pixels: ByteArray, detail: dict[str, Any]) -> Any:
    """Pixels 0..255 in the tensor's own type: as they are for float32, quantised for whole numbers."""
    dtype = detail["dtype"]
    if dtype == np.float32:
        return pixels.astype(np.float32)
    scale, zero = detail["quantization"]
    limits = np.iinfo(dtype)
    return np.clip(np.rint(pixels / scale) + zero, limits.min, limits.max).astype(dtype)


def _from_tensor(values: Any, detail: dict[str, Any]) -> FloatArray:
    if detail["dtype"] == np.float32:
        return np.asarray(values, np.float32)
    scale, zero = detail["quantization"]
    return np.asarray((values.astype(np.float32) - zero) * scale, np.float32)


def _require_shape(what: str, detail: dict[str, Any], expected: tuple[int, ...]) -> None:
    received = tuple(int(side) for side in detail["shape"])
    if received != expected:
        raise ModelFileError(f"{NETWORK_NAME}: {what} tensor: expected shape {expected}, received {received}.")


def _require_faces(faces: ByteArray) -> None:
    if faces.dtype != np.uint8 or faces.ndim != 3 or faces.shape[1:] != (FACE_SIDE, FACE_SIDE):
        raise ValueError(
            f"Faces: expected (n, {FACE_SIDE}, {FACE_SIDE}) uint8, received {faces.shape} {faces.dtype}."
        )
