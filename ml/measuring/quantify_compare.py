"""Compares ways to estimate a class's mood, on faces whose labels are known."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ml.data.problems import DataError
from ml.labels import INDEX, LABELS, NEUTRAL, TROUBLED
from ml.quantify import COUNT, MoodEstimate, MoodEstimator, recalibrated
from ml.serving.manifest import Manifest, ModelFileError

Array = npt.NDArray[np.float64]
Estimate = Callable[[Array], Array]
"""(n, 7) probabilities -> (7,) shares."""

SIZES = (1, 5, 30, 100, 500)
MIXES = ("dirichlet 1", "dirichlet 0.3", "mostly neutral")
CLASSES = 500
MEASURED = "roomtone"
"""The method that `MoodEstimator` is, and the only one with a band."""
COUNTED = "counting"
_TROUBLED = [INDEX[label] for label in TROUBLED]
SWEEPS, FIRST_SWEEPS = 150, 30
"""Of the sampler, and how many of them only forget where it began."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `errors`: mean absolute error of a share, in points, by method. `coverage`: share of the
    bands that hold the truth, by label; `width`: their mean width in points. Of those who look troubled: `troubled`,
    how many points more do in our estimate than do, on average (fewer: below 0), and the `troubled_coverage` and
    `troubled_width` of their band."""

    mix: str
    faces: int
    errors: dict[str, float]
    coverage: dict[str, float]
    width: float
    troubled: float
    troubled_coverage: float
    troubled_width: float

    @property
    def mean_coverage(self) -> float:
        """Over the labels. Rare ones are near nought, and their bands easily hold that: see `worst`, too."""
        return round(float(np.mean(list(self.coverage.values()))), 3)

    @property
    def worst(self) -> str:
        """The label whose bands hold the truth least often."""
        return min(self.coverage, key=self.coverage.__getitem__)


def random_mix(kind: str, rng: np.random.Generator) -> Array:
    """(7,) shares of a random class. `kind`: one of MIXES; mostly neutral is 70 to 95 %, as real classes are."""
    if kind == "mostly neutral":
        neutral = rng.uniform(0.7, 0.95)
        return np.insert(rng.dirichlet(np.full(COUNT - 1, 0.5)) * (1 - neutral), NEUTRAL, neutral)
    return rng.dirichlet(np.full(COUNT, float(kind.removeprefix("dirichlet "))))


def methods(manifest: Manifest, estimator: MoodEstimator) -> dict[str, Estimate]:
    """Every method by name: the plain ones, the ones from the literature, the one in use; and what no method beats by
    much, the mean over all mixes by someone who knows how the classes were drawn (Dirichlet, 1 or 0.3)."""

    def known(concentration: float) -> Estimate:
        return lambda given: _sampled(recalibrated(given, estimator.model) / estimator.model.prior, concentration)

    return {
        COUNTED: _counting,
        "mean probability": lambda given: np.asarray(given.mean(axis=0)),
        "adjusted count": lambda given: _solved(manifest.confusion, _counting(given)),
        "adjusted mean": lambda given: _solved(manifest.soft_confusion, given.mean(axis=0)),
        "EM": lambda given: _plain_em(given, manifest.priors),
        MEASURED: lambda given: estimator.estimate(given).shares.astype(np.float64),
        "knowing 1": known(1),
        "knowing 0.3": known(0.3),
    }


def compare(
    probabilities: Array,
    labels: npt.NDArray[np.int64],
    manifest: Manifest,
    sizes: Sequence[int] = SIZES,
    classes: int = CLASSES,
    only: Container[str] | None = None,
) -> list[Row]:
    """Draw random classes from labelled faces ((n, 7) probabilities, (n,) labels) and measure every method, or `only`
    those with these names.

    The truth is what the drawn faces' labels say: the mood of that class, not of the mix that it was drawn from.
    Raises DataError where a label has no face to draw.
    """
    if missing := [LABELS[label] for label in range(COUNT) if label not in labels]:
        raise DataError(f"expected faces of every emotion to draw classes from, found none of {', '.join(missing)}.")
    estimator, rng = MoodEstimator(manifest.mood), np.random.default_rng(0)
    pools = [np.flatnonzero(labels == label) for label in range(COUNT)]
    every = methods(manifest, estimator)
    named = {name: method for name, method in every.items() if only is None or name in only}
    return [
        _row(
            mix,
            size,
            [_drawn(mix, size, pools, rng) for _ in range(classes)],
            probabilities,
            labels,
            named,
            estimator,
        )
        for mix in MIXES
        for size in sizes
    ]


def _drawn(
    mix: str, size: int, pools: list[npt.NDArray[np.int64]], rng: np.random.Generator
) -> npt.NDArray[np.int64]:
    """Indexes of the faces of a random class."""
    counts = rng.multinomial(size, random_mix(mix, rng))
    return np.concatenate([rng.choice(pool, count) for pool, count in zip(pools, counts, strict=True)])


def _row(
    mix: str,
    size: int,
    drawn: Iterable[npt.NDArray[np.int64]],
    probabilities: Array,
    labels: npt.NDArray[np.int64],
    named: dict[str, Estimate],
    estimator: MoodEstimator,
) -> Row:
    errors: dict[str, list[float]] = {name: [] for name in named}
    truths, moods = [], []
    for indexes in drawn:
        truth = np.bincount(labels[indexes], minlength=COUNT) / size
        for name, method in named.items():
            errors[name].append(float(np.abs(method(probabilities[indexes]) - truth).mean()))
        truths.append(truth)
        moods.append(estimator.estimate(probabilities[indexes]))
    points = {name: round(100 * float(np.mean(found)), 2) for name, found in errors.items()}
    return Row(mix, size, points, *_bands(moods, np.array(truths)), *_troubled_bands(moods, np.array(truths)))


def _bands(moods: Sequence[MoodEstimate], truths: Array) -> tuple[dict[str, float], float]:
    """How often each label's bands hold the truth, (classes, 7), and their mean width in points."""
    low, high = np.array([mood.low for mood in moods]), np.array([mood.high for mood in moods])
    held = _held(low, truths, high).mean(axis=0)
    coverage = {label: round(float(part), 3) for label, part in zip(LABELS, held, strict=True)}
    return coverage, round(100 * float((high - low).mean()), 1)


def _troubled_bands(moods: Sequence[MoodEstimate], truths: Array) -> tuple[float, float, float]:
    """Of those who look troubled: how many points too many, how often their band holds the truth, its mean width."""
    shares, (low, high) = np.array([mood.shares for mood in moods]), np.array([mood.troubled for mood in moods]).T
    truth = truths[:, _TROUBLED].sum(axis=1)
    more, held = shares[:, _TROUBLED].sum(axis=1) - truth, _held(low, truth, high)
    return (
        round(100 * float(more.mean()), 1),
        round(float(held.mean()), 3),
        round(100 * float((high - low).mean()), 1),
    )


def _held(low: Array, truth: Array, high: Array) -> npt.NDArray[np.bool_]:
    return np.asarray((low - 1e-6 <= truth) & (truth <= high + 1e-6))


def _counting(given: Array) -> Array:
    """Shares of the most probable labels."""
    return np.bincount(given.argmax(axis=1), minlength=COUNT) / len(given)


def _solved(confusion: Array, seen: Array, rounds: int = 500) -> Array:
    """The mix whose faces a classifier of this (7, 7) confusion would see so: `confusion.T @ mix` nearest `seen`.

    Multiplicative steps keep the mix a mix (Lee and Seung 2001).
    """
    mix = np.full(COUNT, 1 / COUNT)
    for _ in range(rounds):
        mix = mix * (confusion @ (seen / np.maximum(confusion.T @ mix, 1e-12)))
        mix /= mix.sum()
    return mix


def _plain_em(given: Array, priors: Array, rounds: int = 100) -> Array:
    """Saerens, Latinne and Decaestecker (2002), as published."""
    mix = priors
    for _ in range(rounds):
        joint = np.maximum(given, 1e-7) / priors * mix
        mix = (joint / joint.sum(axis=1, keepdims=True)).mean(axis=0)
    return mix


def _sampled(plausibility: Array, concentration: float) -> Array:
    """The expected shares under a Dirichlet prior of this concentration, by Gibbs sampling.

    `plausibility`: (n, 7), proportional to P(face | emotion).
    """
    rng, mix, expected = np.random.default_rng(0), np.full(COUNT, 1 / COUNT), np.zeros(COUNT)
    for sweep in range(SWEEPS):
        posterior = plausibility * mix
        posterior /= posterior.sum(axis=1, keepdims=True)
        if sweep >= FIRST_SWEEPS:
            expected += posterior.mean(axis=0)
        drawn = (rng.random((len(posterior), 1)) > posterior.cumsum(axis=1)[:, :-1]).sum(axis=1)
        mix = rng.dirichlet(np.bincount(drawn, minlength=COUNT) + concentration)
    return expected / (SWEEPS - FIRST_SWEEPS)


def report(arguments: Sequence[str] | None = None) -> str:
    """What `python -m ml.quantify` prints, by its command line (default: this process's own)."""
    options = _options(arguments)
    try:
        rows = _compared(options)
    except (DataError, ModelFileError) as error:
        raise SystemExit(f"ml.quantify: {error}") from error
    return json.dumps([asdict(row) for row in rows]) if options.json else table(rows)


def _compared(options: argparse.Namespace) -> list[Row]:
    from ml.data.dataset import divide, read
    from ml.serving.classifier import EmotionClassifier

    manifest = Manifest.load(options.weights)
    faces = read(options.data)
    chosen = divide(faces).dev if options.usage == "dev" else faces.where(options.usage)
    probabilities = EmotionClassifier(manifest).probabilities(faces.pixels[chosen]).astype(np.float64)
    return compare(probabilities, faces.labels[chosen], manifest, classes=options.classes)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m ml.quantify", description="Compare ways to estimate a class's mood.")
    parser.add_argument(
        "--data", type=Path, required=True, help="FER2013's CSV, or folders of pictures named by label"
    )
    parser.add_argument(
        "--usage", default="PublicTest", help="the rows to draw classes from; dev: held out of Training"
    )
    parser.add_argument("--weights", type=Path, help="folder of weights (default: the ones in this package)")
    parser.add_argument("--classes", type=int, default=CLASSES, help="random classes per line")
    parser.add_argument("--json", action="store_true", help="print one list of objects")
    return parser.parse_args(arguments)


def table(rows: Sequence[Row]) -> str:
    """The rows for a person to read: errors in points."""
    names = list(rows[0].errors)
    lines = [
        f"{'class':<16}{'faces':>6}"
        + "".join(f"{name:>18}" for name in names)
        + f"{'coverage':>10}{'worst':>16}{'width':>7}{'troubled':>10}{'its coverage':>14}{'width':>7}"
    ]
    for row in rows:
        errors = "".join(f"{row.errors[name]:>18.2f}" for name in names)
        lines.append(
            f"{row.mix:<16}{row.faces:>6}{errors}{row.mean_coverage:>10.3f}"
            f"{f'{row.worst} {row.coverage[row.worst]:.3f}':>16}{row.width:>7.1f}"
            f"{row.troubled:>+10.1f}{row.troubled_coverage:>14.3f}{row.troubled_width:>7.1f}"
        )
    return "\n".join(lines)
