"""What is measured on labelled faces: pure functions of (n, 7) probabilities and (n,) labels."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from ml.labels import LABELS
from ml.lesson import Lesson, lesson_odds
from ml.serving.classifier import SMALLEST_PROBABILITY

Floats = npt.NDArray[np.floating]
Bools = npt.NDArray[np.bool_]
Indexes = npt.NDArray[np.int64]

BINS = 15
"""Bins of the calibration error, as in Guo et al. 2017."""


def confusion(predicted: Indexes, labels: Indexes) -> npt.NDArray[np.int64]:
    """(7, 7) counts: row true, column predicted."""
    table = np.zeros((len(LABELS), len(LABELS)), np.int64)
    np.add.at(table, (labels, predicted), 1)
    return table


NONE_MISSED: Indexes = np.zeros(len(LABELS), np.int64)


def recalls(table: Indexes, missed: Indexes = NONE_MISSED) -> npt.NDArray[np.float64]:
    """(7,) shares of each label's faces that are read right; nan where a label has no face. `missed`: (7,) counts of
    faces that were not read at all."""
    with np.errstate(invalid="ignore"):
        return np.asarray(np.diag(table) / (table.sum(axis=1) + missed))


def macro_f1(table: Indexes, missed: Indexes = NONE_MISSED) -> float:
    """The mean over labels of F1; a label that occurs neither in truth nor in prediction is left out."""
    total = table.sum(axis=0) + table.sum(axis=1) + missed
    return float(np.mean(2 * np.diag(table)[total > 0] / total[total > 0]))


def reliability(probabilities: Floats, labels: Indexes) -> tuple[Floats, Floats, Indexes]:
    """(mean confidence, accuracy, count) of equally wide bins of confidence; nan where a bin is empty."""
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    place = np.minimum((confidence * BINS).astype(int), BINS - 1)
    counts = np.bincount(place, minlength=BINS)
    with np.errstate(invalid="ignore"):
        means = [np.bincount(place, weights=values, minlength=BINS) / counts for values in (confidence, right)]
    return means[0], means[1], counts


def calibration_error(probabilities: Floats, labels: Indexes) -> float:
    """Expected calibration error: mean distance of confidence and accuracy over the bins, weighed by their faces."""
    confidence, accuracy, counts = reliability(probabilities, labels)
    return float(np.nansum(counts * np.abs(confidence - accuracy)) / len(labels))


def cross_entropy(probabilities: Floats, labels: Indexes) -> float:
    """How little the labels were expected: the mean of -log of their probabilities, in nats. It moves less by chance
    than the accuracy does, so networks are chosen by it, on dev."""
    given = probabilities[np.arange(len(labels)), labels]
    return float(-np.log(np.maximum(given, SMALLEST_PROBABILITY)).mean())


def coverage_curve(confidence: Floats, right: Bools, weights: Floats) -> tuple[Floats, Floats, Floats]:
    """(thresholds, coverage, accuracy): what is kept when readings under a confidence are left out, and how often
    the kept ones are right; one point per face, the most confident first. `weights`: how much each face counts."""
    order = np.argsort(-confidence, kind="stable")
    kept = np.cumsum(weights[order])
    return confidence[order], kept / kept[-1], np.cumsum((right * weights)[order]) / kept


def in_a_lesson(probabilities: Floats, labels: Indexes, lesson: Lesson) -> tuple[Floats, Bools, Floats]:
    """Of faces, weighed so that their labels are as frequent as in a lesson: the probability that each reading has
    there, whether it is right, and the face's weight; (n,) each."""
    odds, read = np.array(lesson.odds), probabilities.argmax(axis=1)
    weighed = probabilities * odds
    confidence = weighed[np.arange(len(read)), read] / weighed.sum(axis=1)
    shares = np.bincount(labels, minlength=len(LABELS)) / len(labels)
    return confidence, read == labels, np.array(lesson_odds(shares.tolist()))[labels]


def figures(probabilities: Floats, labels: Indexes, missed: Indexes = NONE_MISSED) -> dict[str, Any]:
    """What the confusion and the confidences say; None where nothing says it. `missed`: (7,) counts of faces that
    were not read at all: they count as wrong, and have no confidence."""
    table = confusion(probabilities.argmax(axis=1), labels)
    each = recalls(table, missed)
    found = [None if math.isnan(value) else round(float(value), 4) for value in each]
    known = len(labels) > 0
    return {
        "macro_f1": round(macro_f1(table, missed), 4),
        "mean_recall": None if np.isnan(each).all() else round(float(np.nanmean(each)), 4),
        "recall": dict(zip(LABELS, found, strict=True)),
        "ece": round(calibration_error(probabilities, labels), 4) if known else None,
        "cross_entropy": round(cross_entropy(probabilities, labels), 4) if known else None,
        "confusion": table.tolist(),
    }
