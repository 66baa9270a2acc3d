"""How a synthetic class feels: mostly calm, at times too fast, at times relieved; or steadily what it is told to."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Protocol

import numpy as np
import numpy.typing as npt

from ml.labels import LABELS

# What a face of a calm class shows, of a class that is lost, and of one that has just understood.
CALM = {"neutral": 0.70, "happy": 0.16, "surprise": 0.05, "sad": 0.04, "fear": 0.02, "angry": 0.02, "disgust": 0.01}
LOST = {"neutral": 0.34, "happy": 0.03, "surprise": 0.09, "sad": 0.26, "fear": 0.12, "angry": 0.13, "disgust": 0.03}
RELIEVED = {
    "neutral": 0.36,
    "happy": 0.46,
    "surprise": 0.12,
    "sad": 0.02,
    "fear": 0.02,
    "angry": 0.01,
    "disgust": 0.01,
}
PERIOD_S = 240.0
"""One turn from calm over lost and relieved to calm again."""
DWELL_S = 7.0
"""Mean time for which a face keeps its expression."""

Weights = npt.NDArray[np.float64]


def _weights(shares: dict[str, float]) -> Weights:
    return np.array([shares[label] for label in LABELS]) / sum(shares.values())


def class_mix(elapsed_s: float) -> Weights:
    """(7,) shares of the seven emotions in the class after so many seconds."""
    turn = (elapsed_s % PERIOD_S) / PERIOD_S
    lost = max(0.0, math.sin(math.pi * (turn - 0.35) / 0.3)) if 0.35 < turn < 0.65 else 0.0
    relieved = max(0.0, math.sin(math.pi * (turn - 0.6) / 0.2)) if 0.6 < turn < 0.8 else 0.0
    calm = max(0.0, 1.0 - lost - relieved)
    mix = calm * _weights(CALM) + lost * _weights(LOST) + relieved * _weights(RELIEVED)
    return np.asarray(mix / mix.sum())


class Mood(Protocol):
    """What one student shows, and says."""

    def label(self, elapsed_s: float) -> str: ...

    def says(self, elapsed_s: float) -> str | None: ...


class DriftingMood:
    """One student's expression over time: kept a while, then drawn anew from the class's mix and their bent."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._bent = rng.dirichlet(np.full(len(LABELS), 4.0)) * len(LABELS)
        self._until = 0.0
        self._label = "neutral"

    def label(self, elapsed_s: float) -> str:
        """The emotion shown after so many seconds; call with growing times."""
        if elapsed_s >= self._until:
            mix = class_mix(elapsed_s) * self._bent
            self._label = str(self._rng.choice(LABELS, p=mix / mix.sum()))
            self._until = elapsed_s + self._rng.exponential(DWELL_S)
        return self._label

    def says(self, elapsed_s: float) -> str | None:
        """A check-in, now and then: what a student in this expression may tap. At most one word per call."""
        if self._rng.random() > 1 / 90:
            return None
        troubled = self._label in {"sad", "fear", "angry"}
        return str(self._rng.choice(["lost", "too_fast"] if troubled else ["got_it", "got_it", "got_it", "too_slow"]))


@dataclass(frozen=True, slots=True)
class SteadyMood:
    """One expression, all the time, and no word: so that what a class shows is known."""

    shown: str

    def label(self, elapsed_s: float) -> str:
        return self.shown

    def says(self, elapsed_s: float) -> str | None:
        return None


def shown_by(counts: Mapping[str, int], number: int) -> str:
    """The label of the student with this number (from 0) where so many students show each."""
    return list(chain.from_iterable([label] * count for label, count in counts.items()))[number]


def counts_of(text: str) -> dict[str, int]:
    """ "happy=8,sad=12" -> how many students show each. Raises ValueError with words."""
    pairs = [part.partition("=") for part in text.split(",")]
    if not all(label in LABELS and count.isdecimal() and int(count) for label, _, count in pairs):
        raise ValueError(f"{text}: expected how many show each of {', '.join(LABELS)}, such as happy=8,sad=12")
    return {label: int(count) for label, _, count in pairs}
