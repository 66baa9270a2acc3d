"""What was said about the pace, in words: how often, when most, and by a student who shares with the name.

Of the class the times are told, not how many students it was: that would tell which words were one student's. Where
only one of those without a name was there at all of them, or has chosen to share the name since, it would tell whose
(docs/decisions/0012).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.utils import timezone

from classroom.models import CheckIn
from emotions.mood.alerts import WORDS_MS
from emotions.reports.rows import MarkerRow, Section
from emotions.reports.selectors import Said, milliseconds, moment, said_by_minute

WORDS = dict(CheckIn.Word.choices)
OF_THE_PACE = (CheckIn.Word.LOST, CheckIn.Word.TOO_FAST, CheckIn.Word.TOO_SLOW)
MINUTES = WORDS_MS // 60_000
"""A peak is so long at most: as long as a word counts on the live page."""
LEAST = 3
"""Fewer words than that are no peak."""
TIMES = "These are times, not students: who says a word again counts again."
NOT_COUNTED = (
    "Words without a name count while five or more such students are there. What was said while they were fewer is "
    "not counted here, though the live page may have shown it when the fifth came."
)
"""Said of who was there, not of words: it is true where nobody spoke, too."""


@dataclass(frozen=True, slots=True)
class Peak:
    """The minutes from `first` to `last`, in which a word fell most: `count` times. `after`: the marker before."""

    word: str
    first: datetime
    last: datetime
    count: int
    after: str


def of_session(whole: Section, said: Said, marked: Sequence[MarkerRow]) -> list[str]:
    """What a report's summary says of the pace. `whole`: the session as one section."""
    missed = said.crowd.missed(moment(whole.start_ms), moment(whole.end_ms))
    return [*sentences(whole.said, said.words, marked), *([NOT_COUNTED] if missed else [])]


def sentences(
    totals: Mapping[str, int], said: Sequence[tuple[datetime, str]], marked: Sequence[MarkerRow]
) -> list[str]:
    """What is said of these words (as in `selectors.Said`); `totals`: how often each fell."""
    often = [f"“{WORDS[word].lower()}” {count} times" for word, count in totals.items() if count > 1]
    once = [f"“{WORDS[word].lower()}” once" for word, count in totals.items() if count == 1]
    if not often and not once:
        return []
    return [f"Students said {', '.join([*often, *once])}.", *([TIMES] if often else []), *_most(peak(said, marked))]


def of_student(counts: Mapping[str, int]) -> str:
    """ "lost 2, too fast 1"; a dash for who said nothing."""
    said = [f"{title.lower()} {counts[word]}" for word, title in WORDS.items() if counts.get(word)]
    return ", ".join(said) or "–"


def peak(said: Sequence[tuple[datetime, str]], marked: Sequence[MarkerRow]) -> Peak | None:
    """Counted by the clock's minutes, as tables and files count: it tells nothing that they don't. None under
    LEAST."""
    by_minute = said_by_minute(said)
    found = [_from(word, at, by_minute) for word in OF_THE_PACE for at, counts in by_minute.items() if counts[word]]
    highest = max(found, key=lambda each: each.count, default=None)
    if highest is None or highest.count < LEAST:
        return None
    begin = next(at for at, word in said if word == highest.word and at >= highest.first)
    before = [marker.label for marker in marked if marker.at_ms <= milliseconds(begin)]
    return replace(highest, after=before[-1] if before else "")


def _from(word: str, first: datetime, by_minute: Mapping[datetime, Mapping[str, int]]) -> Peak:
    """The stretch that begins with this minute, in which it fell."""
    minutes = [first + timedelta(minutes=n) for n in range(MINUTES)]
    inside = {at: by_minute[at][word] for at in minutes if at in by_minute and by_minute[at][word]}
    return Peak(word, first, max(inside), sum(inside.values()), "")


def _most(most: Peak | None) -> list[str]:
    if most is None:
        return []
    first, last = (f"{timezone.localtime(at):%H:%M}" for at in (most.first, most.last))
    when = first if first == last else f"{first}–{last}"
    where = f", after “{most.after}”" if most.after else ""
    return [f"“{WORDS[most.word]}” was said most at {when}, {most.count} times{where}."]
