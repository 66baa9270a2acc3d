"""The sessions of a course beside each other: mood, pace and attendance of each. Five queries for any number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q

from classroom.models import CheckIn, ClassSession, Participant
from emotions.reports.pace import Crowd, Talk, talk
from emotions.reports.selectors import fetch, part_of, session_end
from ml.labels import LABELS

EARLIER = 8
"""How many sessions a report looks back."""
HARD_WORDS = (CheckIn.Word.LOST, CheckIn.Word.TOO_FAST)
"""What counts as trouble with the pace."""

_MEANS = ", ".join(f"avg(shares[{n + 1}])" for n in range(len(LABELS)))
_MOODS = f"""
    SELECT session_id, {_MEANS}, avg(measured), avg(connected), avg(troubled_low), avg(troubled_high), count(*),
        array_agg(DISTINCT model_version)
    FROM emotions_moodpoint WHERE session_id = ANY(%(sessions)s) AND shares IS NOT NULL GROUP BY 1
"""  # noqa: S608 - columns of this module


@dataclass(frozen=True, slots=True)
class MeanMood:
    """Of a session, over the seconds in which its mood was known. `shares`: (7,), summing to 1; `troubled`:
    ends of the 90 % band of those who looked so; `measured` of `connected` students, for so many `seconds`: what it
    rests on. `networks`: the versions that read it; "" for one that nobody noted."""

    shares: Sequence[float]
    measured: float
    connected: float
    troubled: tuple[float, float]
    seconds: int
    networks: frozenset[str]


@dataclass(frozen=True, slots=True)
class TermRow:
    """One session. `mood`: None where none was ever known, `known` for that part (0..1) of its time. `hard`: of how
    many students one of HARD_WORDS counts (emotions.reports.pace), None instead of none where for most of it those
    without a name were too few to be heard. `joined`: None where the session was purged, nobody knows any more."""

    session: ClassSession
    mood: MeanMood | None
    known: float
    joined: int | None
    hard: int | None

    @property
    def shares(self) -> Sequence[float] | None:
        return self.mood.shares if self.mood else None


def read_alike(row: TermRow, other: TermRow) -> bool:
    """Whether their moods may be compared: another version of the network errs in other ways. Those that nobody noted
    count as one."""
    if not row.mood or not other.mood:
        return True
    return row.mood.networks == other.mood.networks and len(row.mood.networks) == 1


def term_rows(sessions: Sequence[ClassSession]) -> list[TermRow]:
    """One row each, in their order."""
    keys = [session.pk for session in sessions]
    moods = mean_moods(keys)
    there, said = _there(keys), talk(keys)
    hard = _said_hard(said)
    return [
        _row(session, moods.get(session.pk), there.get(session.pk, 0), hard[session.pk], said.crowd(session.pk))
        for session in sessions
    ]


def mean_moods(keys: Sequence[int]) -> dict[int, MeanMood]:
    """Of each session in which a mood was ever known. One query."""
    return {row[0]: _mean_mood(row[1:]) for row in fetch(_MOODS, {"sessions": list(keys)})}


def _mean_mood(values: Sequence[Any]) -> MeanMood:
    shares, (measured, connected, low, high, seconds, networks) = values[: len(LABELS)], values[len(LABELS) :]
    mean = [value / sum(shares) for value in shares]
    return MeanMood(
        mean,
        float(measured),
        float(connected),
        (0.0, 1.0) if low is None else (low, high),
        seconds,
        frozenset(networks),
    )


def _there(keys: Sequence[int]) -> dict[int, int]:
    """Per session how many joined."""
    people = Participant.objects.students().filter(session__in=keys).order_by().values("session_id")
    return dict(people.annotate(joined=Count("pk")).values_list("session_id", "joined"))


def _said_hard(said: Talk) -> Counter[int]:
    """Per session of how many students one of HARD_WORDS counts."""
    return Counter(session for session, _ in {(w.session, w.participant) for w in said.words if w.word in HARD_WORDS})


def _row(session: ClassSession, mood: MeanMood | None, joined: int, said_hard: int, crowd: Crowd) -> TermRow:
    start, end = session.started_at, session_end(session)
    hard = said_hard if said_hard or crowd.heard(start, end) else None
    known = part_of(mood.seconds, end - start) if mood else 0.0
    # While a large session is deleted, some of it may still be there.
    there, mood = (None, None) if session.purged_at else (joined, mood)
    return TermRow(session, mood, known, there, hard)


def earlier(session: ClassSession) -> list[ClassSession]:
    """The sessions of the course before this one, newest first, EARLIER at most. Purged ones tell nothing."""
    before = Q(started_at__lt=session.started_at) | Q(started_at=session.started_at, pk__lt=session.pk)
    rows = ClassSession.objects.filter(before, course=session.course_id, purged_at=None)
    return list(rows.order_by("-started_at", "-pk")[:EARLIER])
