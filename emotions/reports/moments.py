"""Which moments of a session are worth looking at again, and why. A rule, written down; not a verdict.

A moment is a stretch of MOMENT_MS around the time at which the share of those who looked troubled (as
`emotions.reports.wording.troubled` counts it) was highest. It counts only where that share lies LEAST_ABOVE over the
session's own mean, so that a session without such a moment has none. Two moments stand at least APART_MS from each
other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from emotions.reports.rows import MarkerRow, MoodRow
from emotions.reports.wording import troubled

MOMENT_MS = 120_000
APART_MS = 300_000
LEAST_ABOVE = 0.08
MOST = 3


@dataclass(frozen=True, slots=True)
class Moment:
    """`share`: of the measured who looked troubled; `usual`: the session's mean; `after`: the marker before it."""

    at_ms: float
    share: float
    usual: float
    measured: float
    after: str


def moments(rows: Sequence[MoodRow], markers: Sequence[MarkerRow]) -> list[Moment]:
    """At most MOST of them, in order of time. `rows` are in order of time and of equal length."""
    known = [row for row in rows if row.shares is not None]
    if not known:
        return []
    usual = _mean([troubled(row.shares or []) for row in known])
    found: list[Moment] = []
    for moment in sorted((_around(row, known, usual, markers) for row in known), key=lambda each: -each.share):
        if moment.share < usual + LEAST_ABOVE or len(found) == MOST:
            break
        if all(abs(moment.at_ms - other.at_ms) >= APART_MS for other in found):
            found.append(moment)
    return sorted(found, key=lambda each: each.at_ms)


def _around(row: MoodRow, known: Sequence[MoodRow], usual: float, markers: Sequence[MarkerRow]) -> Moment:
    near = [other for other in known if abs(other.at_ms - row.at_ms) <= MOMENT_MS / 2]
    share = _mean([troubled(other.shares or []) for other in near])
    before = [marker.label for marker in markers if marker.at_ms <= row.at_ms]
    return Moment(row.at_ms, share, usual, _mean([other.measured for other in near]), before[-1] if before else "")


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
