"""What a dashboard has beside mood and tiles: who may need the teacher. Belongs to the ticker.

Only who shares individually is ever named here; the others' words are counted in the pace.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from emotions.messages import Attention, Notices
from emotions.mood import attention
from emotions.mood.attention import Sight, Watch
from emotions.mood.estimate import Standing, pleasantness

Times = Mapping[int, float]
"""Unix milliseconds, by participant."""


class Watcher:
    """Follows a session's students from second to second."""

    def __init__(self, watches: Mapping[int, Watch] | None = None) -> None:
        self._watches = dict(watches or {})
        # Nobody knows yet what dashboards hold: the first second says it all.
        self.last: Notices | None = None

    def advance(self, present: Sequence[Standing], lost: Times, dismissed: Times, now_ms: float) -> Notices | None:
        """This second's notices, or None where they are those of the last one.

        `lost`: when each who says so said that they are lost; `dismissed`: when the teacher waved each off the list.
        """
        named = [one for one in present if one.student.scope == "individual"]
        self._follow(named, now_ms)
        rows = [self._attention(one, lost, dismissed.get(one.student.pk, 0.0)) for one in named]
        before, now = self.last, Notices(attention=sorted(filter(None, rows), key=_began))
        self.last = now
        return None if now == before else now

    def dump(self) -> str:
        """As it is kept in Redis, for a ticker that takes over."""
        return attention.dump(self._watches)

    def _follow(self, named: Sequence[Standing], now_ms: float) -> None:
        """Whoever no longer shares individually, or is gone, is forgotten."""
        followed = {
            one.student.pk: attention.follow(self._watches.get(one.student.pk), _sight(one), now_ms) for one in named
        }
        self._watches = {pk: watch for pk, watch in followed.items() if watch is not None}

    def _attention(self, one: Standing, lost: Times, dismissed_ms: float) -> Attention | None:
        """A reason that is older than the teacher's "seen" is none any more; a new one is."""
        watch, said = self._watches.get(one.student.pk), lost.get(one.student.pk)
        troubled = watch.since_ms if watch and watch.named_ms and watch.named_ms > dismissed_ms else None
        said = said if said and said > dismissed_ms else None
        if troubled is None and said is None:
            return None
        unsure = bool(watch and watch.is_unsure and troubled)
        return Attention(id=one.student.id, troubled_ms=troubled, unsure=unsure, lost_ms=said)


def _sight(one: Standing) -> Sight | None:
    if one.reading is None or not one.measured:
        return None
    reading = one.reading
    return Sight(reading.consent_epoch, reading.captured_ms, pleasantness(reading), reading.uncertain)


def _began(row: Attention) -> float:
    """Who has waited longest comes first."""
    return min(at for at in (row.troubled_ms, row.lost_ms) if at is not None)
