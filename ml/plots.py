"""Pictures of the figures: `python -m ml.plots --data FILE [--log log.jsonl] --out DIR`. Needs matplotlib.

confusion.png, reliability.png and coverage.png are of the served network; training.png is of a training's log.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from rich.console import Console

from ml.data import dataset
from ml.evaluate import rows_of
from ml.labels import LABELS
from ml.lesson import Lesson
from ml.measuring.measures import BINS, calibration_error, confusion, coverage_curve, in_a_lesson, reliability
from ml.serving.classifier import EmotionClassifier
from ml.serving.manifest import WEIGHTS, ModelFileError

Floats = npt.NDArray[np.float32]
Indexes = npt.NDArray[np.int64]


def confusion_figure(probabilities: Floats, labels: Indexes) -> Figure:
    """Rows: what the data says; columns: what the network reads; shares of a row."""
    table = confusion(probabilities.argmax(axis=1), labels)
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    figure, axes = _figure(5.6, 5.0)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.ndindex(shares.shape):
        colour = "white" if shares[row, column] > 0.55 else "black"
        axes.text(column, row, f"{100 * shares[row, column]:.0f}", ha="center", va="center", color=colour)
    axes.set(xticks=range(len(LABELS)), yticks=range(len(LABELS)), xlabel="read as", ylabel="label in the data")
    axes.set_xticklabels(LABELS, rotation=45)
    axes.set_yticklabels(LABELS)
    axes.set_title("Of 100 faces with a label, how many are read as …")
    return figure


def reliability_figure(probabilities: Floats, labels: Indexes) -> Figure:
    """Confidence against accuracy in bins: on the diagonal, "70 % sure" is right seven times in ten."""
    confidence, accuracy, counts = reliability(probabilities, labels)
    figure, axes = _figure(5.0, 4.6)
    axes.plot([0, 1], [0, 1], color="#999999", linewidth=1)
    axes.bar(
        np.arange(BINS) / BINS, np.nan_to_num(accuracy), 1 / BINS, align="edge", color="#9ec5e8", edgecolor="white"
    )
    axes.scatter(confidence, accuracy, s=12 + 0.2 * counts, color="#1f5f99", zorder=3)
    axes.set(xlabel="confidence", ylabel="accuracy", xlim=(0, 1), ylim=(0, 1))
    axes.set_title(f"Expected calibration error {calibration_error(probabilities, labels):.3f}")
    return figure


def coverage_figure(probabilities: Floats, labels: Indexes, lesson: Lesson) -> Figure:
    """How often readings are right when only the more confident ones count: of these faces, and of faces as frequent
    as in a lesson."""
    confidence, right, weights = in_a_lesson(probabilities, labels, lesson)
    figure, axes = _figure(5.6, 4.2)
    for name, counted, colour in (
        ("in a lesson", weights, "#1f5f99"),
        ("of these faces", weights * 0 + 1, "#888888"),
    ):
        thresholds, coverage, accuracy = coverage_curve(confidence, right, counted)
        axes.plot(coverage, accuracy, color=colour, label=name)
        kept = max(int((thresholds >= lesson.uncertain_below).sum()) - 1, 0)
        axes.scatter([coverage[kept]], [accuracy[kept]], color="#c04a2b", zorder=3)
    axes.legend(title=f"Certain (dot): {lesson.uncertain_below:.2f} or more", loc="lower left")
    axes.set(xlabel="share of the readings that count", ylabel="of these, right", xlim=(0, 1), ylim=(0.5, 1.01))
    return figure


def training_figure(lines: list[dict[str, Any]]) -> Figure:
    """Loss and dev accuracy over the epochs of a training's log."""
    figure, axes = _figure(6.4, 4.2)
    axes.plot([line["epoch"] for line in lines], [line["loss"] for line in lines], color="#888888")
    axes.set(xlabel="epoch", ylabel="loss (soft labels)")
    right = axes.twinx()
    measured = [(line["epoch"], line["dev_accuracy"]) for line in lines if line["dev_accuracy"] is not None]
    right.plot(*zip(*measured, strict=True), color="#1f5f99", marker="o", markersize=3)
    right.set_ylabel("accuracy on dev")
    return figure


def _figure(width: float, height: float) -> tuple[Figure, Any]:
    figure = Figure((width, height), layout="constrained")
    return figure, figure.subplots()


def main(argv: list[str] | None = None) -> None:
    options = _arguments(argv)
    mpl.rcParams["svg.hashsalt"] = "roomtone"
    options.out.mkdir(parents=True, exist_ok=True)
    figures = _of_network(options) if options.data else {}
    if options.log:
        figures["training"] = training_figure(_log(options.log))
    for name, figure in figures.items():
        figure.savefig(options.out / f"{name}.png", dpi=120, metadata={"Software": None})
        Console().print(f"Wrote {options.out / name}.png")


def _log(path: Path) -> list[dict[str, Any]]:
    try:
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError) as error:
        raise SystemExit(f"ml.plots: --log {path}: expected the lines that ml.train writes: {error}") from error


def _of_network(options: argparse.Namespace) -> dict[str, Figure]:
    try:
        faces = dataset.read(options.data)
        chosen = dataset.keep(faces, rows_of(faces, options.usage))
        classifier = EmotionClassifier.load(options.weights)
    except (dataset.DataError, ModelFileError) as error:
        raise SystemExit(f"ml.plots: {error}") from error
    probabilities, labels = classifier.probabilities(chosen.pixels), chosen.labels
    return {
        "confusion": confusion_figure(probabilities, labels),
        "reliability": reliability_figure(probabilities, labels),
        "coverage": coverage_figure(probabilities, labels, classifier.lesson),
    }


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m ml.plots", description="Draw the figures of the network.")
    parser.add_argument("--data", type=Path, help="the challenge's CSV or a folder; without it only the log is drawn")
    parser.add_argument("--usage", default="PublicTest", help="Training, PublicTest, PrivateTest, or dev")
    parser.add_argument("--weights", type=Path, default=WEIGHTS, help="the folder of weights and manifest")
    parser.add_argument("--log", type=Path, help="a training's log.jsonl")
    parser.add_argument("--out", type=Path, required=True, help="the folder for the pictures")
    return parser.parse_args(argv)


if __name__ == "__main__":
    main()
