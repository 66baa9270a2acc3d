"""Reading the network's output honestly: its calibration, and the confidence under which it does not know."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ml.labels import LABELS
from ml.serving.classifier import SMALLEST_PROBABILITY, calibrated

Floats = npt.NDArray[np.floating]
Bools = npt.NDArray[np.bool_]
Indexes = npt.NDArray[np.int64]

ROUNDS = 50
"""Newton's method needs about ten."""
LEAST_SHARPNESS = 0.05
NEIGHBOURS = 0.05
RIGHT = 0.5
FEWEST = 30
"""Faces near a confidence, under which nothing is said of it."""
LEAST_FOUND = 0.55
"""Of each label's faces, at least this share should be read as what they are. A little over the half, since other
faces are read less well than those that this is asked of."""
STEP = 1.05


@dataclass(frozen=True, slots=True)
class Calibration:
    """How raw probabilities are corrected, and the (7,) shares of the labels that the corrected ones assume."""

    temperature: float
    biases: npt.NDArray[np.float64]
    assumed: npt.NDArray[np.float64]


def fit_so_that_all_are_found(raw: Floats, labels: Indexes, shares: Floats) -> Calibration:
    """The calibration that assumes as little more of the labels that are missed most as makes them found.

    `raw`: (n, 7) probabilities of faces among which the labels have the (7,) `shares`. Where faces look alike, a
    network says the label that is the more frequent, and may hardly ever say the other. So a label of which fewer
    than LEAST_FOUND of the faces are found is taken to be more frequent, step by step, at most some ten times.
    """
    weights = np.ones(len(LABELS))
    for _ in range(ROUNDS):
        temperature, biases = fit_calibration(raw, labels, weights[labels])
        missed = _found(calibrated(raw, temperature, biases).argmax(axis=1), labels) < LEAST_FOUND
        if not missed.any():
            break
        weights[missed] *= STEP
    assumed = np.asarray(shares) * weights
    return Calibration(temperature, biases, assumed / assumed.sum())


def _found(read: Indexes, labels: Indexes) -> Floats:
    """(7,) the share of each label's faces that are read as it; 1 where there are none."""
    faces = np.bincount(labels, minlength=len(LABELS))
    found = np.bincount(labels[read == labels], minlength=len(LABELS))
    return np.where(faces > 0, found / np.maximum(faces, 1), 1.0)


def fit_calibration(
    raw: Floats, labels: Indexes, weights: Floats | None = None
) -> tuple[float, npt.NDArray[np.float64]]:
    """Temperature and a bias per label, under which these labels are the least surprising (Alexandari et al. 2020).

    `raw`: (n, 7) probabilities; `weights`: (n,) how much each counts, if not alike. The biases give back what
    smoothed labels and the averaging of votes took from the rare emotions. A weak prior (one standard deviation)
    holds both near no correction where faces are few. Convex in the temperature's inverse and the biases: Newton's
    method.
    """
    counts = np.ones(len(raw)) if weights is None else weights
    count = len(LABELS)
    logarithms = np.log(np.maximum(raw.astype(np.float64), SMALLEST_PROBABILITY))
    # (n, 7, 8): what each of the eight numbers adds to each label's logit.
    inputs = np.concatenate([logarithms[..., None], np.broadcast_to(np.eye(count), (len(raw), count, count))], axis=2)
    none = np.eye(1 + count)[0]
    found = none.copy()
    for _ in range(ROUNDS):
        step = np.linalg.solve(*_slopes(inputs, labels, counts, found, none))
        found -= step
        found[0] = max(found[0], LEAST_SHARPNESS)
        if np.abs(step).max() < 1e-6:
            break
    return float(1 / found[0]), found[1:]


def _slopes(
    inputs: npt.NDArray[np.float64],
    labels: Indexes,
    counts: Floats,
    at: npt.NDArray[np.float64],
    prior: npt.NDArray[np.float64],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The second (8, 8) and first (8,) derivatives of the surprise, the prior's included."""
    logits = inputs @ at
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    mean = np.einsum("nk,nkp->np", shares, inputs)
    first = counts @ (mean - inputs[np.arange(len(labels)), labels]) + at - prior
    second = np.einsum("n,nk,nkp,nkq->pq", counts, shares, inputs, inputs, optimize=True) - (mean.T * counts) @ mean
    return second + np.eye(len(at)), first


def uncertain_below(confidence: Floats, right: Bools, weights: Floats) -> float:
    """The least confidence from which on readings are right at least as often as wrong, in steps of 0.01.

    Asked of the readings within 0.05 of each, where there are at least FEWEST. Below it a reading says less than a
    toss of a coin, and counts as uncertain. `weights`: how much each reading counts.
    """
    found = 0.9
    for threshold in np.arange(0.89, 0.195, -0.01):
        near = np.abs(confidence - threshold) <= NEIGHBOURS
        if near.sum() < FEWEST:
            continue
        if np.average(right[near], weights=weights[near]) < RIGHT:
            break
        found = round(float(threshold), 2)
    return found
