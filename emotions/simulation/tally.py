"""Counting what became of every frame: sent = results + replaced + rejected + lost + pending."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field

LOST_AFTER_S = 6.0
"""A frame lives seconds in its slot: what has no answer by then gets none."""
MOST_LATENCIES = 200_000
"""Kept for the percentiles; beyond, an even sample (reservoir), so a demo can run for days."""


@dataclass(slots=True)
class _Sent:
    scheduled: float
    label: str


@dataclass(slots=True)
class Tally:
    """Shared by all students of a run. Times are seconds of one monotonic clock.

    `since`: frames that were due before it are a warm-up, and not counted."""

    since: float = 0.0
    sent: int = 0
    results: int = 0
    replaced: int = 0
    rejected: int = 0
    lost: int = 0
    with_face: int = 0
    agreeing: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    closed: Counter[int] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)

    def arrived(self, frame: _Sent, label: str | None, now: float) -> None:
        self.results += 1
        self._keep(now - frame.scheduled)
        if label is not None:
            self.with_face += 1
            self.agreeing += label == frame.label

    def _keep(self, latency: float) -> None:
        if len(self.latencies) < MOST_LATENCIES:
            self.latencies.append(latency)
        elif (place := random.randrange(self.results)) < MOST_LATENCIES:  # noqa: S311 - a sample, not a secret
            self.latencies[place] = latency

    def summary(self, students: int, seconds: float, cpu_seconds: float) -> dict[str, object]:
        """The one object that `simulate --json` prints."""
        answered = self.results + self.replaced + self.rejected + self.lost
        return {
            "students": students,
            "seconds": round(seconds, 1),
            "frames_sent": self.sent,
            "results_received": self.results,
            "frames_replaced": self.replaced,
            "rejected": self.rejected,
            "lost": self.lost,
            "pending": self.sent - answered,
            "latency_ms": {f"p{p}": self._percentile(p) for p in (50, 95, 99)},
            "label_agreement": round(self.agreeing / self.with_face, 4) if self.with_face else None,
            "faces_found": round(self.with_face / self.results, 4) if self.results else None,
            "rejected_for": dict(self.reasons),
            "closed_with": {str(code): count for code, count in self.closed.items()},
            "cpu_seconds": round(cpu_seconds, 2),
        }

    def _percentile(self, percent: int) -> float | None:
        if not self.latencies:
            return None
        ordered = sorted(self.latencies)
        return round(1000 * ordered[min(len(ordered) - 1, len(ordered) * percent // 100)], 1)


class Outstanding:
    """One student's frames that wait for an answer."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._frames: dict[int, _Sent] = {}

    def __len__(self) -> int:
        return len(self._frames)

    def sent(self, sequence: int, scheduled: float, label: str) -> None:
        if scheduled < self._tally.since:
            return
        self._tally.sent += 1
        self._frames[sequence] = _Sent(scheduled, label)
        self.give_up(scheduled)

    def result(self, sequence: int, label: str | None, now: float) -> None:
        if frame := self._frames.pop(sequence, None):
            self._tally.arrived(frame, label, now)

    def replaced(self, sequence: int) -> None:
        self._tally.replaced += self._frames.pop(sequence, None) is not None

    def rejected(self, sequence: int | None, reason: str) -> None:
        if self._frames.pop(sequence, None) is not None:  # type: ignore[arg-type]
            self._tally.rejected += 1
            self._tally.reasons[reason] += 1

    def give_up(self, now: float, after: float = LOST_AFTER_S) -> None:
        """Count as lost what was scheduled more than `after` seconds ago."""
        for sequence in [s for s, frame in self._frames.items() if now - frame.scheduled > after]:
            del self._frames[sequence]
            self._tally.lost += 1
