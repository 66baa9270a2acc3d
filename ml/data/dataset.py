"""Labelled faces from a file or a folder, and the parts that they are divided into.

`Training` is divided into what the network learns from and `dev`, on which everything is chosen (architecture,
epochs, calibration, thresholds). `PublicTest` is only reported. Repeats never cross a border.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ml.data.csv_file import read_csv
from ml.data.folder import read_folder
from ml.data.problems import DataError, Progress
from ml.data.repeats import repeat_groups, repeats_any
from ml.data.votes import read_votes
from ml.labels import LABELS

__all__ = ["DataError", "FaceSet", "Split", "divide", "keep", "read"]

DEV_SHARE = 0.1
DEV_SEED = 2013
FLAT = 2.0
"""Pictures whose grey levels spread less than this are blank: nothing can be learned from them."""


@dataclass(frozen=True, slots=True)
class FaceSet:
    """`pixels`: (n, 48, 48) uint8. `labels`: (n,) indexes into LABELS. `usage`: (n,) Training | PublicTest | ...
    `votes`: (n, 7) shares of FER+ votes, zeros where there are none."""

    pixels: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64]
    usage: npt.NDArray[np.str_]
    votes: npt.NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.labels)

    def where(self, usage: str) -> npt.NDArray[np.int64]:
        """The indexes of the rows of this usage. Raises DataError when there is none."""
        found = np.flatnonzero(self.usage == usage)
        if not len(found):
            raise DataError(f"usage: expected one of {sorted(set(self.usage.tolist()))}, received {usage!r}.")
        return found


@dataclass(frozen=True, slots=True)
class Split:
    """Indexes into a FaceSet: what to learn from and what to choose on."""

    learn: npt.NDArray[np.int64]
    dev: npt.NDArray[np.int64]


def read(path: Path, votes: Path | None = None, progress: Progress | None = None) -> FaceSet:
    """Read the challenge's CSV (plain, .gz, .xz, .zip) or a folder of pictures, and the FER+ votes if given.

    `progress` is called with the number of faces read so far. Raises DataError (its text says the file, the row, what
    was expected and what was received).
    """
    if not path.exists():
        raise DataError(f"{path}: expected a CSV file or a folder of pictures, found nothing there.")
    pixels, labels, usage = read_folder(path, progress) if path.is_dir() else read_csv(path, progress)
    shares = np.zeros((len(labels), len(LABELS)), np.float32) if votes is None else read_votes(votes, len(labels))
    return FaceSet(pixels, labels, usage, shares)


def keep(faces: FaceSet, indexes: npt.NDArray[np.int64]) -> FaceSet:
    """The faces at `indexes`."""
    return FaceSet(faces.pixels[indexes], faces.labels[indexes], faces.usage[indexes], faces.votes[indexes])


def divide(faces: FaceSet, share: float = DEV_SHARE, seed: int = DEV_SEED) -> Split:
    """Divide `Training`: `share` of each label's groups of repeats to dev, the rest to learn from.

    Repeats of a picture in another usage, and blank pictures, are in neither; what is to be learned repeats nothing
    else.
    """
    groups = repeat_groups(faces.pixels)
    training = faces.usage == "Training"
    elsewhere = np.isin(groups, groups[~training])
    blank = faces.pixels.std(axis=(1, 2)) < FLAT
    usable = np.flatnonzero(training & ~elsewhere & ~blank)
    held_out = np.isin(groups[usable], _dev_groups(groups[usable], faces.labels[usable], share, seed))
    learn, kept_out = usable[~held_out], np.ones(len(faces), bool)
    kept_out[learn] = False
    return Split(learn[~repeats_any(faces.pixels[learn], faces.pixels[kept_out])], usable[held_out])


def _dev_groups(
    groups: npt.NDArray[np.int64], labels: npt.NDArray[np.int64], share: float, seed: int
) -> npt.NDArray[np.int64]:
    """A stratified draw of groups; a group counts with the label of its first picture."""
    random = np.random.default_rng(seed)
    firsts, positions = np.unique(groups, return_index=True)
    chosen = [
        random.permutation(members)[: round(share * len(members))]
        for label in range(len(LABELS))
        for members in [firsts[labels[positions] == label]]
    ]
    return np.concatenate(chosen)
