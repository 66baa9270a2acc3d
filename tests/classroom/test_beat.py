"""Housekeeping goes on when the clock of its machine is set back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from classroom.config.beat import Timetable
from classroom.config.celery import app
from classroom.local import services

EVERY = {"sweep": 2.0, "minutes": 60.0, "purge": 900.0}
Run = Callable[[float], list[str]]


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(app, "now", lambda: made.now)
    return made


@pytest.fixture
def run(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Let seconds pass; which tasks were sent meanwhile, in order. No broker."""
    timetable = Timetable(app, lazy=True)
    for name, seconds in EVERY.items():
        timetable.add(name=name, task=name, schedule=timedelta(seconds=seconds))
    sent: list[str] = []
    monkeypatch.setattr(timetable, "apply_entry", lambda entry, producer: sent.append(entry.name))
    timetable.__dict__["producer"] = None

    def go_on(seconds: float) -> list[str]:
        before, end = len(sent), clock.now + timedelta(seconds=seconds)
        while clock.now < end:
            wait = timetable.tick()
            clock.now += timedelta(seconds=min(max(wait, 0.001), (end - clock.now).total_seconds()))
        return sent[before:]

    return go_on


def test_beat_goes_by_this_timetable() -> None:
    assert "classroom.config.beat:Timetable" in services.beat().arguments


def test_each_task_keeps_its_interval(run: Run) -> None:
    sent = run(905)
    assert 440 <= sent.count("sweep") <= 460
    assert (sent.count("minutes"), sent.count("purge")) == (15, 1)


@pytest.mark.parametrize(
    "back", [timedelta(seconds=5), timedelta(minutes=10), timedelta(hours=1), timedelta(days=30)]
)
def test_a_clock_that_is_set_back_holds_up_nothing(run: Run, clock: Clock, back: timedelta) -> None:
    """Each task is late by one interval at most."""
    run(130)
    clock.now -= back
    sent = run(125)
    assert sent.count("sweep") >= 55
    assert sent.count("minutes") >= 1
    assert "purge" in [*sent, *run(1_700)]


def test_a_clock_that_is_set_back_again_and_again_keeps_no_task_from_its_turn(run: Run, clock: Clock) -> None:
    """By a little: only what ran within that little begins anew."""
    sent: list[str] = []
    for _ in range(100):
        sent += run(30)
        clock.now -= timedelta(seconds=3)
    assert sent.count("minutes") >= 40
    assert sent.count("purge") >= 2
