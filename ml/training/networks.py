"""Networks as a training holds them: read from a file, in the backend's quickest layers, and asked for answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeAlias

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from ml.data.dataset import FaceSet

Floats = npt.NDArray[np.float32]
Tensor: TypeAlias = Any


def read(path: Path, option: str) -> keras.Model:
    """The saved network, as it was saved. Raises ValueError, which names the command's `option`."""
    try:
        return keras.models.load_model(path, compile=False)
    except (OSError, ValueError) as error:
        raise ValueError(f"{option} {path}: expected a network that ml.train wrote. {error}") from error


def quickened(model: keras.Model) -> keras.Model:
    """On torch, the same network in torch's own layers and today's precision, with the same weights; elsewhere the
    model itself."""
    if keras.config.backend() != "torch":
        return model
    from ml.training.torch_speed import with_native_layers

    quick = with_native_layers(model)
    quick.set_weights(model.get_weights())
    return quick


def answers(model: keras.Model, faces: Tensor) -> Tensor:
    """(n, side, side, 1) -> (n, 7) probabilities, on torch left on the device; nothing is kept for a slope."""
    if keras.config.backend() != "torch":
        return model.predict_on_batch(faces)
    import torch  # type: ignore[import-not-found]

    with torch.no_grad():
        return model(faces, training=False)


def predict(model: keras.Model, pixels: npt.NDArray[np.uint8], batch: int = 256) -> Floats:
    """(n, 48, 48) uint8 -> (n, 7) probabilities."""
    parts = [
        answers(model, ops.convert_to_tensor(pixels[start : start + batch, ..., None].astype(np.float32)))
        for start in range(0, len(pixels), batch)
    ]
    return np.concatenate([ops.convert_to_numpy(part) for part in parts])


def accuracy(model: keras.Model, faces: FaceSet, batch: int = 256) -> float:
    """The share of faces whose most probable label is the right one."""
    return float(np.mean(predict(model, faces.pixels, batch).argmax(axis=1) == faces.labels))
