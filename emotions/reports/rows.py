"""What dashboards, reports and exports are made of: plain rows, between the selectors and the charts.

Times are Unix milliseconds; shares stand in the order of `ml.labels.LABELS`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class MoodRow:
    """The class mood over one stretch of time. `shares`, `low`, `high` ((7,), a 90 % band), and `troubled`, the ends
    of the band of those who look so, are None under the floor.

    The counts are means over the stretch.
    """

    at_ms: float
    shares: Sequence[float] | None
    low: Sequence[float] | None
    high: Sequence[float] | None
    troubled: tuple[float, float] | None
    joined: float
    connected: float
    measured: float
    uncertain: float
    not_visible: float


@dataclass(frozen=True, slots=True)
class MarkerRow:
    """A moment that the instructor named."""

    id: int
    label: str
    at_ms: float


@dataclass(frozen=True, slots=True)
class Section:
    """The time from one marker to the next. `mood`: None where it was never known; `said`: how often each word of a
    check-in fell; `heard`: whether it says something that one did not (emotions.reports.pace); `known`: over what
    part of the time (0..1) the mood was known; `measured`, `connected`: means over that part, which the mood rests
    on."""

    title: str
    start_ms: float
    end_ms: float
    mood: MoodRow | None
    said: dict[str, int]
    heard: bool
    known: float
    measured: float
    connected: float


@dataclass(frozen=True, slots=True)
class Student:
    """One who shares individually: `minutes` with a reading, `readings`, `uncertain` among them, mean `shares`."""

    id: UUID
    name: str
    minutes: int
    readings: int
    uncertain: int
    shares: Sequence[float] | None
    label_counts: Sequence[int]


def most_often(counts: Sequence[int], sums: Sequence[float]) -> int:
    """The index of the label that was read most often. Of several, the one with the largest sum of probabilities: not
    the first of the list, which is "angry"."""
    return max(range(len(counts)), key=lambda n: (counts[n], sums[n]))


@dataclass(frozen=True, slots=True)
class StudentMinutes:
    """A student's minutes with a reading, in order: `at` (minutes since 1970), the index of the label that was read
    most often (as `most_often`), and whether more than half of the readings were unsure."""

    at: Sequence[int]
    labels: Sequence[int]
    unsure: Sequence[bool]


@dataclass(frozen=True, slots=True)
class StudentMinute:
    """One minute of a student's: `minute` since 1970, mean `shares` of its readings, and how many of them each label
    was read in."""

    minute: int
    label: int
    readings: int
    uncertain: int
    shares: Sequence[float]
    label_counts: Sequence[int]


@dataclass(frozen=True, slots=True)
class Attendee:
    """Somebody who joined, by the name on the list of those present. `until`: when they went or were seen last, None
    for one whose page never connected; `how`: "left", "removed" or "" (stayed, or vanished without a word)."""

    pk: int
    id: UUID
    name: str
    joined: datetime
    until: datetime | None
    how: str
    shares: bool


@dataclass(frozen=True, slots=True)
class Attendance:
    """How many took part, and how. Counts only: of those who share in the aggregate nobody is named."""

    joined: int
    individual: int
    aggregate: int
    without_camera: int
    left: int
    removed: int

    @property
    def gone(self) -> int:
        return self.left + self.removed
