"""Reading the network's output honestly: its calibration, and the confidence under which it does not know."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ml.labels import LABELS
from ml.serving.classifier import SMALLEST_PROBABILITY

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


def fit_calibration(raw: Floats, labels: Indexes) -> tuple[float, npt.NDArray[np.float64]]:
    """Temperature and a bias per label, under which these labels are the least surprising (Alexandari et al. 2020).

    `raw`: (n, 7) probabilities. The biases give back what smoothed labels and the averaging of votes took from the
    rare emotions. A weak prior (one standard deviation) holds both near no correction where faces are few. Convex in
    the temperature's inverse and the biases: Newton's method.
    """
    count = len(LABELS)
    logarithms = np.log(np.maximum(raw.astype(np.float64), SMALLEST_PROBABILITY))
    # (n, 7, 8): what each of the eight numbers adds to each label's logit.
    inputs = np.concatenate([logarithms[..., None], np.broadcast_to(np.eye(count), (len(raw), count, count))], axis=2)
    none = np.eye(1 + count)[0]
    found = none.copy()
    for _ in range(ROUNDS):
        step = np.linalg.solve(*_slopes(inputs, labels, found, none))
        found -= step
        found[0] = max(found[0], LEAST_SHARPNESS)
        if np.abs(step).max() < 1e-6:
            break
    return float(1 / found[0]), found[1:]


def _slopes(
    inputs: npt.NDArray[np.float64], labels: Indexes, at: npt.NDArray[np.float64], prior: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The second (8, 8) and first (8,) derivatives of the surprise, the prior's included."""
    logits = inputs @ at
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    mean = np.einsum("nk,nkp->np", shares, inputs)
    first = (mean - inputs[np.arange(len(labels)), labels]).sum(axis=0) + at - prior
    second = np.einsum("nk,nkp,nkq->pq", shares, inputs, inputs, optimize=True) - mean.T @ mean
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
