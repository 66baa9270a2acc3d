"""Fits how a whole class is read (`ml.serving.manifest.MoodModel`) from the served network's answers on dev."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from ml.quantify import COUNT, MoodEstimator, centred_logarithms, recalibrated
from ml.serving.manifest import MoodModel

Array = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]

PULL = 1e-4
"""How strongly the matrix is held to the identity (ridge): dev has few faces of the rare emotions."""
STEPS = 50
CLOSE = 1e-6
FEWEST_FACES = 5
"""Faces of each emotion without which nothing can be fitted."""
CLASS_SIZE = 500
CLASSES = 50
CONCENTRATIONS = (1.0, 0.3)
"""Of the Dirichlet distributions that the random classes' mixes come from."""
TO_COVER = 0.90
LARGEST_ERROR = 0.3
HALVINGS = 6


def fit_mood(probabilities: npt.NDArray[np.float32], labels: Labels) -> dict[str, Any]:
    """The manifest's `mood`: matrix, bias, prior and model error, from (n, 7) calibrated probabilities of dev.

    Raises ValueError when an emotion has fewer than FEWEST_FACES faces.
    """
    given, prior = probabilities.astype(np.float64), np.bincount(labels, minlength=COUNT) / len(labels)
    if np.bincount(labels, minlength=COUNT).min() < FEWEST_FACES:
        raise ValueError(
            f"mood: expected {FEWEST_FACES} faces of each emotion or more on dev, received {prior * len(labels)}."
        )
    matrix, bias = fit_matrix(given, labels)
    return {
        "matrix": np.round(matrix, 5).tolist(),
        "bias": np.round(bias, 5).tolist(),
        "prior": np.round(prior, 6).tolist(),
        "model_error": _model_error(given, labels, prior),
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


def _model_error(probabilities: Array, labels: Labels, prior: Array) -> float:
    """The model error with which the bands of large random classes cover nine shares in ten.

    Measured on classes drawn from one half of dev and read by a matrix fitted on the other half. Both halves' chance
    then enters; the served matrix rests on twice the faces, and other faces are as many again: over sqrt(2).
    """
    rng = np.random.default_rng(0)
    first = _halves(labels, rng)
    classes, truths = [], []
    for fitted in (first, ~first):
        model = MoodModel(*fit_matrix(probabilities[fitted], labels[fitted]), prior, 0.0)
        for faces, truth in _drawn_classes(~fitted, labels, rng):
            classes.append(recalibrated(probabilities[faces], model))
            truths.append(truth)
    return round(_smallest_error(classes, np.array(truths), prior) / math.sqrt(2), 4)


def _halves(labels: Labels, rng: np.random.Generator) -> npt.NDArray[np.bool_]:
    """(n,) which faces are in the first half; each emotion is halved on its own."""
    first = np.zeros(len(labels), np.bool_)
    for label in range(COUNT):
        own = rng.permutation(np.flatnonzero(labels == label))
        first[own[: len(own) // 2]] = True
    return first


def _drawn_classes(
    among: npt.NDArray[np.bool_], labels: Labels, rng: np.random.Generator
) -> Iterator[tuple[Labels, Array]]:
    """Random classes of CLASS_SIZE: the indexes of their faces and their true shares."""
    pools = [np.flatnonzero(among & (labels == label)) for label in range(COUNT)]
    for concentration in CONCENTRATIONS:
        for _ in range(CLASSES):
            counts = rng.multinomial(CLASS_SIZE, rng.dirichlet(np.full(COUNT, concentration)))
            faces = [rng.choice(pool, count) for pool, count in zip(pools, counts, strict=True)]
            yield np.concatenate(faces), counts / CLASS_SIZE


def _smallest_error(classes: list[Array], truths: Array, prior: Array) -> float:
    low, high = 0.0, LARGEST_ERROR
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if _covered(classes, truths, prior, middle) else (middle, high)
    return high


def _covered(classes: list[Array], truths: Array, prior: Array, error: float) -> bool:
    """Whether the bands of these classes, with this model error, hold TO_COVER of the true shares or more."""
    estimator = MoodEstimator(MoodModel(np.eye(COUNT), np.zeros(COUNT), prior, error))
    bands = [estimator.estimate(faces) for faces in classes]
    low, high = np.array([band.low for band in bands]), np.array([band.high for band in bands])
    return bool(((low - 1e-6 <= truths) & (truths <= high + 1e-6)).mean() >= TO_COVER)
