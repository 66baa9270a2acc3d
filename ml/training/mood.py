"""Fits how a whole class is read (`ml.manifest.MoodModel`) from the served network's answers on dev."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ml.manifest import MoodModel
from ml.quantify import COUNT, MoodEstimator, centred_logarithms, recalibrated

Array = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]

PULL = 1e-4
"""How strongly the matrix is held to the identity (ridge): dev has few faces of the rare emotions."""
STEPS = 50
CLOSE = 1e-6
FOLDS = 5
CLASS_SIZE = 500
CLASSES = 200
TO_COVER = 0.90
LARGEST_ERROR = 0.3
HALVINGS = 6


def fit_mood(probabilities: npt.NDArray[np.float32], labels: Labels) -> dict[str, Any]:
    """The manifest's `mood`: matrix, bias, prior and model error, from (n, 7) calibrated probabilities of dev.

    Matrix and bias from all of dev; the model error from classes of faces that the matrix was not fitted on.
    Raises ValueError when an emotion has fewer faces than there are folds.
    """
    given, prior = probabilities.astype(np.float64), np.bincount(labels, minlength=COUNT) / len(labels)
    if np.bincount(labels, minlength=COUNT).min() < FOLDS:
        raise ValueError(
            f"mood: expected {FOLDS} faces of each emotion or more on dev, received {prior * len(labels)}."
        )
    matrix, bias = fit_matrix(given, labels)
    return {
        "matrix": np.round(matrix, 5).tolist(),
        "bias": np.round(bias, 5).tolist(),
        "prior": np.round(prior, 6).tolist(),
        "model_error": _model_error(_out_of_fold(given, labels, prior), labels, prior),
    }


def fit_matrix(probabilities: Array, labels: Labels) -> tuple[Array, Array]:
    """Multinomial logistic regression of the labels on the centred logarithms, by Newton's method."""
    inputs = np.column_stack([centred_logarithms(probabilities), np.ones(len(labels))])
    target = np.eye(COUNT)[labels]
    start = np.column_stack([np.eye(COUNT), np.zeros(COUNT)])
    pull = np.tile(np.append(np.full(COUNT, PULL), 1e-6), COUNT)
    weights = start.copy()
    for _ in range(STEPS):
        step = _newton_step(weights, start, inputs, target, pull)
        before = _loss(weights, start, inputs, target, pull)
        while _loss(weights - step, start, inputs, target, pull) > before and np.abs(step).max() > CLOSE:
            step /= 2
        weights = weights - step
        if np.abs(step).max() <= CLOSE:
            break
    return weights[:, :COUNT], weights[:, COUNT]


def _loss(weights: Array, start: Array, inputs: Array, target: Array, pull: Array) -> float:
    """Mean log loss plus the pull towards `start`."""
    logits = inputs @ weights.T
    logits -= logits.max(axis=1, keepdims=True)
    surprise = np.log(np.exp(logits).sum(axis=1)) - (logits * target).sum(axis=1)
    return float(surprise.mean() + (pull * (weights - start).ravel() ** 2).sum() / 2)


def _newton_step(weights: Array, start: Array, inputs: Array, target: Array, pull: Array) -> Array:
    """What to take off the (7, 8) weights: Hessian^-1 gradient of the loss."""
    logits = inputs @ weights.T
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    answers = powers / powers.sum(axis=1, keepdims=True)
    gradient = ((answers - target).T @ inputs / len(inputs)).ravel() + pull * (weights - start).ravel()
    curvature = answers[:, :, None] * np.eye(COUNT) - answers[:, :, None] * answers[:, None, :]
    hessian = np.einsum("nab,ni,nj->aibj", curvature, inputs, inputs, optimize=True) / len(inputs)
    size = weights.size
    return np.linalg.solve(hessian.reshape(size, size) + np.diag(pull), gradient).reshape(weights.shape)


def _out_of_fold(probabilities: Array, labels: Labels, prior: Array) -> Array:
    """Each face recalibrated by a matrix that was fitted on other faces."""
    honest = np.empty_like(probabilities)
    folds = np.random.default_rng(0).permutation(len(labels)) % FOLDS
    for fold in range(FOLDS):
        others, own = folds != fold, folds == fold
        matrix, bias = fit_matrix(probabilities[others], labels[others])
        honest[own] = recalibrated(probabilities[own], MoodModel(matrix, bias, prior, 0.0))
    return honest


def _model_error(honest: Array, labels: Labels, prior: Array) -> float:
    """The smallest error with which the bands of large random classes cover nine shares in ten."""
    rng = np.random.default_rng(0)
    pools = [np.flatnonzero(labels == label) for label in range(COUNT)]
    counts = [rng.multinomial(CLASS_SIZE, rng.dirichlet(np.ones(COUNT))) for _ in range(CLASSES)]
    drawn = [np.concatenate([rng.choice(pool, k) for pool, k in zip(pools, count, strict=True)]) for count in counts]
    truths = np.array(counts) / CLASS_SIZE
    low, high = 0.0, LARGEST_ERROR
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if _covered([honest[d] for d in drawn], truths, prior, middle) else (middle, high)
    return round(high, 4)


def _covered(classes: list[Array], truths: Array, prior: Array, error: float) -> bool:
    """Whether the bands of these classes, with this model error, hold TO_COVER of the true shares or more."""
    estimator = MoodEstimator(MoodModel(np.eye(COUNT), np.zeros(COUNT), prior, error))
    bands = [estimator.estimate(faces) for faces in classes]
    low, high = np.array([band.low for band in bands]), np.array([band.high for band in bands])
    return bool(((low - 1e-6 <= truths) & (truths <= high + 1e-6)).mean() >= TO_COVER)
