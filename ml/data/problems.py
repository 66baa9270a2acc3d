"""What every reader of data shares: the error, the progress call-back, the limits."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Progress = Callable[[int], None]

Rows = tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64], npt.NDArray[np.str_]]
"""Pixels (n, 48, 48), labels (n,), usage (n,)."""

SIDE = 48
MOST_FACES = 200_000
"""A file with more rows than this is taken for a mistake or an attack: 200,000 faces are 460 MB in memory."""


class DataError(ValueError):
    """The data cannot be used. The text names the file, the row, what was expected and what was received."""


def shorten(text: str, length: int = 40) -> str:
    """A value as an error may show it: never the whole of a hostile line."""
    return text if len(text) <= length else f"{text[:length]}..."
