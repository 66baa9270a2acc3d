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


def soft_labels(faces: FaceSet, recipe: Recipe, teacher: Floats | None = None) -> Floats:
    """(n, 7) targets: the label, mixed with what the FER+ votes say of it, smoothed, mixed with a teacher's answers.

    `teacher`: (n, 7) probabilities. Rows of zeros, in the votes or the teacher's, are rows without an answer.
    """
    targets = np.eye(len(LABELS), dtype=np.float32)[faces.labels]
    targets = _mix(targets, translated(faces.votes, targets), recipe.votes_weight)
    targets = (1 - recipe.smoothing) * targets + recipe.smoothing / len(LABELS)
    if teacher is not None:
        targets = _mix(targets, teacher, recipe.teacher_weight)
    return np.asarray(targets, np.float32)


def translated(votes: Floats, labels: Floats) -> Floats:
    """(n, 7) shares of votes -> (n, 7) chances of each label, given such votes; rows without a vote stay zeros.

    The people of FER+ and those of FER2013 name the same faces differently: fear and disgust are seldom voted for.
    Votes mixed in as they are would teach the network never to say them. So each vote counts as the labels that such
    a vote goes with; over all faces the shares of the labels stay what they are. `labels`: (n, 7), one-hot.
    """
    together = votes.T @ labels
    return np.asarray(votes @ (together / np.maximum(together.sum(axis=1, keepdims=True), 1e-6)), np.float32)


def _mix(targets: Floats, answers: Floats, weight: float) -> Floats:
    answered = answers.sum(axis=1, keepdims=True) > 0
    return np.where(answered, (1 - weight) * targets + weight * answers, targets)


def epoch_batches(
    faces: FaceSet, targets: Floats, recipe: Recipe, epoch: int, full: int
) -> Iterator[tuple[Floats, Floats]]:
    """(n, side, side, 1) float32 faces, augmented, and their (n, 7) targets; a last, shorter batch is left out."""
    random = np.random.default_rng([recipe.seed, epoch])
    order = random.permutation(len(faces))
    for start in range(0, steps(len(faces), recipe) * recipe.batch, recipe.batch):
        chosen = order[start : start + recipe.batch]
        if recipe.augment:
            yield augment(faces.pixels[chosen], random, recipe.side(epoch, full)), targets[chosen]
        else:
            yield faces.pixels[chosen, ..., np.newaxis].astype(np.float32), targets[chosen]


def steps(faces: int, recipe: Recipe) -> int:
    """Whole batches in an epoch, at least one."""
    return max(1, faces // recipe.batch)
