"""Reading the network's output honestly: its temperature, and the confidence under which it does not know."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ml.classifier import calibrated
from ml.measures import cross_entropy

Floats = npt.NDArray[np.float32]
Indexes = npt.NDArray[np.int64]

TEMPERATURES = np.round(np.geomspace(0.2, 5.0, 161), 4)
NEIGHBOURS = 0.05
RIGHT = 0.5


def fit_temperature(raw: Floats, labels: Indexes) -> float:
    """The temperature under which these labels are the least surprising (Guo et al. 2017), by a search of a grid."""
    losses = [cross_entropy(calibrated(raw, float(t)), labels) for t in TEMPERATURES]
    return float(TEMPERATURES[int(np.argmin(losses))])


def uncertain_below(probabilities: Floats, labels: Indexes) -> float:
    """The least confidence at which a reading is right at least as often as wrong, in steps of 0.01.

    "At" means within 0.05 of it. Below it a reading says less than a toss of a coin, and counts as uncertain.
    """
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    for threshold in np.arange(0.20, 0.90, 0.01):
        near = np.abs(confidence - threshold) <= NEIGHBOURS
        if near.any() and right[near].mean() >= RIGHT:
            return round(float(threshold), 2)
    return 0.9
