"""From readings of single faces to the mood of a class: shares of the seven emotions, each with a band.

Counting labels is biased: a network that takes one sad face in five for a neutral one shows a class that is calmer
than it is. This is the field of *quantification*, or estimation under prior shift. Here: the mix that makes the
calibrated probabilities most plausible, found by EM (Saerens, Latinne and Decaestecker 2002) under a weak Dirichlet
prior that expects a lesson, and each face re-read in the light of that mix. The band is about the faces that were
read, not about others.
`python -m ml.quantify --data FILE` compares the methods.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ml.labels import INDEX, LABELS, TROUBLED
from ml.lesson import lesson_mix
from ml.serving.manifest import Manifest, MoodModel
from ml.types import FloatArray

Array = npt.NDArray[np.float64]

LESSON_FACES, FACES_OF_EACH = 1.4, 0.1
"""Faces that the prior adds: mixed as in a lesson (`ml.lesson`), and of each emotion, without which the bands of what
lessons seldom show would be too narrow. Chosen on dev: enough to steady five faces, too little to bend fifty."""
ENDS = (0.05, 0.95, 0.9)
"""Quantiles at which a band begins and ends, and at which one ends that begins at nobody."""
DRAWS = 1000
"""Random numbers for a band's ends."""
ROUNDS = 60
TOLERANCE = 1e-5
SMALLEST = 1e-4
"""A probability below this says no more than this one."""
COUNT = len(LABELS)
_TROUBLED = [INDEX[label] for label in TROUBLED]


@dataclass(frozen=True, slots=True)
class MoodEstimate:
    """Shares of the emotions among the faces that were read, (7,) in the order of LABELS, summing to 1.

    `low` and `high`: (7,) ends of each share's 90 % band. `troubled`: (2,) ends of the band of those who look
    troubled. It is of the sum of their shares, and not the sum of their bands: who is not sad may be angry. `faces`:
    how many were read; with none, nothing is known: the shares are even, the bands reach from 0 to 1.
    """

    shares: FloatArray
    low: FloatArray
    high: FloatArray
    troubled: FloatArray
    faces: int


class MoodEstimator:
    """Estimates a class's mood. `model`: how the probabilities of the network in use are to be read; `model_version`:
    which network that is."""

    def __init__(self, model: MoodModel, model_version: str = "") -> None:
        self.model, self.model_version = model, model_version
        self._prior_faces = FACES_OF_EACH + LESSON_FACES * np.array(lesson_mix(model.prior.tolist()))

    @classmethod
    def load(cls, directory: Path | str | None = None) -> MoodEstimator:
        """The estimator for the network in a folder of weights (default: the one in this package).

        Raises ModelFileError when the manifest is missing or wrong.
        """
        manifest = Manifest.load(directory)
        return cls(manifest.mood, manifest.model_version)

    def estimate(self, probabilities: npt.ArrayLike) -> MoodEstimate:
        """The mood of the faces with these (n, 7) calibrated probabilities: the same faces give the same bands.

        Raises ValueError for other shapes, negative or missing numbers.
        """
        given = _checked(probabilities)
        if not len(given):
            return _unknown()
        mix, posterior = _most_plausible_mix(recalibrated(given, self.model) / self.model.prior, self._prior_faces)
        shares, covariance = posterior.mean(axis=0), _covariance(mix, posterior, self._prior_faces)
        low, high = self._band_of(shares, mix, np.diag(covariance), len(given))
        troubled = np.concatenate(self._band_of(*_troubled(shares, mix, covariance), len(given)))
        return MoodEstimate(_floats(shares), _floats(low), _floats(high), _floats(troubled), len(given))

    def _band_of(self, shares: Array, mix: Array, variance: Array, faces: int) -> tuple[Array, Array]:
        """Ends of the bands of so many shares. `variance`: of the number of faces; the network's own error comes on
        top, and is as large a part of any class."""
        error = self.model.model_error**2 * mix * (1 - mix)
        return _band(shares, np.sqrt(np.maximum(variance, 0) / faces**2 + error), faces)


def recalibrated(probabilities: Array, model: MoodModel) -> Array:
    """Matrix scaling (Guo et al. 2017) of (n, 7) probabilities: each emotion gets its own slope and offset."""
    logits = centred_logarithms(probabilities) @ model.matrix.T + model.bias
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def centred_logarithms(probabilities: Array) -> Array:
    """Logarithms of (n, 7) probabilities, less each row's mean."""
    logarithms = np.log(np.maximum(probabilities, SMALLEST))
    return np.asarray(logarithms - logarithms.mean(axis=1, keepdims=True))


def _most_plausible_mix(plausibility: Array, prior_faces: Array) -> tuple[Array, Array]:
    """EM: the mix of emotions, (7,), and each face's probabilities given that mix, (n, 7).

    `plausibility`: (n, 7), proportional to P(face | emotion). The prior is taken in the logarithms of the shares,
    where its mode adds `prior_faces`, (7,), to the counts.
    """
    mix = np.full(COUNT, 1 / COUNT)
    posterior = _posterior(plausibility, mix)
    for _ in range(ROUNDS):
        updated = posterior.sum(axis=0) + prior_faces
        updated /= updated.sum()
        moved = np.abs(updated - mix).max()
        mix, posterior = updated, _posterior(plausibility, updated)
        if moved < TOLERANCE:
            break
    return mix, posterior


def _posterior(plausibility: Array, mix: Array) -> Array:
    joint = plausibility * mix
    joint /= joint.sum(axis=1, keepdims=True)
    return np.asarray(joint)


def _covariance(mix: Array, posterior: Array, prior_faces: Array) -> Array:
    """(7, 7) covariance of the numbers of faces of each emotion among those read.

    Two parts of Louis (1982): what each face leaves open given the mix (W), and what the mix itself leaves open
    (W H^-1 W, where H is the observed information about the logarithms of the mix).
    """
    shared = posterior.T @ posterior
    within = np.diag(posterior.sum(axis=0)) - shared
    information = np.diag(prior_faces) + shared - (len(posterior) + prior_faces.sum()) * np.outer(mix, mix)
    information += np.ones((COUNT, COUNT))  # the direction in which all logarithms move together carries nothing
    return np.asarray(within + within @ np.linalg.solve(information, within))


def _troubled(shares: Array, mix: Array, covariance: Array) -> tuple[Array, Array, Array]:
    """Of those who look troubled, (1,) each: their share, their part of the mix, the variance of their number."""
    among = covariance[np.ix_(_TROUBLED, _TROUBLED)]
    return shares[_TROUBLED].sum(keepdims=True), mix[_TROUBLED].sum(keepdims=True), np.array([among.sum()])


def _band(shares: Array, deviation: Array, faces: int) -> tuple[Array, Array]:
    """Ends of the bands of (k,) shares: of a beta distribution with this mean and deviation over the possible counts.

    A count is whole: half a face is added at both ends of its range and the ends of the band are rounded, so that a
    band can begin at exactly nobody. One that does leaves out its whole tenth at the top.
    """
    stretched = (shares * faces + 0.5) / (faces + 1)
    spread = np.clip((deviation * faces / (faces + 1)) ** 2, 1e-9, 0.999 * stretched * (1 - stretched))
    strength = stretched * (1 - stretched) / spread - 1
    rng = np.random.default_rng(0)
    draws = np.sort(rng.beta(stretched * strength, (1 - stretched) * strength, (DRAWS, len(shares))), axis=0)
    low, high, one_sided = np.rint(draws[[round(DRAWS * tail) for tail in ENDS]] * (faces + 1) - 0.5)
    low, high = (np.clip(ends / faces, 0, 1) for ends in (low, np.where(low > 0, high, one_sided)))
    return np.minimum(low, shares), np.maximum(high, shares)


def _floats(values: Array) -> FloatArray:
    return values.astype(np.float32)


def _checked(probabilities: npt.ArrayLike) -> Array:
    given = np.asarray(probabilities, np.float64)
    if given.ndim != 2 or given.shape[1] != COUNT:
        raise ValueError(f"probabilities: expected shape (n, {COUNT}), received {given.shape}.")
    if not np.isfinite(given).all() or (given < 0).any() or (given.sum(axis=1) <= 0).any():
        raise ValueError("probabilities: expected rows of numbers from 0, received a negative, missing or empty one.")
    return given


def _unknown() -> MoodEstimate:
    even = np.full(COUNT, 1 / COUNT, np.float32)
    ends = np.zeros(COUNT, np.float32), np.ones(COUNT, np.float32)
    return MoodEstimate(even, *ends, np.array([0, 1], np.float32), 0)


if __name__ == "__main__":
    from ml.measuring.quantify_compare import report

    print(report())
