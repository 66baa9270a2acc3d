"""Faces of nobody: for demonstrations and load tests, where no person's picture may be used.

A face is the mean of several hundred aligned faces of an emotion plus random weights on their first principal
components ("eigenfaces", Turk and Pentland 1991). `python -m ml.synthetic` makes the components from FER2013.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ml.drawn.portrait import Look, compose_frame
from ml.labels import INDEX, LABELS, NEUTRAL
from ml.serving.manifest import WEIGHTS, ModelFileError
from ml.serving.preprocess import FACE_SIDE
from ml.types import ByteArray, FloatArray

__all__ = ["Look", "SyntheticFaces", "compose_frame"]

COMPONENTS_NAME = "synthetic_faces.npz"
SPREAD = 0.7
"""Standard deviation of the random weights, in those of the real faces. Below 1: plainer, and always a face."""
LARGEST_WEIGHT = 1.6
MIDDLE_GREY = 128.0
CONTRAST = 48.0
"""Grey levels of one standard deviation within a face."""


class SyntheticFaces:
    """Makes faces that show an emotion.

    `means`: (7, 48, 48) and `components`: (7, k, 48, 48) float32, in standard deviations of a face's grey levels;
    a component is scaled so that a weight of 1 is one standard deviation among the real faces.
    """

    def __init__(self, means: FloatArray, components: FloatArray) -> None:
        side = FACE_SIDE
        if means.shape != (len(LABELS), side, side) or components.shape[::2] != (len(LABELS), side):
            raise ModelFileError(
                f"Components: expected means (7, {side}, {side}) and components (7, k, {side}, {side}), "
                f"received {means.shape} and {components.shape}."
            )
        self._means = means
        self._components = components

    @classmethod
    def load(cls, path: Path | str | None = None) -> SyntheticFaces:
        """The components from a file that `python -m ml.synthetic` wrote (default: the one in this package)."""
        source = WEIGHTS / COMPONENTS_NAME if path is None else Path(path)
        if not source.is_file():
            raise ModelFileError(f"{source.name} is missing: make it with python -m ml.synthetic --data FILE.")
        with np.load(source, allow_pickle=False) as stored:
            return cls(*unpacked(stored["means"], stored["components"], stored["steps"]))

    def face(self, label: str, rng: np.random.Generator, intensity: float = 1.0) -> ByteArray:
        """A (48, 48) uint8 face that shows `label`. `intensity` 0..1.5: from a neutral look to a stronger one.

        A generator in the same state gives the same face: seed it alike to see one person change.
        """
        if label not in INDEX:
            raise ValueError(f"label: expected one of {LABELS}, received {label!r}.")
        emotion = INDEX[label]
        components = self._components[emotion]
        weights = np.clip(rng.normal(0, SPREAD, len(components)), -LARGEST_WEIGHT, LARGEST_WEIGHT)
        neutral = self._means[NEUTRAL]
        face = neutral + intensity * (self._means[emotion] - neutral)
        face = face + np.tensordot(weights.astype(np.float32), components, axes=1)
        return np.asarray(np.clip(MIDDLE_GREY + CONTRAST * face, 0, 255), np.uint8)


def unpacked(
    means: npt.NDArray[np.float16], components: npt.NDArray[np.int8], steps: npt.NDArray[np.float32]
) -> tuple[FloatArray, FloatArray]:
    """Means and components as stored (components in whole steps, (7, k) sizes of a step) as float32."""
    return means.astype(np.float32), components.astype(np.float32) * steps[..., None, None]


def main(arguments: list[str] | None = None) -> int:
    """`python -m ml.synthetic --data FILE [--votes FILE] [--out FILE]`: make the components from `Training`."""
    from ml.data.dataset import keep, read
    from ml.drawn.eigenfaces import build

    options = _options(arguments)
    try:
        faces = read(options.data, options.votes)
        packed = build(keep(faces, faces.where("Training")))
    except ValueError as error:
        raise SystemExit(f"ml.synthetic: {error}") from error
    np.savez_compressed(options.out, **packed)
    size = options.out.stat().st_size / 1000
    print(f"{options.out}: {size:.0f} kB; faces for each of {', '.join(LABELS)}: {packed['faces'].tolist()}")
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m ml.synthetic", description="Make the components of synthetic faces.")
    parser.add_argument("--data", type=Path, required=True, help="FER2013's CSV (plain, .gz, .xz or .zip)")
    parser.add_argument("--votes", type=Path, help="FER+ votes for the same rows (fer2013new.csv)")
    parser.add_argument("--out", type=Path, default=WEIGHTS / COMPONENTS_NAME, help="the file to write")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
