"""Teachers: networks trained before, whose answers are learned beside the labels.

A network's answers say more than a label: which faces are clear, and which could be taken for something else. One
that learns from them and from the labels gets better than its teachers of the same size (Furlanello et al. 2018,
"Born-Again Neural Networks"). The teachers have seen these very faces, so they are asked about each batch as it is
shown, changed and mixed: what they know by heart is of no use there (Beyer et al. 2022, "A good teacher is patient
and consistent").
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

import keras

from ml import architectures
from ml.labels import LABELS
from ml.training.networks import answers, quickened, read

Tensor: TypeAlias = Any


class Teachers:
    """One or more networks that take turns, batch by batch: over an epoch each is asked about as much, and a batch
    costs one answer however many they are."""

    def __init__(self, models: Sequence[keras.Model]) -> None:
        self._models = [quickened(model) for model in models]

    def __len__(self) -> int:
        return len(self._models)

    def join(self, faces: Tensor, targets: Tensor, weight: float, turn: int) -> Tensor:
        """(n, 7) targets of (n, 48, 48, 1) faces, mixed with the answers of the teacher whose turn it is."""
        if not self._models:
            return targets
        return (1 - weight) * targets + weight * answers(self._models[turn % len(self._models)], faces)


def read_teachers(paths: Sequence[Path]) -> Teachers:
    """Raises ValueError for a file that is no network, or one that takes or gives something else."""
    return Teachers([_fitting(path) for path in paths])


def _fitting(path: Path) -> keras.Model:
    model = read(path, "--teacher")
    side = architectures.SIDE
    if model.input_shape[1:] != (side, side, 1) or model.output_shape[1:] != (len(LABELS),):
        raise ValueError(
            f"--teacher {path}: expected a network from ({side}, {side}, 1) to ({len(LABELS)},), "
            f"received one from {model.input_shape[1:]} to {model.output_shape[1:]}."
        )
    return model
