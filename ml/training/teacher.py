"""A teacher's answers: probabilities for rows of the data, written by a larger network or an ensemble."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from ml.labels import LABELS


class TeacherError(ValueError):
    """The teacher's file cannot be used; the text says why."""


def read_teacher(path: Path, rows: int) -> npt.NDArray[np.float32]:
    """(rows, 7) probabilities in the data's row order, zeros where the teacher says nothing.

    The file is an .npz of `row` (n,), counted from 0, and `probabilities` (n, 7). Raises TeacherError.
    """
    with np.load(path, allow_pickle=False) as file:
        missing = {"row", "probabilities"} - set(file.files)
        if missing:
            raise TeacherError(f"{path}: expected the arrays row and probabilities, received {sorted(file.files)}.")
        row, probabilities = file["row"], file["probabilities"].astype(np.float32)
    if probabilities.shape != (len(row), len(LABELS)):
        raise TeacherError(
            f"{path}: expected ({len(row)}, {len(LABELS)}) probabilities, received {probabilities.shape}."
        )
    if len(row) and not 0 <= row.min() <= row.max() < rows:
        raise TeacherError(f"{path}: expected rows 0 to {rows - 1}, received {row.min()} to {row.max()}.")
    answers = np.zeros((rows, len(LABELS)), np.float32)
    answers[row] = probabilities
    return answers
