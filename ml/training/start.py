"""Begin with the weights of a network that was trained before, which may have had fewer blocks."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np

from ml.training.networks import read


def begin_with(model: keras.Model, start: Path) -> None:
    """Give `model` the weights of the saved network, layer by layer, by name.

    A residual block that the saved network lacks begins silent (its last batch norm scales by zero), so that the
    whole begins as the same function (Chen et al. 2016, "Net2Net"). Raises ValueError for a file that is no network,
    or whose layers have other shapes.
    """
    saved = {layer.name: layer.get_weights() for layer in read(start, "--start").layers}
    for layer in model.layers:
        if layer.name in saved:
            _take(layer, saved[layer.name])
        elif layer.name.endswith("_b_norm"):
            scale, *others = layer.get_weights()
            layer.set_weights([np.zeros_like(scale), *others])


def _take(layer: keras.Layer, weights: list[np.ndarray]) -> None:
    expected, received = ([weight.shape for weight in each] for each in (layer.get_weights(), weights))
    if expected != received:
        raise ValueError(f"--start: layer {layer.name!r}: expected weights of shape {expected}, received {received}.")
    layer.set_weights(weights)
