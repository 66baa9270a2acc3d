"""Everything that a training needs to go on as if it had not been interrupted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np

from ml.training.average import WeightAverage


class CheckpointError(ValueError):
    """A checkpoint does not fit the model that is to be resumed."""


def save(path: Path, model: keras.Model, average: WeightAverage, epoch: int) -> None:
    """Write model, optimiser, average and the number of finished epochs; whole or not at all."""
    arrays: dict[str, Any] = {f"state_{index:04}": np.array(value) for index, value in enumerate(_state(model))}
    arrays |= {f"average_{index:04}": value for index, value in enumerate(average.weights)}
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished.npz")
    np.savez(unfinished, epoch=np.array(epoch), **arrays)
    unfinished.replace(path)


def load(path: Path, model: keras.Model, average: WeightAverage) -> int:
    """Put the saved state into the compiled model and the average; the number of finished epochs.

    Raises CheckpointError where the file belongs to another architecture.
    """
    with np.load(path, allow_pickle=False) as saved:
        state, weights, epoch = _numbered(saved, "state"), _numbered(saved, "average"), int(saved["epoch"])
    variables = _variables(model)
    if [tuple(variable.shape) for variable in variables] != [value.shape for value in state]:
        raise CheckpointError(f"{path}: expected the state of {model.name!r}, received that of another network.")
    for variable, value in zip(variables, state, strict=True):
        variable.assign(value)
    average.weights = weights
    return epoch


def _numbered(saved: Any, name: str) -> list[Any]:
    return [saved[key] for key in sorted(key for key in saved.files if key.startswith(name))]


def _variables(model: keras.Model) -> list[keras.Variable]:
    """Weights, the states of random generators, and the optimiser's own; not the metrics, which start anew."""
    metrics = {id(variable) for variable in model.metrics_variables}
    own = [variable for variable in model.variables if id(variable) not in metrics]
    return own + [variable for variable in model.optimizer.variables if id(variable) not in {id(v) for v in own}]


def _state(model: keras.Model) -> list[np.ndarray]:
    return [keras.ops.convert_to_numpy(variable) for variable in _variables(model)]
