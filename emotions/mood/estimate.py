"""From the live state of a session to the class mood of one second. Pure: no database, no Redis, no clock.

The estimate, its floor, its smoothing, and what each student's tile says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Any, Protocol
from uuid import UUID

import numpy as np
import numpy.typing as npt
from django.conf import settings

from emotions.messages import Pace, Point, Tile, TileState
from emotions.mood.cohort import FLOOR, Group, next_cohort
from emotions.mood.presence import AHEAD_MS, Presence
from emotions.readings.live import LiveReading
from ml.lesson import Lesson
from ml.serving.manifest import Manifest

MEASURED_MS = 10_000
"""A reading that is older says nothing about now: unless one comes more seldom (`measured_ms`)."""
HALF_LIFE_SECONDS = 4.0
"""Of what the shares remember. Long enough to quiet single frames, short enough to see a room turn."""

# How pleasant each emotion is, -1..1, in the order of ml.labels.LABELS: roughly the horizontal axis of Russell's
# circumplex (1980). For sparklines, and to compare a student with themselves (emotions.mood.attention).
PLEASANTNESS = (-0.8, -0.9, -0.7, 1.0, -0.8, 0.3, 0.0)

_STATES: dict[str, TileState] = {
    "paused": "paused",
    "off": "camera_off",
    "denied": "camera_off",
    "busy": "camera_off",
}


class Estimate(Protocol):
    """Shares of the class with their band, each (7,), and the ends of the band of those who look troubled, (2,)."""

    @property
    def shares(self) -> npt.NDArray[Any]: ...
    @property
    def low(self) -> npt.NDArray[Any]: ...
    @property
    def high(self) -> npt.NDArray[Any]: ...
    @property
    def troubled(self) -> npt.NDArray[Any]: ...


class Estimator(Protocol):
    """As ml.quantify.MoodEstimator."""

    @property
    def model_version(self) -> str:
        """Of the network whose readings it understands."""

    def estimate(self, probabilities: npt.NDArray[np.float32]) -> Estimate:
        """`probabilities`: (n, 7), a row per student."""


@dataclass(frozen=True, slots=True)
class Student:
    """A participant who has neither left nor been removed. `name`: as `classroom.text.distinct_names` tells them
    apart; `hand_ms`: since when a hand is up, if one is."""

    pk: int
    id: UUID
    name: str
    scope: str
    consent_epoch: int
    hand_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a student stands this second. `reading`: the last one under the consent in force, however old."""

    student: Student
    state: TileState
    reading: LiveReading | None

    @property
    def measured(self) -> bool:
        return self.state == "measured"


@dataclass(frozen=True, slots=True)
class Bands:
    """(7,) each: the shares and their 90 % band. (2,): the ends of that of those who look troubled."""

    shares: npt.NDArray[np.float64]
    low: npt.NDArray[np.float64]
    high: npt.NDArray[np.float64]
    troubled: npt.NDArray[np.float64]

    def towards(self, other: Bands, weight: float) -> Bands:
        """This one, moved to `other` by `weight` 0..1."""
        return Bands(
            self.shares + weight * (other.shares - self.shares),
            self.low + weight * (other.low - self.low),
            self.high + weight * (other.high - self.high),
            self.troubled + weight * (other.troubled - self.troubled),
        )


@dataclass(frozen=True, slots=True)
class Memory:
    """What a session's mood carries from one tick to the next."""

    cohort: Group = frozenset()
    bands: Bands | None = None
    # Who was in the last mood is not known any more: for one second nobody of the aggregate is.
    cohort_lost: bool = False


def measured_ms() -> float:
    """For how long a reading counts: one picture may be lost, and nobody goes from the mood between two."""
    return max(MEASURED_MS, 2.5 * settings.SAMPLE_INTERVAL_MS)


def standing(student: Student, presence: Presence | None, reading: LiveReading | None, now_ms: float) -> Standing:
    """A reading of an older consent counts for nothing."""
    if reading is not None and (reading.consent_epoch != student.consent_epoch or student.scope == "none"):
        reading = None
    return Standing(student, _state(student, presence, reading, now_ms), reading)


def _state(student: Student, presence: Presence | None, reading: LiveReading | None, now_ms: float) -> TileState:
    if presence is None or not presence.fresh(now_ms):
        return "disconnected"
    if presence.camera in _STATES or student.scope == "none":
        return _STATES.get(presence.camera, "camera_off")
    if reading is not None and -AHEAD_MS <= now_ms - reading.captured_ms <= measured_ms():
        return "measured"
    return "not_visible"


def standings(
    students: Sequence[Student],
    presences: Mapping[int, Presence],
    readings: Mapping[int, LiveReading],
    now_ms: float,
) -> list[Standing]:
    """One per student, in order."""
    return [standing(student, presences.get(student.pk), readings.get(student.pk), now_ms) for student in students]


def entering(present: Sequence[Standing], previous: Group, rng: Random) -> tuple[list[Standing], Group]:
    """Who the mood rests on this second, and the new cohort. Nobody, where they are fewer than FLOOR.

    Who shares individually enters always: their reading is on their tile. Of the others see emotions.mood.cohort;
    under the floor nothing of them is shown, so the cohort starts anew.
    """
    measured = [one for one in present if one.measured]
    hidden = frozenset(one.student.pk for one in measured if one.student.scope != "individual")
    cohort = next_cohort(previous, hidden, FLOOR, rng)
    members = [one for one in measured if one.student.scope == "individual" or one.student.pk in cohort]
    return (members, cohort) if len(members) >= FLOOR else ([], cohort)


def told_of(present: Sequence[Standing]) -> Sequence[Standing]:
    """Those whose measuring the counts of a point tell of: everybody, but for fewer than FLOOR connected students who
    share in the aggregate only. Beside the tiles of the others, a count that moves would tell of one of them."""
    hidden = sum(one.student.scope == "aggregate" and one.state != "disconnected" for one in present)
    return present if hidden >= FLOOR else [one for one in present if one.student.scope != "aggregate"]


def estimate(estimator: Estimator, members: Sequence[Standing]) -> Bands:
    """The class's shares; every student weighs the same, whatever their frame rate."""
    rows = np.array([one.reading.probabilities for one in members if one.reading], np.float32)
    result = estimator.estimate(rows)
    parts = (result.shares, result.low, result.high, result.troubled)
    return Bands(*(np.asarray(part, np.float64) for part in parts))


def smoothed(previous: Bands | None, new: Bands, seconds: float) -> Bands:
    """Exponentially, by HALF_LIFE_SECONDS; `seconds` since the previous."""
    return new if previous is None else previous.towards(new, 1 - 0.5 ** (seconds / HALF_LIFE_SECONDS))


@dataclass(frozen=True, slots=True)
class Moment:
    """What is known besides the standings. `seconds`: since the last tick of this session."""

    sequence: int
    at_ms: float
    seconds: float
    pace: Pace


def next_point(
    present: Sequence[Standing], memory: Memory, moment: Moment, estimator: Estimator, rng: Random
) -> tuple[Point, Memory]:
    """The mood of this second. Under the floor it has no shares, and forgets the earlier ones."""
    counted = [one for one in present if one.student.scope == "individual"] if memory.cohort_lost else present
    members, cohort = entering(counted, memory.cohort, rng)
    told = told_of(present)
    bands = smoothed(memory.bands, estimate(estimator, members), moment.seconds) if members else None
    troubled_low, troubled_high = _rounded(bands.troubled) if bands else (None, None)
    point = Point(
        sequence=moment.sequence,
        at_ms=moment.at_ms,
        shares=_rounded(bands.shares) if bands else None,
        low=_rounded(bands.low) if bands else None,
        high=_rounded(bands.high) if bands else None,
        troubled_low=troubled_low,
        troubled_high=troubled_high,
        joined=len(present),
        connected=sum(one.state != "disconnected" for one in present),
        measured=len(members) or sum(one.measured for one in told),
        uncertain=sum(one.reading.uncertain for one in members if one.reading),
        not_visible=sum(one.state == "not_visible" for one in told),
        pace=moment.pace,
        on_device=sum(one.reading.source == "device" for one in members if one.reading),
    )
    return point, Memory(cohort, bands)


def _rounded(shares: npt.NDArray[np.float64]) -> list[float]:
    return [round(min(1.0, max(0.0, float(share))), 4) for share in shares]


def tile(one: Standing) -> Tile:
    """What the teacher sees of a student who shares individually."""
    reading = one.reading
    shown = reading if reading is not None and one.measured else None
    return Tile(
        id=one.student.id,
        name=one.student.name,
        state=one.state,
        label=shown.label if shown else None,
        uncertain=shown.uncertain if shown else False,
        seen_ms=round(reading.captured_ms) if reading and not shown else None,
        value=pleasantness(shown) if shown else None,
    )


@cache
def _lesson() -> Lesson:
    return Manifest.load().lesson


def pleasantness(reading: LiveReading) -> float:
    """How pleasant the face looks, -1..1, seen as in a lesson. By the network's own probabilities a neutral face
    looks somewhat troubled on average (the manifest's `soft_confusion`)."""
    shares = _lesson().probabilities(reading.probabilities)
    value = sum(weight * share for weight, share in zip(PLEASANTNESS, shares, strict=True))
    return round(min(1.0, max(-1.0, value)), 2)
