"""Measure the network on labelled faces: `python -m ml.evaluate --data FILE --usage PublicTest --json`."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

from ml.data import dataset
from ml.data.dataset import FaceSet
from ml.data.repeats import repeat_groups
from ml.labels import LABELS
from ml.measuring.measures import figures
from ml.measuring.photographs import evaluate_enlarged, evaluate_photographs
from ml.measuring.robustness import robustness
from ml.serving.classifier import EmotionClassifier, calibrated
from ml.serving.manifest import KERAS_NAME, MANIFEST_NAME, WEIGHTS, Manifest, ModelFileError
from ml.serving.yunet_model import DetectorModelError

Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
Engine = Callable[[Bytes], Floats]
"""(n, 48, 48) uint8 faces -> (n, 7) calibrated probabilities."""

ENGINES = ("litert", "keras")
USAGE = "PublicTest"
MOOD_SIZES = (5, 10, 30, 100, 500)
MOOD_CLASSES = 2000
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
        raw = np.asarray(model.predict(pixels, batch_size=256, verbose=0))
        return calibrated(raw, manifest.temperature, manifest.biases)

    return probabilities


def evaluate(faces: FaceSet, usage: str, classify: Engine) -> dict[str, Any]:
    """Figures for the rows of one usage. `dev` is the part of Training that nothing was learned from."""
    rows = rows_of(faces, usage)
    chosen = dataset.keep(faces, rows)
    probabilities = classify(chosen.pixels)
    right, firsts = probabilities.argmax(axis=1) == chosen.labels, _firsts(faces, rows)
    return {
        "n": len(rows),
        "accuracy": round(float(right.mean()), 4),
        "accuracy_deduplicated": round(float(right[firsts].mean()), 4) if firsts.any() else None,
        **figures(probabilities, chosen.labels),
        "ms_per_face": round(milliseconds_per_face(classify, chosen.pixels), 3),
    }


def rows_of(faces: FaceSet, usage: str) -> npt.NDArray[np.int64]:
    """The rows of one usage, or those that training holds out as `dev`. Raises DataError when there is none."""
    return dataset.divide(faces).dev if usage == "dev" else faces.where(usage)


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
    """The number of the network's parameters, as its export counted them, moving statistics included.

    Raises ModelFileError where the manifest says nothing of them."""
    Manifest.load(weights)
    counted = json.loads((weights / MANIFEST_NAME).read_text(encoding="utf-8")).get("parameters")
    if not isinstance(counted, int):
        raise ModelFileError(f"{MANIFEST_NAME}: expected a whole number of parameters, received {counted!r}.")
    return counted


def class_mood(probabilities: Floats, labels: npt.NDArray[np.int64], weights: Path, classes: int) -> dict[str, Any]:
    """Random classes drawn from these faces: the mean absolute error of an emotion's share, in points, by counting
    labels and by our estimate, how many of the 90 % bands hold the truth, over the labels and of the label that does
    worst; how many points more look troubled in our estimate than do, with the coverage and width of their band."""
    from ml.measuring.quantify_compare import COUNTED, MEASURED, compare

    manifest, only = Manifest.load(weights), (COUNTED, MEASURED)
    rows = compare(probabilities.astype(np.float64), labels, manifest, MOOD_SIZES, classes, only=only)
    return {
        "classes": classes,
        "moods": [
            {
                "mix": row.mix,
                "faces": row.faces,
                "counting": row.errors[COUNTED],
                "estimate": row.errors[MEASURED],
                "coverage": row.mean_coverage,
                "worst_label": row.worst,
                "worst_coverage": row.coverage[row.worst],
                "troubled_bias": row.troubled,
                "troubled_coverage": row.troubled_coverage,
                "troubled_width": row.troubled_width,
            }
            for row in rows
        ],
    }


def show(result: dict[str, Any], console: Console) -> None:
    """The figures as a person reads them."""
    if "confusion" in result:
        table = Table("true \\ read", *LABELS, "recall")
        for label, row in zip(LABELS, result["confusion"], strict=True):
            table.add_row(label, *map(str, row), str(result["recall"][label]))
        console.print(table)
    for name, value in result.items():
        if name not in ("confusion", "recall"):
            console.print(f"{name}: {value}")


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """What the command line asks for. Raises DataError."""
    classify = engine(options.engine, options.weights)
    if options.detect and not options.data.is_file():
        return _with_progress(lambda told: evaluate_photographs(options.data, classify, options.usage, told))
    faces, usage = dataset.read(options.data), options.usage or USAGE
    if not (options.class_mood or options.robustness or options.detect):
        return evaluate(faces, usage, classify)
    chosen = dataset.keep(faces, rows_of(faces, usage))
    if options.detect:
        return _with_progress(lambda told: evaluate_enlarged(chosen.pixels, chosen.labels, classify, told))
    if options.robustness:
        return robustness(chosen.pixels, chosen.labels, classify)
    return class_mood(classify(chosen.pixels), chosen.labels, options.weights, options.classes)


def _with_progress(work: Callable[[Callable[[int], None]], dict[str, Any]]) -> dict[str, Any]:
    with Console(stderr=True).status("Reading photographs") as status:
        return work(lambda count: status.update(f"Reading photographs: {count:,}"))


def main(argv: list[str] | None = None) -> None:
    options = _arguments(argv)
    try:
        network = {
            "parameters": parameters(options.weights),
            "model_version": Manifest.load(options.weights).model_version,
            "engine": options.engine,
        }
        result = measure(options) | network
    except (dataset.DataError, ModelFileError, DetectorModelError) as error:
        raise SystemExit(f"ml.evaluate: {error}") from error
    for folder in result.get("left_out", ()):
        print(f"ml.evaluate: left out, since it names no label or is no picture: {folder}", file=sys.stderr)
    if options.json:
        print(json.dumps(result))
    else:
        show(result, Console())


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m ml.evaluate", description="Measure the network.")
    parser.add_argument("--data", type=Path, required=True, help="the challenge's CSV (.gz, .xz, .zip) or a folder")
    parser.add_argument(
        "--usage", help=f"Training, PublicTest, PrivateTest, or dev (default {USAGE}; with --detect, every picture)"
    )
    parser.add_argument("--engine", choices=ENGINES, default="litert")
    parser.add_argument("--weights", type=Path, default=WEIGHTS, help="the folder of weights and manifest")
    parser.add_argument(
        "--classes", type=int, default=MOOD_CLASSES, help="random classes of each kind for --class-mood"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--detect",
        action="store_true",
        help="find the faces, too, on a folder of photographs; of a file the faces are enlarged to some",
    )
    what.add_argument("--robustness", action="store_true", help="accuracy on faces degraded as webcams do")
    what.add_argument("--class-mood", action="store_true", help="the error of a class's estimated mood")
    return parser.parse_args(argv)


if __name__ == "__main__":
    main()
