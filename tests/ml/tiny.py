"""A network small enough to know by heart, in a weights folder as `ml.export` writes one."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ml.labels import LABELS
from ml.types import ByteArray, FloatArray

SLOPES = np.linspace(-3, 3, 7, dtype=np.float32)


def tiny_probabilities(face: ByteArray) -> FloatArray:
    """What the tiny network answers, in plain numpy: a softmax of mean grey (0..1) times a slope per label."""
    powers = np.exp(face.mean() / 255 * SLOPES)
    return np.asarray(powers / powers.sum(), np.float32)


def tiny_network(*, as_bytes: bool = False, side: int = 48) -> bytes:
    """The network as a LiteRT file, with float tensors or (`as_bytes`) quantised to uint8."""
    tf = pytest.importorskip("tensorflow")
    inputs = tf.keras.Input((side, side, 1), batch_size=1)
    mean = tf.keras.layers.GlobalAveragePooling2D()(inputs / 255.0)
    slopes = tf.keras.layers.Dense(7, activation="softmax", use_bias=False)
    model = tf.keras.Model(inputs, slopes(mean))
    slopes.set_weights([SLOPES[None]])
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    if as_bytes:
        greys = np.linspace(0, 255, 32, dtype=np.float32)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([np.full((1, side, side, 1), grey)] for grey in greys)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = tf.uint8
        converter.inference_output_type = tf.uint8
    return bytes(converter.convert())


def write_weights(folder: Path, network: bytes, **changes: Any) -> Path:
    """A weights folder with this network and a manifest; `changes` replace the manifest's fields."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "emotion.tflite").write_bytes(network)
    sharp = np.full((7, 7), 0.05) + np.eye(7) * 0.65
    manifest = {
        "model_version": "tiny-1",
        "files": {"emotion.tflite": {"sha256": hashlib.sha256(network).hexdigest(), "bytes": len(network)}},
        "temperature": 1.0,
        "uncertain_below": 0.4,
        "confusion": sharp.tolist(),
        "soft_confusion": sharp.tolist(),
        "priors": [1 / len(LABELS)] * len(LABELS),
    }
    (folder / "manifest.json").write_text(json.dumps(manifest | changes))
    return folder
