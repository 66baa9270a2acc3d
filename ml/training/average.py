"""A running average of the weights: what is measured and kept is steadier than the last step."""

from __future__ import annotations

from typing import Any, TypeAlias

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

Weights: TypeAlias = list[npt.NDArray[np.float32]]
Tensor: TypeAlias = Any

EVERY = 8
"""Steps between two updates: one at each step would cost more than it gives."""


class WeightAverage:
    """An exponential moving average over all the model's weights, batch norm's statistics among them.

    `decay` is per step; 0 follows the model's weights themselves. Early on the average looks back over a tenth of the
    steps so far, so that it is not held back by the first, random weights.
    """

    def __init__(self, model: keras.Model, decay: float) -> None:
        self._variables, self._decay = model.weights, decay
        self._averages = [ops.copy(weight) for weight in self._present()]

    @property
    def weights(self) -> Weights:
        """As `model.set_weights` takes them."""
        return [np.array(ops.convert_to_numpy(average)) for average in self._averages]

    @weights.setter
    def weights(self, weights: Weights) -> None:
        self._averages = [ops.convert_to_tensor(weight) for weight in weights]

    def update(self, step: int) -> None:
        """Take in the model's present weights; call at every step, counted from 1."""
        every = EVERY if self._decay else 1
        if step % every:
            return
        decay = min(self._decay, step / (10 + step)) ** every
        pairs = zip(self._averages, self._present(), strict=True)
        self._averages = [average + (1 - decay) * (weight - average) for average, weight in pairs]

    def _present(self) -> list[Tensor]:
        return [ops.stop_gradient(weight.value) for weight in self._variables]
