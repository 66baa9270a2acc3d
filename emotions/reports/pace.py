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
from datetime import UTC, datetime

from django.db.models.functions import Least

from classroom.models import CheckIn, ConsentEvent, Participant
from emotions.mood.cohort import FLOOR

NEVER = datetime.max.replace(tzinfo=UTC)


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


class Crowd:
    """Who of one session was there, when, and whether with their name."""

    def __init__(self, there: Mapping[int, Sequence[Stretch]]) -> None:
        self._there = there
        nameless = [each for stretches in there.values() for each in stretches if not each.named]
        self._starts = sorted(each.start for each in nameless)
        self._ends = sorted(each.end for each in nameless)

    def hears(self, participant: int, at: datetime) -> bool:
        """Whether a word of theirs counts that was said at this time."""
        named = any(each.named and each.start <= at < each.end for each in self._there[participant])
        return named or self._nameless(at) >= FLOOR

    def _nameless(self, at: datetime) -> int:
        return bisect_right(self._starts, at) - bisect_right(self._ends, at)


def heard(session_pks: Iterable[int]) -> list[Word]:
    """The words that count, oldest first. Three queries, one where nothing was said; for any number of sessions."""
    rows = CheckIn.objects.filter(participant__session__in=list(session_pks)).order_by("at", "pk")
    said = [Word(*row) for row in rows.values_list("participant__session_id", "participant_id", "at", "word")]
    crowds = _crowds({word.session for word in said}) if said else {}
    return [word for word in said if crowds[word.session].hears(word.participant, word.at)]


def _crowds(session_pks: Iterable[int]) -> dict[int, Crowd]:
    people = (
        Participant.objects.students().filter(session__in=session_pks).annotate(gone=Least("left_at", "removed_at"))
    )
    consents = _consents(session_pks)
    there: defaultdict[int, dict[int, list[Stretch]]] = defaultdict(dict)
    for session, pk, joined, gone in people.order_by().values_list("session_id", "pk", "joined_at", "gone"):
        there[session][pk] = list(_stretches(joined, consents.get(pk), gone or NEVER))
    return {session: Crowd(stretches) for session, stretches in there.items()}


def _consents(session_pks: Iterable[int]) -> dict[int, tuple[datetime, bool]]:
    """Each participant's last answer: when, and whether it covers the name."""
    events = ConsentEvent.objects.filter(participant__session__in=session_pks).order_by("epoch")
    return {
        pk: (at, kind == ConsentEvent.Kind.GIVEN and scope == Participant.Scope.INDIVIDUAL)
        for pk, at, kind, scope in events.values_list("participant_id", "at", "kind", "scope")
    }


def _stretches(joined: datetime, answer: tuple[datetime, bool] | None, gone: datetime) -> Iterator[Stretch]:
    """Without the name up to the consent in force, then as that says, while somebody was there."""
    since, named = answer or (gone, False)
    for start, end, by_name in ((joined, min(since, gone), False), (since, gone, named)):
        if start < end:
            yield Stretch(start, end, by_name)
