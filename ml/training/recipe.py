"""The numbers of a training, and the learning rate that follows from them."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Recipe:
    """`peak`: the learning rate between warm-up and decay. `warm_up`, `decay`: epochs in which it rises and falls.
    `votes_weight`, `teacher_weight`: how much FER+ votes and a teacher's answers weigh in a soft label.
    `mixed`: the share of faces that another one is laid over. `small_side`: pixels a side but for the last `full`
    epochs. `sharp`: the last epochs, in which steps look as far uphill as `reach` (`ml.training.sharpness`).
    `ema`: the average's memory per step, 0 for none. `measure`: epochs between two measurements on dev."""

    epochs: int = 138
    batch: int = 256
    optimizer: str = "sgd"
    peak: float = 0.1
    warm_up: int = 2
    decay: int = 43
    momentum: float = 0.9
    weight_decay: float = 5e-3
    votes_weight: float = 0.4
    teacher_weight: float = 0.7
    smoothing: float = 0.05
    augment: int = 1
    mixed: float = 0.0
    small_side: int = 32
    full: int = 109
    sharp: int = 0
    reach: float = 0.08
    ema: float = 0.999
    seed: int = 1
    measure: int = 3

    @property
    def has_momentum(self) -> bool:
        """Whether the optimizer is SGD with momentum."""
        return self.optimizer == "sgd" and self.momentum > 0

    def rate(self, epoch: float) -> float:
        """The learning rate at this point (1.5 is the middle of the second epoch): up, flat, and down to zero like
        half a cosine wave."""
        rising = min(1.0, (epoch + 0.01) / self.warm_up) if self.warm_up else 1.0
        left = min(1.0, max(self.epochs - epoch, 0.0) / self.decay) if self.decay else 1.0
        return self.peak * min(rising, (1 - math.cos(math.pi * left)) / 2)

    def looks_uphill(self, epoch: int) -> bool:
        """Whether this epoch's steps are sharpness-aware: they cost twice as much."""
        return epoch >= self.epochs - self.sharp

    def side(self, epoch: int, full: int) -> int:
        """Pixels a side in this epoch: small faces cost less, and teach nearly as much while the rate is high."""
        return full if epoch >= self.epochs - self.full else self.small_side


RECIPES: dict[str, Recipe] = {
    "roomtone": Recipe(),
    "wide": Recipe(epochs=70, decay=49, teacher_weight=0.3, small_side=48, measure=10),
    "baseline": Recipe(
        epochs=15,
        batch=64,
        optimizer="adam",
        peak=1e-3,
        warm_up=0,
        decay=0,
        weight_decay=0.0,
        votes_weight=0.0,
        smoothing=0.0,
        augment=0,
        small_side=48,
        ema=0.0,
        measure=1,
    ),
}
"""Each architecture's own recipe. The baseline's is that of the project which this one started from."""
