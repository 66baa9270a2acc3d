"""FER+: what ten people saw in each picture (Barsoum et al. 2016), as soft labels."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ml.labels import LABELS

COLUMNS = {
    "angry": "anger",
    "disgust": "disgust",
    "fear": "fear",
    "happy": "happiness",
    "sad": "sadness",
    "surprise": "surprise",
    "neutral": "neutral",
}
"""Our labels in FER+'s words. Contempt, unknown and "not a face" have no place among the seven and are left out."""


class VotesError(ValueError):
    """The votes file cannot be used; the text says where and why."""


def read_votes(path: Path, rows: int) -> npt.NDArray[np.float32]:
    """(rows, 7) shares of the votes, in the data's own row order; a row without a vote for any of the seven is zeros.

    Raises VotesError for a file that can't be read, a missing column, a value that is no count, or another number of
    rows than the data has.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            counts = _all_counts(csv.DictReader(file), path)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise VotesError(f"{path}: expected a CSV file of votes: {error}.") from error
    if len(counts) != rows:
        raise VotesError(
            f"{path}: expected {rows} rows of votes, one for each row of the data, received {len(counts)}."
        )
    return _shares(np.array(counts, np.float32).reshape(rows, len(LABELS)))


def _all_counts(table: csv.DictReader[str], path: Path) -> list[list[int]]:
    missing = sorted(set(COLUMNS.values()) - set(table.fieldnames or ()))
    if missing:
        raise VotesError(f"{path}: expected the columns of fer2013new.csv, missing {', '.join(missing)}.")
    return [_counts(row, path, number) for number, row in enumerate(table, start=2)]


def _counts(row: dict[str, str], path: Path, number: int) -> list[int]:
    try:
        return [int(row[COLUMNS[label]]) for label in LABELS]
    except (TypeError, ValueError) as error:
        raise VotesError(f"{path}, row {number}: expected whole numbers of votes, received {row}.") from error


def _shares(counts: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return np.asarray(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1), np.float32)
