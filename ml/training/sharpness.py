"""Sharpness-aware minimisation (Foret et al. 2021): steps that are right for a whole neighbourhood of the weights.

Each step looks at the slope twice: where the weights are, and a little uphill of there, where the loss is worst; the
second slope is the one that is followed. Weights that fit wrong labels by heart stand on narrow peaks and are left
behind, which counts where people agree on two labels of three. A step costs twice as much.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

import keras
from keras import ops

from ml.training.recipe import Recipe

Tensor: TypeAlias = Any
Slopes: TypeAlias = list[Tensor]

BACKENDS = ("tensorflow", "torch")


def require_support(recipe: Recipe) -> None:
    """Raises ValueError for a backend whose slopes can't be asked for here, on torch for another optimizer than the
    one of `ml.training.torch_step`, and for float16, whose optimizer expects slopes multiplied."""
    backend = keras.config.backend()
    if backend not in BACKENDS:
        raise ValueError(f"sharp: expected one of {sorted(BACKENDS)} as KERAS_BACKEND, received {backend!r}.")
    if backend == "torch" and not recipe.has_momentum:
        raise ValueError("sharp: expected sgd with momentum as optimizer on torch, received another one.")
    if (precision := keras.mixed_precision.dtype_policy().name) == "mixed_float16":
        raise ValueError(f"sharp: expected float32 or mixed_bfloat16 as precision, received {precision}.")


def sharpness_aware_step(model: keras.Model, faces: Tensor, targets: Tensor, reach: float) -> Tensor:
    """One step of the compiled model's optimizer, on TensorFlow (for torch: `ml.training.torch_step`). Returns the
    loss before it.

    `faces`: (n, side, side, 1), `targets`: (n, 7). `reach`: how far uphill, as a distance between all trainable
    weights.
    """
    variables = model.trainable_variables
    loss, slopes = _slopes(model, faces, targets)
    steepness = ops.sqrt(sum(ops.sum(ops.square(slope)) for slope in slopes)) + 1e-12
    moves = [slope * (reach / steepness) for slope in slopes]
    _move(variables, moves)
    with statistics_kept(model):
        slopes = _slopes(model, faces, targets)[1]
    _move(variables, [-move for move in moves])
    model.optimizer.apply(slopes, variables)
    return loss


def _move(variables: list[keras.Variable], moves: Slopes) -> None:
    for variable, move in zip(variables, moves, strict=True):
        variable.assign_add(move)


@contextmanager
def statistics_kept(model: keras.Model) -> Iterator[None]:
    """Batch norm's running statistics are those of the weights that are kept, not of those uphill."""
    norms = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 1.0
    try:
        yield
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum


def _slopes(model: keras.Model, faces: Tensor, targets: Tensor) -> tuple[Tensor, Slopes]:
    """The loss, and its slope along each trainable variable."""
    import tensorflow as tf

    with tf.GradientTape() as tape:
        loss = model.compute_loss(y=ops.convert_to_tensor(targets), y_pred=model(faces, training=True))
    return loss, tape.gradient(loss, model.trainable_variables)
