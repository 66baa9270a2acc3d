"""What each part of the recipe gains: `python -m ml.ablate --data FILE --votes FILE --runs FOLDER`.

Short trainings from random weights, alike but for one part each. What is measured on dev is the average of the
weights, as floats, and beside it the last weights, which shows what averaging gains. Each difference has the error
that comes from the choice of faces in dev; another seed would move it, too. Interrupted, the same command goes on;
what is finished in the folder is not done again. A part that pays only in a long training shows less here than it
gains there.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from ml.measuring.measures import figures
from ml.serving.classifier import calibrated
from ml.train import PRECISIONS, Data, Training, load_data
from ml.training.calibration import fit_calibration
from ml.training.networks import predict
from ml.training.recipe import RECIPES, Recipe

Floats = npt.NDArray[np.float32]

ARCHITECTURE = "roomtone"
SHORT = replace(RECIPES[ARCHITECTURE], epochs=16, warm_up=1, decay=8, full=4, ema=0.99, measure=16)
"""The average looks back over one epoch: ten, as in a long training, would hold it in the middle of the fall."""

PARTS: dict[str, dict[str, Any]] = {
    "the short recipe": {},
    "no votes": {"votes_weight": 0.0},
    "no augmentation": {"augment": 0},
    "no smoothing": {"smoothing": 0.0},
    "no fall of the rate": {"decay": 0},
    "sharpness-aware steps at the end": {"sharp": 4},
    "mixed faces": {"mixed": 0.4},
}


@dataclass(frozen=True, slots=True)
class Answers:
    """(n, 7) probabilities for dev, of a training's averaged weights and of its last ones."""

    averaged: Floats
    last: Floats


def answers(part: str, recipe: Recipe, data: Data, runs: Path, progress: Progress) -> Answers:
    """Train; or read the answers from the training's folder, where it has been finished before."""
    folder = runs / part.replace(" ", "-")
    folder.mkdir(parents=True, exist_ok=True)
    known = folder / "answers.npz"
    if not known.exists():
        unfinished, trained = folder / "unfinished.npz", _trained(recipe, data, folder, progress)
        np.savez(unfinished, averaged=trained.averaged, last=trained.last)
        unfinished.replace(known)
    with np.load(known) as found:
        return Answers(found["averaged"], found["last"])


def _trained(recipe: Recipe, data: Data, folder: Path, progress: Progress) -> Answers:
    keras.utils.set_random_seed(recipe.seed)
    training = Training(ARCHITECTURE, recipe, data, folder)
    training.resume()
    training.run(progress)

    def asked(weights: Sequence[Floats]) -> Floats:
        training.measured.set_weights(weights)
        raw = predict(training.measured, data.dev.pixels)
        # Smoothed and mixed labels make a network shy: without this, the cross-entropy would measure that alone.
        return np.asarray(calibrated(raw, *fit_calibration(raw, data.dev.labels)), np.float32)

    return Answers(asked(training.average.weights), asked(training.model.get_weights()))


def compared(results: dict[str, Answers], labels: npt.NDArray[np.int64]) -> dict[str, dict[str, Any]]:
    """Of each training: its figures, and how much more of dev it reads right than the first one: `difference`, and
    its standard error over the faces, `difference_error`; `accuracy_last`: of the last weights."""
    right = {part: (found.averaged.argmax(axis=1) == labels).astype(float) for part, found in results.items()}
    first = next(iter(right.values()))
    return {
        part: {
            "accuracy": round(float(right[part].mean()), 4),
            "accuracy_last": round(float((found.last.argmax(axis=1) == labels).mean()), 4),
            "difference": round(float((right[part] - first).mean()), 4),
            "difference_error": round(float((right[part] - first).std() / np.sqrt(len(labels))), 4),
            **figures(found.averaged, labels),
        }
        for part, found in results.items()
    }


def table(rows: dict[str, dict[str, Any]]) -> Table:
    """Each training beside the first one: points of accuracy and of macro-F1, and cross-entropy; and the accuracy of
    its last weights."""
    shown = Table("", "accuracy, dev", "difference", "macro-F1", "cross-entropy", "last weights")
    for part, found in rows.items():
        difference = f"{100 * found['difference']:+.1f} ± {100 * found['difference_error']:.1f}"
        shown.add_row(
            part,
            f"{100 * found['accuracy']:.1f}",
            difference if found["difference_error"] else "",
            f"{100 * found['macro_f1']:.1f}",
            f"{found['cross_entropy']:.3f}",
            f"{100 * found['accuracy_last']:.1f}",
        )
    return shown


def main(argv: list[str] | None = None) -> None:
    options = _arguments(argv)
    console, keeping = Console(stderr=options.json), keras.mixed_precision.dtype_policy().name
    keras.mixed_precision.set_global_policy(options.precision)
    try:
        data = load_data(options, console)
        with Progress(console=console) as progress:
            results = {
                part: answers(part, replace(SHORT, **changes), data, options.runs, progress)
                for part, changes in PARTS.items()
            }
    except ValueError as error:
        raise SystemExit(f"ml.ablate: {error}") from error
    finally:
        keras.mixed_precision.set_global_policy(keeping)
    rows = compared(results, data.dev.labels)
    if options.json:
        print(json.dumps(rows))
    else:
        console.print(table(rows))


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m ml.ablate", description="What each part of the recipe gains.")
    parser.add_argument("--data", type=Path, required=True, help="the challenge's CSV (.gz, .xz, .zip) or a folder")
    parser.add_argument("--votes", type=Path, help="fer2013new.csv, the FER+ votes of the same rows")
    parser.add_argument("--runs", type=Path, required=True, help="the folder of the trainings")
    parser.add_argument("--precision", default="float32", choices=PRECISIONS)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(teacher=[])
    return parser.parse_args(argv)


if __name__ == "__main__":
    main()
