"""A running average of the weights: what is measured and kept is steadier than the last step."""

from __future__ import annotations

import keras
import numpy as np
import numpy.typing as npt

Weights = list[npt.NDArray[np.float32]]

EVERY = 8
"""Steps between two updates: copying the weights off a device at each step would cost more than it gives."""


class WeightAverage:
    """An exponential moving average over all the model's weights, batch norm's statistics among them.

    `decay` is per step; 0 follows the model's weights themselves. Early on the average looks back over a tenth of the
    steps so far, so that it is not held back by the first, random weights.
    """

    def __init__(self, model: keras.Model, decay: float) -> None:
        self._model = model
        self._decay = decay
        self.weights: Weights = [np.array(weight) for weight in model.get_weights()]

    def update(self, step: int) -> None:
        """Take in the model's present weights; call at every step, counted from 1."""
        every = EVERY if self._decay else 1
        if step % every:
            return
        decay = min(self._decay, step / (10 + step)) ** every
        for average, weight in zip(self.weights, self._model.get_weights(), strict=True):
            np.add(average, (1 - decay) * (weight - average), out=average)
