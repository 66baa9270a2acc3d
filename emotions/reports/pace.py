"""Which words about the pace a report counts: the live page's rule, as consents are now (docs/decisions/0012).

A word that was said under the consent in force counts, if that covers the name. Of all others, those count that fell
while FLOOR students or more were there without a name. All figures of all reports count these words and no others, so
that the difference of two of them is never one student's word.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import inf

from django.db.models.functions import Coalesce, Least

from classroom.models import CheckIn, ConsentEvent, Participant
from emotions.mood.cohort import FLOOR, THERE_FOR

NEVER = datetime.max.replace(tzinfo=UTC)
PART_TO_TELL = 0.1
"""Where for so much of the time those without a name were too few to be heard, a report says so."""


@dataclass(frozen=True, slots=True)
class Word:
    session: int
    participant: int
    at: datetime
    word: str


@dataclass(frozen=True, slots=True)
class Stretch:
    """From `start` up to `end`, not included: there, with the name (`named`) or without."""

    start: datetime
    end: datetime
    named: bool


class Count:
    """How many were there, at any time."""

    def __init__(self, stretches: Iterable[Stretch]) -> None:
        both = [(each.start, each.end) for each in stretches]
        self._starts, self._ends = sorted(a for a, _ in both), sorted(b for _, b in both)

    def at(self, when: datetime) -> int:
        return bisect_right(self._starts, when) - bisect_right(self._ends, when)

    def between(self, least: int, most: float) -> list[tuple[datetime, datetime]]:
        """When there were so many: from when to when, in order."""
        found: list[tuple[datetime, datetime]] = []
        for start, end in pairwise(sorted({*self._starts, *self._ends})):
            if least <= self.at(start) <= most:
                begin = found.pop()[0] if found and found[-1][1] == start else start
                found.append((begin, end))
        return found


class Crowd:
    """Who of one session was there, when, and whether with their name. `named`: since when each shares it."""

    def __init__(self, there: Sequence[Stretch], named: Mapping[int, datetime]) -> None:
        self._named, self._nameless = named, Count(each for each in there if not each.named)
        self._unheard, self._anybody = self._nameless.between(1, FLOOR - 1), Count(there).between(1, inf)

    def hears(self, participant: int, at: datetime) -> bool:
        """Whether a word of theirs counts that was said at this time."""
        return self._named.get(participant, NEVER) <= at or self._nameless.at(at) >= FLOOR

    def heard(self, start: datetime, end: datetime) -> bool:
        """Whether silence says something of this stretch: not where for most of the time that anybody was there some
        were so without a name, and too few of them for their words to count."""
        return 2 * _within(self._unheard, start, end) <= _within(self._anybody, start, end)

    def missed(self, start: datetime, end: datetime) -> bool:
        """Whether those without a name were too few to be heard for PART_TO_TELL of the time that anybody was there.
        It rests on who was there alone: that somebody spoke then is told of nobody."""
        anybody = _within(self._anybody, start, end)
        return bool(anybody) and _within(self._unheard, start, end) >= PART_TO_TELL * anybody


def _within(times: Iterable[tuple[datetime, datetime]], start: datetime, end: datetime) -> timedelta:
    """How much of these times lies between the two."""
    return sum((max(timedelta(0), min(b, end) - max(a, start)) for a, b in times), timedelta(0))


NOBODY = Crowd([], {})


@dataclass(frozen=True, slots=True)
class Talk:
    """`words`: those that count, oldest first; `crowds`: who was there, by session."""

    words: Sequence[Word]
    crowds: Mapping[int, Crowd]

    def crowd(self, session_pk: int) -> Crowd:
        return self.crowds.get(session_pk, NOBODY)


def talk(session_pks: Iterable[int]) -> Talk:
    """Three queries, for any number of sessions."""
    pks = list(session_pks)
    rows = CheckIn.objects.filter(participant__session__in=pks).order_by("at", "pk")
    said = [Word(*row) for row in rows.values_list("participant__session_id", "participant_id", "at", "word")]
    crowds = _crowds(pks)
    heard = [each for each in said if crowds.get(each.session, NOBODY).hears(each.participant, each.at)]
    return Talk(heard, crowds)


def _crowds(session_pks: Sequence[int]) -> dict[int, Crowd]:
    people = Participant.objects.students().filter(session__in=session_pks).order_by()
    # From `until` on nobody knows that they were there: a tab that was closed is no "leave".
    seen = Coalesce("last_seen_at", "joined_at") + THERE_FOR
    rows = people.annotate(until=Least("left_at", "removed_at", seen))
    answers = _answers(session_pks)
    there: defaultdict[int, list[Stretch]] = defaultdict(list)
    for session, pk, joined, until in rows.values_list("session_id", "pk", "joined_at", "until"):
        there[session] += _stretches(joined, answers.get(pk), until)
    named = {pk: since for pk, (since, by_name) in answers.items() if by_name}
    return {session: Crowd(stretches, named) for session, stretches in there.items()}


def _answers(session_pks: Sequence[int]) -> dict[int, tuple[datetime, bool]]:
    """Each participant's last answer: when, and whether it covers the name."""
    events = ConsentEvent.objects.filter(participant__session__in=session_pks).order_by("epoch")
    return {
        pk: (at, kind == ConsentEvent.Kind.GIVEN and scope == Participant.Scope.INDIVIDUAL)
        for pk, at, kind, scope in events.values_list("participant_id", "at", "kind", "scope")
    }


def _stretches(joined: datetime, answer: tuple[datetime, bool] | None, until: datetime) -> Iterator[Stretch]:
    """Without the name up to the consent in force, then as that says, while somebody was there."""
    since, named = answer or (until, False)
    for start, end, by_name in ((joined, min(since, until), False), (since, until, named)):
        if start < end:
            yield Stretch(start, end, by_name)
