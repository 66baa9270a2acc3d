"""How many look troubled, for the live class and for reports."""

from __future__ import annotations

from collections.abc import Sequence

from ml.labels import INDEX, TROUBLED

_PLACES = tuple(INDEX[label] for label in TROUBLED)


def troubled(shares: Sequence[float]) -> float:
    """The share of faces that look angry, disgusted, fearful or sad, 0..1, of (7,) shares."""
    return sum(shares[n] for n in _PLACES)
