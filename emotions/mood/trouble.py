"""How many look troubled, and how sure that is: for the live class, for reports, and for sums in the database."""

from __future__ import annotations

from collections.abc import Sequence
from math import hypot

from ml.labels import INDEX, TROUBLED

_PLACES = tuple(INDEX[label] for label in TROUBLED)

HALF_BAND_SQL = f"sqrt({' + '.join(f'power((high[{n + 1}] - low[{n + 1}]) / 2, 2)' for n in _PLACES)})"
"""`half_band` of a row of mood points, as Postgres computes it."""


def troubled(shares: Sequence[float]) -> float:
    """The share of faces that look angry, disgusted, fearful or sad, 0..1, of (7,) shares."""
    return sum(shares[n] for n in _PLACES)


def half_band(low: Sequence[float], high: Sequence[float]) -> float:
    """Half of the band of those who look troubled, from (7,) ends of bands: they add up as independent ones do."""
    return hypot(*((high[n] - low[n]) / 2 for n in _PLACES))
