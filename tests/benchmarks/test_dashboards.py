"""What watching costs is the median of several differences, each of its own minute."""

from __future__ import annotations

import itertools
import time
from typing import Any

import pytest

from benchmarks import dashboards


def test_alone_and_watched_take_turns_and_the_median_of_the_differences_is_told(monkeypatch: Any) -> None:
    """Ten seconds a turn of a clock that only turns move; beside the watching, the web process grows busier."""
    now = 0.0
    turns: list[str] = []

    def pass_by(what: str) -> None:
        nonlocal now
        turns.append(what)
        now += 10.0

    monkeypatch.setattr(time, "monotonic", lambda: now)
    monkeypatch.setattr(time, "sleep", lambda seconds: pass_by("alone"))
    spent = itertools.accumulate([0.0, 1.0, 0.0, 1.2, 0.0, 2.0, 0.0, 2.9, 0.0, 3.0, 0.0, 3.3])

    def watch() -> list[int]:
        pass_by("watched")
        return [100 * len(turns), 50]

    found = dashboards.in_turns(lambda: next(spent), watch, 10.0)
    assert turns == ["alone", "watched"] * 3
    assert found["web_cores_alone"] == [0.1, 0.2, 0.3]
    assert found["web_cores_watched"] == [0.12, 0.29, 0.33]
    assert found["more_cores"] == pytest.approx({"median": 0.03, "least": 0.02, "most": 0.09})
    assert (found["ticks_heard"], found["bytes_median"], found["bytes_largest"]) == (6, 125, 600)
