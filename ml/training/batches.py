"""Batches for one epoch: the same seed and epoch give the same batches, whatever came before."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from ml.augment import augment
from ml.dataset import FaceSet
from ml.labels import LABELS
from ml.training.recipe import Recipe

Floats = npt.NDArray[np.float32]


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
    faces: FaceSet, targets: Floats, recipe: Recipe, epoch: int, full: int
) -> Iterator[tuple[Floats, Floats]]:
    """(n, side, side, 1) float32 faces, augmented, and their (n, 7) targets; a last, shorter batch is left out."""
    random = np.random.default_rng([recipe.seed, epoch])
    order = random.permutation(len(faces))
    for start in range(0, steps(len(faces), recipe) * recipe.batch, recipe.batch):
        chosen = order[start : start + recipe.batch]
        if recipe.augment:
            batch = augment(faces.pixels[chosen], random, recipe.side(epoch, full))
        else:
            batch = faces.pixels[chosen, ..., np.newaxis].astype(np.float32)
        yield mix(batch, targets[chosen], recipe.mixed, random)


def mix(faces: Floats, targets: Floats, share: float, random: np.random.Generator) -> tuple[Floats, Floats]:
    """Lay another face of the batch over a `share` of them, at most as strong as they, and mix their targets alike.

    Between two faces there is no label to be known by heart (Zhang et al. 2018, "mixup").
    """
    if not share:
        return faces, targets
    other = random.permutation(len(faces))
    weight = np.where(random.random(len(faces)) < share, random.uniform(0, 0.5, len(faces)), 0).astype(np.float32)
    picture, row = weight[:, None, None, None], weight[:, None]
    return (1 - picture) * faces + picture * faces[other], (1 - row) * targets + row * targets[other]


def steps(faces: int, recipe: Recipe) -> int:
    """Whole batches in an epoch, at least one."""
    return max(1, faces // recipe.batch)
