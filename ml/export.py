"""Make the served network: `python -m ml.export --model FILE.keras --data FILE|FOLDER`.

Keras to int8 LiteRT, quantised after training with faces of the training part; then, with the quantised network
itself and on dev alone: calibration, confusion, and the confidence under which a reading is uncertain; then the same
network for browsers (ml.training.onnx_writer). Needs TensorFlow (KERAS_BACKEND=tensorflow, the default here).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from rich.console import Console

from ml.data import dataset
from ml.data.dataset import FaceSet
from ml.labels import LABELS
from ml.lesson import Lesson, lesson_odds
from ml.measuring.measures import confusion, in_a_lesson
from ml.serving.classifier import NETWORK_NAME, EmotionClassifier, calibrated
from ml.serving.manifest import DEVICE_NAME, KERAS_NAME, MANIFEST_NAME, WEIGHTS, Manifest, ModelFileError
from ml.training.calibration import fit_so_that_all_are_found, uncertain_below
from ml.training.mood import FEWEST_FACES, fit_mood
from ml.training.onnx_writer import to_onnx

if TYPE_CHECKING:
    import keras

REPRESENTATIVE = 1000
"""Faces from which the quantiser learns the range of every activation."""

SHOWN = ("model_version", "device_version", "files", "temperature", "biases", "uncertain_below", "dev")
FLOAT_OPERATIONS = ["SOFTMAX"]
"""Left in float: an int8 softmax knows no probability between 0 and 1/256."""


def load_keras(path: Path) -> keras.Model:
    """The float network, on whatever backend Keras runs."""
    import keras

    return keras.models.load_model(path, compile=False)


def to_litert(model: keras.Model, faces: npt.NDArray[np.uint8]) -> bytes:
    """An int8 LiteRT network of a Keras one. `faces`: (n, 48, 48) uint8 of the training part, for the ranges.

    Input: (1, 48, 48, 1) float32 pixels 0..255. Output: (1, 7) float32 probabilities.
    """
    import tensorflow as tf

    converter = _converter(model, faces)
    options = tf.lite.experimental.QuantizationDebugOptions(denylisted_ops=FLOAT_OPERATIONS)
    debugger = tf.lite.experimental.QuantizationDebugger(converter=converter, debug_options=options)
    return bytes(debugger.get_nondebug_quantized_model())


def _converter(model: keras.Model, faces: npt.NDArray[np.uint8]) -> Any:
    """A converter of the frozen graph: left as variables, the weights could not be quantised."""
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    def representative() -> Any:
        for face in faces:
            yield [face[None, :, :, None].astype(np.float32)]

    signature = tf.TensorSpec((1, *model.input_shape[1:]), tf.float32, name="pixels")
    function = tf.function(lambda pixels: model(pixels, training=False)).get_concrete_function(signature)
    frozen = convert_variables_to_constants_v2(function)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([frozen])
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = representative
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8, tf.lite.OpsSet.TFLITE_BUILTINS]
    return converter


def export(model: Path, faces: FaceSet, out: Path) -> dict[str, Any]:
    """Write network, weights and manifest to `out`; the manifest's content."""
    split = dataset.divide(faces)
    learn, dev = dataset.keep(faces, split.learn), dataset.keep(faces, split.dev)
    chosen = np.random.default_rng(0).choice(len(learn), min(REPRESENTATIVE, len(learn)), replace=False)
    out.mkdir(parents=True, exist_ok=True)
    if model.resolve() != (out / KERAS_NAME).resolve():
        shutil.copyfile(model, out / KERAS_NAME)
    network = load_keras(model)
    (out / NETWORK_NAME).write_bytes(to_litert(network, learn.pixels[chosen]))
    manifest = _unread_manifest(out, learn) | {"parameters": int(network.count_params())}
    _write(out, manifest)
    manifest |= _reading(EmotionClassifier.load(out).probabilities(dev.pixels), dev.labels, manifest["priors"])
    _write(out, manifest)
    return with_device_network(out)


def with_device_network(out: Path) -> dict[str, Any]:
    """Write the network for browsers beside the served one, calibrated as the manifest says; its content."""
    known = Manifest.load(out)
    (out / DEVICE_NAME).write_bytes(to_onnx(known.read(NETWORK_NAME), known.temperature, known.biases))
    manifest: dict[str, Any] = json.loads((out / MANIFEST_NAME).read_text(encoding="utf-8"))
    fingerprint = _fingerprint(out / DEVICE_NAME)
    manifest["files"][DEVICE_NAME] = fingerprint
    manifest["device_version"] = f"roomtone-web-{fingerprint['sha256'][:12]}"
    _write(out, manifest)
    Manifest.load(out).read(DEVICE_NAME)
    return manifest


def _unread_manifest(out: Path, learn: FaceSet) -> dict[str, Any]:
    """The files, and an output that is taken as it is, until dev has been measured."""
    files = {name: _fingerprint(out / name) for name in (NETWORK_NAME, KERAS_NAME)}
    shares = np.bincount(learn.labels, minlength=len(LABELS)) / len(learn)
    return {
        "model_version": f"roomtone-{files[NETWORK_NAME]['sha256'][:12]}",
        "labels": list(LABELS),
        "files": files,
        "temperature": 1.0,
        "uncertain_below": 0.0,
        "confusion": np.eye(len(LABELS)).tolist(),
        "soft_confusion": np.eye(len(LABELS)).tolist(),
        "priors": np.round(shares, 6).tolist(),
    }


def _reading(raw: npt.NDArray[np.float32], labels: npt.NDArray[np.int64], priors: Sequence[float]) -> dict[str, Any]:
    """How the output is to be read, from the raw probabilities of dev's faces."""
    fitted = fit_so_that_all_are_found(raw, labels, np.asarray(priors))
    temperature, biases = round(fitted.temperature, 4), np.round(fitted.biases, 4)
    probabilities, assumed = calibrated(raw, temperature, biases), np.round(fitted.assumed, 6).tolist()
    return {
        "temperature": temperature,
        "biases": biases.tolist(),
        "priors": assumed,
        "confusion": _rows_to_shares(confusion(probabilities.argmax(axis=1), labels).astype(float)),
        "soft_confusion": _rows_to_shares(_sums(probabilities, labels)),
        **_mood(probabilities, labels),
        **_certainty(probabilities, labels, assumed),
    }


def _certainty(
    probabilities: npt.NDArray[np.float32], labels: npt.NDArray[np.int64], assumed: Sequence[float]
) -> dict[str, Any]:
    """When a reading is uncertain, and what dev says of that: of its own faces, and weighed as in a lesson."""
    lesson = Lesson(lesson_odds(assumed), 0.0)
    confidence, right, weights = in_a_lesson(probabilities, labels, lesson)
    threshold = uncertain_below(confidence, right, weights)
    sure = confidence >= threshold
    figures = {"n": len(labels), "accuracy": round(float(right.mean()), 4), **_kept(sure, right, np.ones(len(right)))}
    return {"uncertain_below": threshold, "dev": figures | {"in_a_lesson": _kept(sure, right, weights)}}


def _kept(
    sure: npt.NDArray[np.bool_], right: npt.NDArray[np.bool_], weights: npt.NDArray[np.floating]
) -> dict[str, float | None]:
    """The share of the readings that are certain, and of these, of those that are right."""
    accuracy = round(float(np.average(right[sure], weights=weights[sure])), 4) if sure.any() else None
    return {"coverage": round(float(np.average(sure, weights=weights)), 4), "accuracy_where_certain": accuracy}


def _mood(probabilities: npt.NDArray[np.float32], labels: npt.NDArray[np.int64]) -> dict[str, Any]:
    """How a whole class is read; nothing where dev has too few faces of an emotion to tell."""
    if np.bincount(labels, minlength=len(LABELS)).min() < FEWEST_FACES:
        return {}
    return {"mood": fit_mood(probabilities, labels)}


def _sums(probabilities: npt.NDArray[np.float32], labels: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """(7, 7): row i is the sum of the probabilities of the faces of label i."""
    sums = np.zeros((len(LABELS), len(LABELS)))
    np.add.at(sums, labels, probabilities)
    return sums


def _rows_to_shares(table: npt.NDArray[np.float64]) -> list[list[float]]:
    """Rows that sum to 1; a label without a face is taken as never mistaken."""
    table = np.where(table.sum(axis=1, keepdims=True) > 0, table, np.eye(len(table)))
    shares = table / table.sum(axis=1, keepdims=True)
    return [[round(float(share), 6) for share in row] for row in shares]


def _fingerprint(path: Path) -> dict[str, Any]:
    content = path.read_bytes()
    return {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}


def _write(out: Path, manifest: dict[str, Any]) -> None:
    unfinished = out / f"{MANIFEST_NAME}.unfinished"
    unfinished.write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    unfinished.replace(out / MANIFEST_NAME)


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m ml.export", description="Make the served network.")
    parser.add_argument("--model", type=Path, help="emotion.keras that ml.train wrote")
    parser.add_argument("--data", type=Path, help="the data that it was trained on")
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    parser.add_argument("--only-device", action="store_true", help="of what --out holds, only the browsers' network")
    options = parser.parse_args(argv)
    if not options.only_device and not (options.data and options.model):
        parser.error("--model and --data are required")
    if options.model and not options.model.is_file():
        parser.error(f"--model {options.model}: expected an emotion.keras, found no such file")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    try:
        manifest = _made(options)
    except (dataset.DataError, ModelFileError) as error:
        raise SystemExit(f"ml.export: {error}") from error
    Console().print_json(json.dumps({name: manifest[name] for name in SHOWN if name in manifest}))


def _made(options: argparse.Namespace) -> dict[str, Any]:
    if options.only_device:
        return with_device_network(options.out)
    return export(options.model, dataset.read(options.data), options.out)


if __name__ == "__main__":
    main()
