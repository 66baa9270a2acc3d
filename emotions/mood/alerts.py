"""Quiet alerts: what has changed in the class so much that its teacher is told, and never more often than is useful.

Pure: no database, no Redis, no clock. docs/alerts.md explains the rule and its numbers.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import hypot

from emotions.messages import Alert, AlertKind, Point
from emotions.mood.trouble import troubled

BACK_MS = 120_000
"""How far back the mood is compared."""
MEAN_MS = 15_000
"""Both sides are means over so long, so that no single second alarms anybody."""
LEAST_POINTS = 8
"""Of each mean. After a gap there is nothing to compare with."""
SAME_CLASS = 0.25
"""Where the measured are more or fewer by a larger part, it is another class and no change of mood."""
WORDS_MS = 180_000
"""How long a student's last word counts."""
ANY_MS = 60_000
"""Between two alerts of any kind."""
KEPT = 10

WORDS: dict[AlertKind, str] = {"lost": "that they are lost", "too_fast": "too fast", "too_slow": "too slow"}


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """`points`: how many the mood has to fall; `least`, `part`: how many students, and what part of those connected,
    have to say so; `quiet_ms`: between two alerts of a kind."""

    points: float
    least: int
    part: float
    quiet_ms: float


SENSITIVITIES = {
    "few": Sensitivity(30, 4, 0.35, 600_000),
    "normal": Sensitivity(20, 3, 0.20, 300_000),
    "many": Sensitivity(12, 2, 0.10, 180_000),
}
"""By classroom.models.Course.Alerts; without an entry there are none."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """How much of the measured looked troubled, 0..1, and the ends of its band."""

    at_ms: float
    share: float
    low: float
    high: float
    measured: int


class Alarm:
    """Belongs to the ticker: remembers the last minutes of one session, and what it has told."""

    def __init__(self, points: Iterable[Point] = (), told: Iterable[Alert] = ()) -> None:
        self._past: deque[Trouble] = deque()
        self.told = list(told)
        for point in points:
            self._remember(point)

    def advance(self, point: Point, sensitivity: Sensitivity | None) -> list[Alert]:
        """The alerts that dashboards have after this second. No `sensitivity`: no new ones."""
        self._remember(point)
        if sensitivity is not None and not self._lately("", point.at_ms, ANY_MS):
            self._tell(point, sensitivity)
        return self.told

    def _remember(self, point: Point) -> None:
        if self._past and self._past[-1].at_ms > point.at_ms:  # the clock was set back
            self._past.clear()
        if (known := trouble(point)) is not None:
            self._past.append(known)
        while self._past and self._past[0].at_ms <= point.at_ms - BACK_MS - MEAN_MS:
            self._past.popleft()

    def _tell(self, point: Point, how: Sensitivity) -> None:
        """At most one: the mood first."""
        for alert in (_mood_alert(point, list(self._past), how), *_pace_alerts(point, how)):
            if alert is not None and not self._lately(alert.kind, point.at_ms, how.quiet_ms):
                self.told = [*self.told, alert][-KEPT:]
                return

    def _lately(self, kind: str, at_ms: float, quiet_ms: float) -> bool:
        """Not what was told later than now: before the clock was set back."""
        return any(0 <= at_ms - one.at_ms < quiet_ms for one in self.told if kind in ("", one.kind))


def trouble(point: Point) -> Trouble | None:
    """None under the floor."""
    if point.shares is None or point.troubled_low is None or point.troubled_high is None:
        return None
    return Trouble(point.at_ms, troubled(point.shares), point.troubled_low, point.troubled_high, point.measured)


def _mood_alert(point: Point, past: Sequence[Trouble], how: Sensitivity) -> Alert | None:
    now = _mean(past, point.at_ms)
    then = _mean(past, point.at_ms - BACK_MS)
    if now is None or then is None or point.shares is None or not _comparable(now, then):
        return None
    fell = now.share - then.share
    if fell * 100 < how.points or fell <= _doubt(then, now):
        return None
    return Alert(kind="mood", at_ms=point.at_ms, words=_mood_words(point, fell, now.share))


def _mean(past: Sequence[Trouble], end_ms: float) -> Trouble | None:
    inside = [one for one in past if end_ms - MEAN_MS < one.at_ms <= end_ms]
    if len(inside) < LEAST_POINTS:
        return None
    parts = zip(*((one.share, one.low, one.high) for one in inside), strict=True)
    share, low, high = (sum(values) / len(inside) for values in parts)
    return Trouble(end_ms, share, low, high, min(one.measured for one in inside))


def _doubt(then: Trouble, now: Trouble) -> float:
    """By how much less than it seems the share may have risen: from the lower end of the band of now and the upper of
    then (Zou and Donner 2008, for a difference of two shares with bands of any shape)."""
    return hypot(now.share - now.low, then.high - then.share)


def _comparable(now: Trouble, then: Trouble) -> bool:
    return abs(now.measured - then.measured) <= SAME_CLASS * max(now.measured, then.measured)


def _mood_words(point: Point, fell: float, share: float) -> str:
    count, minutes = int(share * point.measured + 0.5), BACK_MS // 60_000
    return (
        f"Mood fell {int(fell * 100 + 0.5)} points in {minutes} minutes: about {count} of {point.measured} look "
        f"troubled; this rests on {point.measured} of {point.connected} students."
    )


def _pace_alerts(point: Point, how: Sensitivity) -> list[Alert]:
    """The commonest word first."""
    counts = {word: getattr(point.pace, word) for word in WORDS}
    enough = [word for word, count in counts.items() if count >= max(how.least, how.part * point.connected)]
    return [
        Alert(kind=word, at_ms=point.at_ms, words=_pace_words(counts[word], word))
        for word in sorted(enough, key=lambda word: -counts[word])
    ]


def _pace_words(count: int, word: AlertKind) -> str:
    """Of how many is not said: all who are there may speak, and an alert of the mood beside it rests on fewer."""
    return f"{count} students said {WORDS[word]} in the last {WORDS_MS // 60_000} minutes."
