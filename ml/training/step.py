"""One step of a training, in the way that is quickest on the backend."""

from __future__ import annotations

from typing import Any, Protocol, TypeAlias

import keras

from ml.training.recipe import Recipe
from ml.training.sharpness import sharpness_aware_step
from ml.training.teacher import Teachers

Tensor: TypeAlias = Any


class Step(Protocol):
    """Learns from (n, side, side, 1) faces and their (n, 7) targets, to which the teacher whose `turn` it is adds its
    answers. `rate`: the learning rate, a tensor without axes. Returns the loss before the step."""

    def __call__(self, faces: Tensor, targets: Tensor, rate: Tensor, *, sharp: bool, turn: int) -> Tensor: ...


class KerasStep:
    """Keras' own, on any backend."""

    def __init__(self, model: keras.Model, teachers: Teachers, recipe: Recipe) -> None:
        self._model, self._teachers, self._recipe = model, teachers, recipe

    def __call__(self, faces: Tensor, targets: Tensor, rate: Tensor, *, sharp: bool, turn: int) -> Tensor:
        self._model.optimizer.learning_rate.assign(rate)
        taught = self._teachers.join(faces, targets, self._recipe.teacher_weight, turn)
        if sharp:
            return sharpness_aware_step(self._model, faces, taught, self._recipe.reach)
        return self._model.train_on_batch(faces, taught)


def step_for(model: keras.Model, teachers: Teachers, recipe: Recipe) -> Step:
    """The quickest one for the compiled model."""
    scaled = isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer)
    if keras.config.backend() != "torch" or scaled or not recipe.has_momentum:
        return KerasStep(model, teachers, recipe)
    from ml.training.torch_step import TorchStep

    return TorchStep(model, teachers, recipe)
