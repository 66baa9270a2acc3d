"""What each part of the recipe gains: `python -m ml.ablate --data FILE --votes FILE --runs FOLDER`.

Short trainings from random weights, alike but for one part each. What is measured on dev is the average of the
weights, as floats. Interrupted, the same command goes on; what is finished in the folder is not done again. A part
that pays only in a long training shows less here than it gains there.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from ml.classifier import calibrated
from ml.measures import figures
from ml.train import PRECISIONS, Data, Training, load_data
from ml.training.calibration import fit_calibration
from ml.training.networks import predict
from ml.training.recipe import RECIPES, Recipe

ARCHITECTURE = "roomtone"
SHORT = replace(RECIPES[ARCHITECTURE], epochs=24, warm_up=1, decay=12, full=6, sharp=6, measure=24)
PARTS: dict[str, dict[str, Any]] = {
    "the whole recipe": {},
    "no augmentation": {"augment": 0},
    "no votes": {"votes_weight": 0.0},
    "no smoothing": {"smoothing": 0.0},
    "no average": {"ema": 0.0},
    "no sharp steps": {"sharp": 0},
    "no fall of the rate": {"decay": 0},
    "mixed faces": {"mixed": 0.4},
}


def result(part: str, recipe: Recipe, data: Data, runs: Path, progress: Progress) -> dict[str, Any]:
    """What dev says of this training; from its folder, where it has been finished before."""
    folder = runs / part.replace(" ", "-")
    folder.mkdir(parents=True, exist_ok=True)
    known = folder / "result.json"
    if not known.exists():
        unfinished = known.with_suffix(".unfinished")
        unfinished.write_text(json.dumps(_trained(recipe, data, folder, progress)), encoding="utf-8")
        unfinished.replace(known)
    found: dict[str, Any] = json.loads(known.read_text(encoding="utf-8"))
    return found


def _trained(recipe: Recipe, data: Data, folder: Path, progress: Progress) -> dict[str, Any]:
    keras.utils.set_random_seed(recipe.seed)
    training = Training(ARCHITECTURE, recipe, data, folder)
    training.resume()
    training.run(progress)
    training.measured.set_weights(training.average.weights)
    raw, labels = predict(training.measured, data.dev.pixels), data.dev.labels
    # Smoothed and mixed labels make a network shy: without this, the cross-entropy would measure that alone.
    probabilities = calibrated(raw, *fit_calibration(raw, labels))
    accuracy = float((probabilities.argmax(axis=1) == labels).mean())
    return {"accuracy": round(accuracy, 4), **figures(probabilities, labels)}


def table(results: dict[str, dict[str, Any]]) -> Table:
    """Each training beside the first one: points of accuracy and of macro-F1, and cross-entropy."""
    shown = Table("", "accuracy, dev", "difference", "macro-F1", "cross-entropy")
    whole = next(iter(results.values()))["accuracy"]
    for part, found in results.items():
        accuracy, f1 = 100 * found["accuracy"], 100 * found["macro_f1"]
        shown.add_row(
            part, f"{accuracy:.1f}", f"{accuracy - 100 * whole:+.1f}", f"{f1:.1f}", f"{found['cross_entropy']:.3f}"
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
                part: result(part, replace(SHORT, **changes), data, options.runs, progress)
                for part, changes in PARTS.items()
            }
    except ValueError as error:
        raise SystemExit(f"ml.ablate: {error}") from error
    finally:
        keras.mixed_precision.set_global_policy(keeping)
    if options.json:
        print(json.dumps(results))
    else:
        console.print(table(results))


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
