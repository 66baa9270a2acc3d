"""The heat map: who shares individually by name; above them the class as one lane, and its words about the pace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils.safestring import SafeString

from classroom.models import CheckIn, ClassSession
from emotions.reports import lanes, people, selectors
from emotions.reports.rows import Attendee, MarkerRow, MoodRow, StudentMinutes
from emotions.reports.sharers import Sharer

MINUTE_MS = 60_000
CLASS_WORDS = "The class mood, minute by minute, stacked. The sections say the same in words and numbers."


@dataclass(frozen=True, slots=True)
class HeatLine:
    id: UUID
    name: str
    lane: SafeString
    words: str


@dataclass(frozen=True, slots=True)
class SaidLine:
    """A word about the pace that was said, how often, and when."""

    title: str
    total: int
    lane: SafeString


@dataclass(frozen=True, slots=True)
class HeatMap:
    """`class_lane`: the whole class, whose mood already keeps the floor; `said`: a line for each word that was said;
    `highest`: how often the commonest fell in one minute."""

    axis: lanes.Axis
    class_lane: SafeString
    said: list[SaidLine]
    highest: int
    lines: list[HeatLine]


def heat_map(
    session: ClassSession,
    sharing: Sequence[Sharer],
    present: Sequence[Attendee],
    minutes: Sequence[MoodRow],
    marked: Sequence[MarkerRow],
    said: Sequence[tuple[datetime, str]],
) -> HeatMap:
    """One query. `present`: everybody who joined; `minutes`: the class's, with lines where `marked`; `said`: as
    in `selectors.Said.words`."""
    axis, there = axis_of(session), {one.pk: one for one in present}
    read = people.minutes_by_student(session, sharing)
    lines = [
        _line(axis, sharer, one, stay(sharer, there[sharer.pk], one))
        for sharer, one in zip(sharing, read, strict=True)
    ]
    counts = selectors.said_by_minute(said)
    highest = max((count for minute in counts.values() for count in minute.values()), default=0)
    spoken = [_said(axis, word, title, counts, highest, marked) for word, title in CheckIn.Word.choices]
    return HeatMap(axis, class_lane(axis, minutes, marked), [line for line in spoken if line.total], highest, lines)


def _said(
    axis: lanes.Axis,
    word: str,
    title: str,
    counts: Mapping[datetime, Mapping[str, int]],
    highest: int,
    marked: Sequence[MarkerRow],
) -> SaidLine:
    fell = {people.minute_of(at): minute[word] for at, minute in counts.items() if minute[word]}
    lane = lanes.bars(axis, fell, highest, title, [marker.at_ms / MINUTE_MS for marker in marked])
    return SaidLine(title, sum(fell.values()), lane)


def class_lane(axis: lanes.Axis, minutes: Sequence[MoodRow], marked: Sequence[MarkerRow] = ()) -> SafeString:
    columns = ((int(row.at_ms // MINUTE_MS), row.shares) for row in minutes)
    return lanes.columns(axis, columns, CLASS_WORDS, [marker.at_ms / MINUTE_MS for marker in marked])


def axis_of(session: ClassSession) -> lanes.Axis:
    first, end = people.minute_of(session.started_at), people.minute_after(selectors.session_end(session))
    return lanes.axis(first, max(first, end - 1))


def _line(axis: lanes.Axis, sharer: Sharer, minutes: StudentMinutes, there: lanes.Stay) -> HeatLine:
    return HeatLine(sharer.id, sharer.name, lanes.lane(axis, minutes, there), lanes.in_words(minutes, there))


def stay(sharer: Sharer, attendee: Attendee, minutes: StudentMinutes) -> lanes.Stay:
    """The minutes under the consent in force while the student was there; every reading lies within."""
    first = max(people.minute_of(attendee.joined), people.minute_of(sharer.from_minute))
    end = people.minute_after(attendee.until) if attendee.until else first
    return lanes.Stay(min([first, *minutes.at[:1]]), max([first, end, *(at + 1 for at in minutes.at[-1:])]))
