"""The sessions of a course beside each other: mood, pace and attendance of each. Five queries for any number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, Q

from classroom.models import CheckIn, ClassSession, Participant
from emotions.reports.pace import Crowd, Talk, talk
from emotions.reports.selectors import fetch, part_of, session_end
from ml.labels import INDEX, LABELS, TROUBLED

EARLIER = 8
"""How many sessions a report looks back."""
HARD_WORDS = (CheckIn.Word.LOST, CheckIn.Word.TOO_FAST)
"""What counts as trouble with the pace."""

_MEANS = ", ".join(f"avg(shares[{n + 1}])" for n in range(len(LABELS)))
_HALVES = " + ".join(f"power((high[{n}] - low[{n}]) / 2, 2)" for n in (INDEX[label] + 1 for label in TROUBLED))
_MOODS = f"""
    SELECT session_id, {_MEANS}, avg(measured) FILTER (WHERE shares IS NOT NULL),
        avg(connected) FILTER (WHERE shares IS NOT NULL), avg(sqrt({_HALVES})), count(shares)
    FROM emotions_moodpoint WHERE session_id = ANY(%(sessions)s) GROUP BY 1
"""  # noqa: S608 - columns of this module


@dataclass(frozen=True, slots=True)
class TermRow:
    """One session. `shares`: its mean mood, None where none was ever known; `half`: half of the mean
    90 % band of those who looked troubled; `measured` of `connected` and the part `known` of its time (0..1): what it
    rests on. `hard`: of how many students one of HARD_WORDS counts
    (emotions.reports.pace), None instead of none where for most of it those without a name were too few to be heard.
    `joined`: None where the session was purged, for nobody knows any more."""

    session: ClassSession
    shares: Sequence[float] | None
    half: float
    measured: float
    connected: float
    known: float
    joined: int | None
    hard: int | None


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


def mean_moods(keys: Sequence[int]) -> dict[int, list[float]]:
    """Of each session in which it was ever known: the seven means, measured, connected, half of the troubled's band,
    for how many seconds."""
    return {row[0]: [float(value) for value in row[1:]] for row in fetch(_MOODS, {"sessions": list(keys)}) if row[-1]}


def mean_shares(keys: Sequence[int]) -> dict[int, list[float]]:
    """Of each session in which a mood was ever known: its mean, (7,) and summing to 1. One query."""
    return {pk: _normal(mood) for pk, mood in mean_moods(keys).items()}


def _normal(mood: Sequence[float]) -> list[float]:
    shares = mood[: len(LABELS)]
    return [value / sum(shares) for value in shares]


def _there(keys: Sequence[int]) -> dict[int, int]:
    """Per session how many joined."""
    people = Participant.objects.students().filter(session__in=keys).order_by().values("session_id")
    return dict(people.annotate(joined=Count("pk")).values_list("session_id", "joined"))


def _said_hard(said: Talk) -> Counter[int]:
    """Per session of how many students one of HARD_WORDS counts."""
    return Counter(session for session, _ in {(w.session, w.participant) for w in said.words if w.word in HARD_WORDS})


def _row(session: ClassSession, mood: Sequence[float] | None, joined: int, said_hard: int, crowd: Crowd) -> TermRow:
    start, end = session.started_at, session_end(session)
    hard = said_hard if said_hard or crowd.heard(start, end) else None
    measured, connected, half, seconds = mood[len(LABELS) :] if mood else (0.0, 0.0, 0.0, 0.0)
    known = part_of(seconds, end - start)
    # While a large session is deleted, some of it may still be there.
    there, mood = (None, None) if session.purged_at else (joined, mood)
    return TermRow(session, _normal(mood) if mood else None, half, measured, connected, known, there, hard)


def earlier(session: ClassSession) -> list[ClassSession]:
    """The sessions of the course before this one, newest first, EARLIER at most. Purged ones tell nothing."""
    before = Q(started_at__lt=session.started_at) | Q(started_at=session.started_at, pk__lt=session.pk)
    rows = ClassSession.objects.filter(before, course=session.course_id, purged_at=None)
    return list(rows.order_by("-started_at", "-pk")[:EARLIER])
