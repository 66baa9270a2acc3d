"""Which moments of a session are worth looking at again, and why. A rule, written down; not a verdict.

A moment is a stretch through which the share of those who looked troubled (as `emotions.mood.trouble.troubled`
counts it; the mean of SMOOTH_MS around each point) lay LEAST_ABOVE or more over the session's own mean, and its whole
band with it: in a class of ten one student is ten points, and the band is wide. Two stretches with less than APART_MS
between them are one. Those with the highest share at their peak are named, each once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from emotions.mood.trouble import troubled
from emotions.reports.charts import step_ms
from emotions.reports.rows import MarkerRow, MoodRow

SMOOTH_MS = 120_000
APART_MS = 120_000
LEAST_ABOVE = 0.08
MOST = 3


@dataclass(frozen=True, slots=True)
class Moment:
    """From `start_ms` to `end_ms`. `share`: of the `measured` who looked troubled at the peak, `at_ms`; `usual`: the
    session's mean; `after`: the marker before the peak."""

    start_ms: float
    end_ms: float
    at_ms: float
    share: float
    usual: float
    measured: float
    after: str


@dataclass(frozen=True, slots=True)
class _Point:
    """`low`: the lower end of the share's band."""

    at_ms: float
    share: float
    low: float
    measured: float


def moments(rows: Sequence[MoodRow], markers: Sequence[MarkerRow]) -> list[Moment]:
    """At most MOST of them, in order of time. `rows` are in order of time and of equal length."""
    known = [row for row in rows if row.shares is not None]
    if not known:
        return []
    usual = _joined(known)
    high = [point for point in (_smooth(row, known) for row in known) if _stands_out(point, usual)]
    step = step_ms(rows)
    found = [_moment(stretch, step, usual.share, markers) for stretch in _stretches(high, APART_MS + step)]
    highest = sorted(found, key=lambda each: -each.share)[:MOST]
    return sorted(highest, key=lambda each: each.at_ms)


def _smooth(row: MoodRow, known: Sequence[MoodRow]) -> _Point:
    near = [other for other in known if abs(other.at_ms - row.at_ms) <= SMOOTH_MS / 2]
    return replace(_joined(near), at_ms=row.at_ms)


def _joined(rows: Sequence[MoodRow]) -> _Point:
    """Their mean. Bands don't get narrower by repetition: the same students are read again."""
    share = _mean([troubled(row.shares or []) for row in rows])
    low = _mean([row.troubled[0] if row.troubled else 0.0 for row in rows])
    return _Point(rows[0].at_ms, share, low, _mean([row.measured for row in rows]))


def _stands_out(point: _Point, usual: _Point) -> bool:
    return point.share - usual.share >= LEAST_ABOVE and point.low >= usual.share


def _stretches(high: Sequence[_Point], apart_ms: float) -> list[list[_Point]]:
    stretches: list[list[_Point]] = []
    for point in high:
        if not stretches or point.at_ms - stretches[-1][-1].at_ms >= apart_ms:
            stretches.append([])
        stretches[-1].append(point)
    return stretches


def _moment(stretch: Sequence[_Point], step: float, usual: float, markers: Sequence[MarkerRow]) -> Moment:
    """A point's time is the middle of its row, which is `step` long."""
    peak = max(stretch, key=lambda point: point.share)
    before = [marker.label for marker in markers if marker.at_ms <= peak.at_ms]
    start, end = stretch[0].at_ms - step / 2, stretch[-1].at_ms + step / 2
    return Moment(start, end, peak.at_ms, peak.share, usual, peak.measured, before[-1] if before else "")


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
