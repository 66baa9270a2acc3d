"""What a dashboard has beside mood and tiles: who may need the teacher, and whose hand is up. Belongs to the ticker.

Only who shares individually is ever named for a reading or a word; the others' words are counted in the pace. A
raised hand is raised towards the teacher, and bears its name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from emotions import other_versions
from emotions.messages import Alert, Attention, Hand, Notices, OwnAttention
from emotions.mood import attention
from emotions.mood.attention import Sight, Watch
from emotions.mood.estimate import Standing, pleasantness

Times = Mapping[int, float]
"""Unix milliseconds, by participant."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What is known besides the standings.

    `lost`: when each who says so said that they are lost; `dismissed`: when the teacher waved each off the list.
    """

    lost: Times
    dismissed: Times
    alerts: Sequence[Alert] = ()


class Watcher:
    """Follows a session's students from second to second."""

    def __init__(self, watches: Mapping[int, Watch] | None = None) -> None:
        self._watches = dict(watches or {})
        self._rows: dict[int, Attention | None] = {}
        # Whose row is another than a second ago, or gone: they are told, too.
        self.changed: dict[int, Attention | None] = {}
        # Nobody knows yet what dashboards hold: the first second says it all.
        self.last: Notices | None = None

    def advance(self, present: Sequence[Standing], heard: Heard, now_ms: float) -> Notices | None:
        """This second's notices, or None where they are those of the last one."""
        lost, dismissed = heard.lost, heard.dismissed
        named = [one for one in present if one.student.scope == "individual"]
        self._follow(named, now_ms)
        rows = {one.student.pk: self._attention(one, lost, dismissed.get(one.student.pk, 0.0)) for one in named}
        self.changed = {pk: row for pk, row in rows.items() if self.last is None or row != self._rows.get(pk)}
        before, now = self.last, _notices(rows.values(), present, heard.alerts)
        self._rows, self.last = rows, now
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


def _notices(rows: Iterable[Attention | None], present: Sequence[Standing], alerts: Sequence[Alert]) -> Notices:
    return Notices(attention=_in_order(rows), hands=_hands(present), alerts=list(alerts))


def _in_order(rows: Iterable[Attention | None]) -> list[Attention]:
    return sorted(filter(None, rows), key=_began)


def _hands(present: Sequence[Standing]) -> list[Hand]:
    """Of those who are connected: nobody calls on an empty chair."""
    here = [one.student for one in present if one.state != "disconnected"]
    up = [Hand(id=who.id, name=who.name, at_ms=who.hand_ms) for who in here if who.hand_ms is not None]
    return sorted(up, key=lambda hand: hand.at_ms)


def load(text: bytes | str | None) -> Notices:
    """A session's notices as the ticker keeps them; none where it keeps none, or where another version of it wrote
    them: the next ticker's first second tells them all."""
    try:
        return Notices.model_validate_json(text) if text else Notices()
    except ValidationError:
        other_versions.passed_over("notices")
        return Notices()


def as_own(row: Attention | None) -> OwnAttention:
    """What the student is told of it: the same."""
    return OwnAttention(**row.model_dump(exclude={"id"})) if row else OwnAttention()


def _sight(one: Standing) -> Sight | None:
    if one.reading is None or not one.measured:
        return None
    reading = one.reading
    return Sight(reading.consent_epoch, reading.captured_ms, pleasantness(reading), reading.uncertain)


def _began(row: Attention) -> float:
    """Who has waited longest comes first."""
    return min(at for at in (row.troubled_ms, row.lost_ms) if at is not None)
