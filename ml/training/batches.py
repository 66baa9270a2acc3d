"""Batches for one epoch: the same seed and epoch give the same batches, whatever came before."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt
from keras import ops

from ml.data.dataset import FaceSet
from ml.labels import LABELS
from ml.training.augment import augment
from ml.training.recipe import Recipe

Floats = npt.NDArray[np.float32]
Tensor: TypeAlias = Any

TOGETHER = 2048
"""Faces that are changed at once: fewer would cost more calls, more would take more memory."""


def soft_labels(faces: FaceSet, recipe: Recipe) -> Floats:
    """(n, 7) targets: the label, mixed with what the FER+ votes say of it, if there are any, and smoothed."""
    targets = np.eye(len(LABELS), dtype=np.float32)[faces.labels]
    votes = translated(faces.votes, targets)
    voted = votes.sum(axis=1, keepdims=True) > 0
    targets = np.where(voted, (1 - recipe.votes_weight) * targets + recipe.votes_weight * votes, targets)
    return np.asarray((1 - recipe.smoothing) * targets + recipe.smoothing / len(LABELS), np.float32)


def translated(votes: Floats, labels: Floats) -> Floats:
    """(n, 7) shares of votes -> (n, 7) chances of each label, given such votes; rows without a vote stay zeros.

    The people of FER+ and those of FER2013 name the same faces differently: fear and disgust are seldom voted for.
    Votes mixed in as they are would teach the network never to say them. So each vote counts as the labels that such
    a vote goes with; over all faces the shares of the labels stay what they are. `labels`: (n, 7), one-hot.
    """
    together = votes.T @ labels
    return np.asarray(votes @ (together / np.maximum(together.sum(axis=1, keepdims=True), 1e-6)), np.float32)


def epoch_batches(
    pixels: Tensor, targets: Tensor, recipe: Recipe, epoch: int, full: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """(n, h, w) faces and their (n, 7) targets -> batches of (batch, side, side, 1) float32 faces, augmented and
    mixed, in the size of this epoch, and their targets; a last, shorter batch is left out. All are tensors of the
    backend."""
    random = np.random.default_rng([recipe.seed, epoch])
    order = random.permutation(len(pixels))[: steps(len(pixels), recipe) * recipe.batch]
    together = max(1, TOGETHER // recipe.batch) * recipe.batch
    for start in range(0, len(order), together):
        chosen = order[start : start + together]
        faces = ops.take(pixels, chosen, axis=0)
        if recipe.augment:
            changed = augment(faces, random, recipe.side(epoch, full))
        else:
            changed = ops.expand_dims(resized(faces, recipe.side(epoch, full)), -1)
        changed, labels = mix(changed, ops.take(targets, chosen, axis=0), recipe.mixed, random)
        for first in range(0, len(chosen), recipe.batch):
            yield changed[first : first + recipe.batch], labels[first : first + recipe.batch]


def resized(faces: Tensor, side: int) -> Tensor:
    """(n, h, w) grey levels -> (n, side, side) float32; where they become fewer, each pixel is the mean of the area
    that it covers."""
    faces = ops.cast(faces, "float32")
    if faces.shape[1:] == (side, side):
        return faces
    down, across = (ops.convert_to_tensor(_scaled(pixels, side)) for pixels in faces.shape[1:])
    return ops.matmul(ops.matmul(down, faces), ops.transpose(across))


@cache
def _scaled(pixels: int, side: int) -> Floats:
    """(side, pixels): makes `side` pixels of a column of `pixels`."""
    each = np.eye(pixels, dtype=np.float32)
    return np.asarray(cv2.resize(each, (pixels, side), interpolation=cv2.INTER_AREA), np.float32)


def mix(faces: Tensor, targets: Tensor, share: float, random: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Lay another of the faces over a `share` of them, at most as strong as they, and mix their targets alike.

    Between two faces there is no label to be known by heart (Zhang et al. 2018, "mixup").
    """
    if not share:
        return faces, targets
    count = len(faces)
    other = random.permutation(count)
    weights = np.where(random.random(count) < share, random.uniform(0, 0.5, count), 0).astype(np.float32)
    picture, row = (ops.convert_to_tensor(weights.reshape(shape)) for shape in ((-1, 1, 1, 1), (-1, 1)))
    return (
        faces + picture * (ops.take(faces, other, axis=0) - faces),
        targets + row * (ops.take(targets, other, axis=0) - targets),
    )


def steps(faces: int, recipe: Recipe) -> int:
    """Whole batches in an epoch, at least one."""
    return max(1, faces // recipe.batch)
