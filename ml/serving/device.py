"""The networks as browsers run them: the same detector, the same emotion network, calibrated."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from ml.serving.manifest import DETECTOR_NAME, DEVICE_NAME, Manifest
from ml.types import ByteArray, FloatArray


class DeviceNetwork:
    """What a browser computes, here: to hold the two against each other. One thread."""

    def __init__(self, manifest: Manifest) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        network = manifest.read(DEVICE_NAME)
        self._session: Any = onnxruntime.InferenceSession(network, options, providers=["CPUExecutionProvider"])

    @classmethod
    def load(cls, directory: Path | str | None = None) -> DeviceNetwork:
        """Raises ModelFileError where the folder (default: this package's weights) has none."""
        return cls(Manifest.load(directory))

    def probabilities(self, faces: ByteArray) -> FloatArray:
        """Calibrated probabilities, (n, 7) float32, for (n, 48, 48) uint8 grey faces."""
        pixels = faces[:, np.newaxis].astype(np.float32)
        return np.asarray(self._session.run(None, {"pixels": pixels})[0], np.float32)


def write_models(folder: Path) -> None:
    """Both networks as files that a browser can load. Raises ModelFileError or DetectorModelError."""
    from ml.serving.yunet_model import SERVED_SHA256, DetectorModelError, served_model

    detector = served_model()
    if (found := hashlib.sha256(detector).hexdigest()) != SERVED_SHA256:
        raise DetectorModelError(f"the detector for browsers: expected sha256 {SERVED_SHA256}, made {found}")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / DEVICE_NAME).write_bytes(Manifest.load().read(DEVICE_NAME))
    (folder / DETECTOR_NAME).write_bytes(detector)
