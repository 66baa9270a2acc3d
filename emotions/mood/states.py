"""What the ticker remembers of a session between two ticks, and how one takes up what the ticker before it left."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

import numpy as np

from emotions.messages import Point
from emotions.models import MoodPoint
from emotions.mood import attention, board, notices
from emotions.mood.alerts import Alarm
from emotions.mood.board import Board
from emotions.mood.cohort import NOBODY, Group
from emotions.mood.estimate import Bands, Memory, Student
from emotions.mood.notices import Watcher

_CONTINUES_MS = 10_000
"""A ticker that takes over goes on from the last point, if that is not older."""


@dataclass(slots=True)
class SessionState:
    """What the ticker remembers of a session between two ticks."""

    sequence: int = 0
    at_ms: float = 0.0
    memory: Memory = field(default_factory=Memory)
    board: Board = field(default_factory=Board)
    watcher: Watcher = field(default_factory=Watcher)
    alarm: Alarm = field(default_factory=Alarm)
    counts: tuple[object, ...] = ()
    beside: tuple[object, ...] = ()
    # Of who shares individually, by participant: another epoch is another consent, or minutes that were erased.
    epochs: dict[int, int] = field(default_factory=dict)

    @property
    def joined(self) -> bool:
        """Whether anybody had, a tick ago."""
        return bool(self.counts and self.counts[0])

    def begin_anew(self, named: Sequence[Student]) -> set[UUID]:
        """Whose tile must not remember what was before."""
        known, self.epochs = self.epochs, {one.pk: one.consent_epoch for one in named}
        return {one.id for one in named if known.get(one.pk, one.consent_epoch) != one.consent_epoch}


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of a session by the ticker before: in Redis, and its points of the last minutes."""

    tiles: bytes | None
    cohort: bytes | None
    watches: bytes | None
    notices: bytes | None
    last: MoodPoint | None
    recent: list[Point]


def taken_up(left: Left, newer: Group | None, older: Group | None, now_ms: float) -> SessionState:
    """`newer`: a cohort that Redis does not have yet; `older`: one for where Redis has lost its own."""
    known = frozenset(json.loads(left.cohort)) if left.cohort else older
    state = _restored(left.last, left.tiles, known if newer is None else newer, now_ms)
    state.watcher = Watcher(attention.load(left.watches) if left.watches else {})
    state.alarm = Alarm(left.recent, notices.load(left.notices).alerts)
    return state


def _restored(point: MoodPoint | None, tiles: bytes | None, cohort: Group | None, now_ms: float) -> SessionState:
    """A session as the ticker before this one left it. No `cohort`: it is not known."""
    state = SessionState(board=Board(board.load(tiles)[1] if tiles else ()))
    if point is not None:
        state.sequence, state.at_ms = point.sequence, point.at.timestamp() * 1000
    bands = _bands(point) if point is not None and now_ms - state.at_ms <= _CONTINUES_MS else None
    lost = cohort is None and point is not None and point.shares is not None
    state.memory = Memory(cohort or NOBODY, bands, cohort_lost=lost)
    return state


def _bands(point: MoodPoint) -> Bands | None:
    if point.shares is None or point.troubled_low is None:
        return None
    parts = (point.shares, point.low, point.high, (point.troubled_low, point.troubled_high))
    return Bands(*(np.array(part, np.float64) for part in parts))
