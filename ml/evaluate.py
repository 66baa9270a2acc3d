"""Measure the network on labelled faces: `python -m ml.evaluate --data FILE --usage PublicTest --json`."""

from __future__ import annotations

import argparse
import json
import math
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

from ml import dataset
from ml.classifier import EmotionClassifier, calibrated
from ml.dataset import FaceSet
from ml.labels import LABELS
from ml.manifest import WEIGHTS, Manifest
from ml.measures import calibration_error, confusion, macro_f1, recalls
from ml.training.repeats import repeat_groups

Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
Engine = Callable[[Bytes], Floats]
"""(n, 48, 48) uint8 faces -> (n, 7) calibrated probabilities."""

ENGINES = ("litert", "keras")
KERAS_NAME = "emotion.keras"
TIMED = 200
TIMED_SECONDS = 3.0
"""At most so many single faces, or so long, are timed."""


def engine(name: str, weights: Path = WEIGHTS) -> Engine:
    """The network in an engine: `litert` as it is served, or the float weights in `keras`, both calibrated."""
    if name == "litert":
        return EmotionClassifier.load(weights).probabilities
    if name == "keras":
        return _keras_engine(weights)
    raise ValueError(f"engine: expected one of {ENGINES}, received {name!r}.")


def _keras_engine(weights: Path) -> Engine:
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    import keras

    manifest = Manifest.load(weights)
    manifest.read(KERAS_NAME)
    model = keras.models.load_model(weights / KERAS_NAME, compile=False)

    def probabilities(faces: Bytes) -> Floats:
        pixels = faces[..., np.newaxis].astype(np.float32)
        return calibrated(np.asarray(model.predict(pixels, batch_size=256, verbose=0)), manifest.temperature)

    return probabilities


def evaluate(faces: FaceSet, usage: str, classify: Engine) -> dict[str, Any]:
    """Figures for the rows of one usage. `dev` is the part of Training that nothing was learned from."""
    rows = dataset.divide(faces).dev if usage == "dev" else faces.where(usage)
    chosen = dataset.keep(faces, rows)
    probabilities = classify(chosen.pixels)
    right = probabilities.argmax(axis=1) == chosen.labels
    return {
        "n": len(rows),
        "accuracy": round(float(right.mean()), 4),
        "accuracy_deduplicated": round(float(right[_firsts(faces, rows)].mean()), 4),
        **figures(probabilities, chosen.labels),
        "ms_per_face": round(milliseconds_per_face(classify, chosen.pixels), 3),
    }


def figures(probabilities: Floats, labels: npt.NDArray[np.int64]) -> dict[str, Any]:
    """What the confusion and the confidences say; a recall is None where a label has no face."""
    table = confusion(probabilities.argmax(axis=1), labels)
    found = [None if math.isnan(value) else round(float(value), 4) for value in recalls(table)]
    return {
        "macro_f1": round(macro_f1(table), 4),
        "recall": dict(zip(LABELS, found, strict=True)),
        "ece": round(calibration_error(probabilities, labels), 4),
        "confusion": table.tolist(),
    }


def _firsts(faces: FaceSet, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Which of `rows` are a picture's first among them, and in no other usage of the data."""
    groups = repeat_groups(faces.pixels)
    others = faces.usage != faces.usage[rows[0]]
    first = np.zeros(len(rows), bool)
    first[np.unique(groups[rows], return_index=True)[1]] = True
    return first & ~np.isin(groups[rows], groups[others])


def milliseconds_per_face(classify: Engine, faces: Bytes) -> float:
    """The median time of one face alone, after a warm-up."""
    for index in range(10):
        classify(faces[index % len(faces)][np.newaxis])
    times: list[float] = []
    while len(times) < TIMED and sum(times) < TIMED_SECONDS:
        face = faces[len(times) % len(faces)][np.newaxis]
        began = time.perf_counter()
        classify(face)
        times.append(time.perf_counter() - began)
    return float(np.median(times)) * 1000


def parameters(weights: Path = WEIGHTS) -> int:
    """The number of parameters, counted in the float weights, moving statistics included."""
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    import keras

    return int(keras.models.load_model(weights / KERAS_NAME, compile=False).count_params())


def show(result: dict[str, Any], console: Console) -> None:
    """The figures as a person reads them."""
    table = Table("true \\ read", *LABELS, "recall")
    for label, row in zip(LABELS, result["confusion"], strict=True):
        table.add_row(label, *map(str, row), str(result["recall"][label]))
    console.print(table)
    for name, value in result.items():
        if name not in ("confusion", "recall"):
            console.print(f"{name}: {value}")


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m ml.evaluate", description="Measure the network.")
    parser.add_argument("--data", type=Path, required=True, help="the challenge's CSV (.gz, .xz, .zip) or a folder")
    parser.add_argument("--usage", default="PublicTest", help="Training, PublicTest, PrivateTest, or dev")
    parser.add_argument("--engine", choices=ENGINES, default="litert")
    parser.add_argument("--weights", type=Path, default=WEIGHTS, help="the folder of weights and manifest")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(argv)
    try:
        result = evaluate(dataset.read(options.data), options.usage, engine(options.engine, options.weights))
    except dataset.DataError as error:
        raise SystemExit(f"ml.evaluate: {error}") from error
    result |= {
        "parameters": parameters(options.weights),
        "model_version": Manifest.load(options.weights).model_version,
        "engine": options.engine,
    }
    if options.json:
        print(json.dumps(result))
    else:
        show(result, Console())


if __name__ == "__main__":
    main()
