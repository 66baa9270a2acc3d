"""Whose readings have stayed below their own usual for long: the rule of docs/attention.md, and its numbers.

Pure: no database, no Redis, no clock. It compares a student with nobody but themselves, and says what a face looked
like for how long; it judges nobody. Values are pleasantness, -1..1, as on the tiles; times are Unix milliseconds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, fields, replace

from django.conf import settings

from emotions import other_versions

WARM_UP_SECONDS = 120.0
"""Of readings that make a baseline, before which nobody is compared with it."""
BASELINE_HALF_LIFE = 600.0
"""Seconds of readings after which the baseline has forgotten half. While readings stay low it rests."""
RECENT_HALF_LIFE = 10.0
"""Seconds: single frames don't count, a face that stays does."""
UNSURE_HALF_LIFE = 60.0
DROP, STILL_DROP = 0.35, 0.20
"""How far below the baseline a spell begins, and how far it goes on: between them nothing flickers."""
UNPLEASANT, STILL_UNPLEASANT = -0.20, -0.10
"""And how it has to look by itself: a calm face after a merry one is no trouble."""
LEAST_MS = 120_000
"""How long it has to stay so before anybody is told."""
GAP_MS = 15_000
"""A longer time without a reading ends a spell: what wasn't seen did not go on. See `gap_ms`."""
SET_BACK_MS = 60_000
"""A reading that is older than the last one by more than this is of a clock that was set back."""
STEP_SECONDS = 5.0
"""A reading speaks for no more than this."""
UNSURE = 0.5


@dataclass(frozen=True, slots=True)
class Sight:
    """One reading of a student, under the consent of `epoch`."""

    epoch: int
    at_ms: float
    value: float
    uncertain: bool


@dataclass(frozen=True, slots=True)
class Watch:
    """What is remembered of a student's readings.

    `measured`: seconds behind the baseline; `recent`, `unsure`: fast averages of the values and of how many were
    uncertain; `since_ms`: when the spell began, if there is one; `named_ms`: when it had lasted long enough.
    """

    epoch: int
    seen_ms: float
    baseline: float
    recent: float
    unsure: float
    measured: float = 0.0
    since_ms: float | None = None
    named_ms: float | None = None

    @property
    def is_unsure(self) -> bool:
        """Whether the readings behind it were mostly guesses."""
        return self.unsure >= UNSURE


def follow(watch: Watch | None, sight: Sight | None, now_ms: float) -> Watch | None:
    """The watch after this second. `sight`: the student's reading of now, None while there is none.

    Another consent begins anew, and so does a clock that was set back; a reading that was looked at already changes
    nothing.
    """
    if watch and sight and (watch.epoch != sight.epoch or watch.seen_ms - sight.at_ms > SET_BACK_MS):
        watch = None
    if sight is None or (watch and watch.seen_ms >= sight.at_ms):
        return watch and _without_gap(watch, now_ms)
    if watch is None:
        return Watch(sight.epoch, sight.at_ms, sight.value, sight.value, float(sight.uncertain))
    return _judged(_averaged(_without_gap(watch, sight.at_ms), sight))


def gap_ms() -> float:
    """Two pictures may be lost, however seldom they are taken."""
    return max(GAP_MS, 3 * settings.SAMPLE_INTERVAL_MS)


def _without_gap(watch: Watch, now_ms: float) -> Watch:
    return watch if now_ms - watch.seen_ms <= gap_ms() else replace(watch, since_ms=None, named_ms=None)


def _averaged(watch: Watch, sight: Sight) -> Watch:
    """The averages go by time, so that they are the same at every frame rate."""
    passed = (sight.at_ms - watch.seen_ms) / 1000
    watch = _with_baseline(watch, sight.value, min(passed, STEP_SECONDS))
    return replace(
        watch,
        seen_ms=sight.at_ms,
        recent=_towards(watch.recent, sight.value, _forgotten(passed, RECENT_HALF_LIFE)),
        unsure=_towards(watch.unsure, float(sight.uncertain), _forgotten(passed, UNSURE_HALF_LIFE)),
    )


def _with_baseline(watch: Watch, value: float, seconds: float) -> Watch:
    """A plain mean of the warm-up, a slow average later. A spell must not become its own measure."""
    if watch.since_ms is not None:
        return watch
    measured = watch.measured + seconds
    weight = seconds / measured if measured <= WARM_UP_SECONDS else _forgotten(seconds, BASELINE_HALF_LIFE)
    return replace(watch, measured=measured, baseline=_towards(watch.baseline, value, weight))


def _judged(watch: Watch) -> Watch:
    if not _low(watch):
        return replace(watch, since_ms=None, named_ms=None)
    since = watch.seen_ms if watch.since_ms is None else watch.since_ms
    long = watch.named_ms is None and watch.seen_ms - since >= LEAST_MS
    return replace(watch, since_ms=since, named_ms=watch.seen_ms if long else watch.named_ms)


def _low(watch: Watch) -> bool:
    drop = watch.baseline - watch.recent
    if watch.since_ms is None:
        return watch.measured >= WARM_UP_SECONDS and drop >= DROP and watch.recent <= UNPLEASANT
    return drop >= STILL_DROP and watch.recent <= STILL_UNPLEASANT


def _forgotten(seconds: float, half_life: float) -> float:
    return float(1 - 0.5 ** (seconds / half_life))


def _towards(old: float, new: float, weight: float) -> float:
    return old + weight * (new - old)


def dump(watches: Mapping[int, Watch]) -> str:
    """As it is kept in Redis, for a ticker that takes over."""
    return json.dumps({pk: astuple(watch) for pk, watch in watches.items()})


def load(text: bytes | str) -> dict[int, Watch]:
    """What `dump` wrote. Whom another version of it followed is followed anew."""
    kept = json.loads(text)
    if not isinstance(kept, dict):
        other_versions.passed_over("watches")
        return {}
    return other_versions.readable(kept, _watch, "watches")


def _watch(row: Sequence[float | None]) -> Watch:
    """Raises TypeError or ValueError where these are not a watch's own values."""
    *numbers, since, named = row
    known = all(isinstance(value, float | int) for value in (*numbers, since or 0, named or 0))
    if not known or len(row) != len(fields(Watch)):
        raise ValueError(f"expected the {len(fields(Watch))} values of a watch, received {row}")
    return Watch(*row)  # type: ignore[arg-type]
