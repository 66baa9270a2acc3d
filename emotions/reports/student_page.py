"""The page of one student who shares individually: their own minutes and words.

The class is not beside them. Its mood is corrected for the program's usual mistakes, which one student's readings
can't be: by those a neutral face looks troubled far more often than a class of neutral faces does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from django.utils import timezone
from django.utils.safestring import SafeString

from classroom.models import ClassSession
from emotions.reports import charts, heat, lanes, page, people, selectors, sharers, wording
from emotions.reports.rows import Attendee, Section, StudentMinute, most_often
from emotions.reports.strips import strip
from ml.labels import LABELS


@dataclass(frozen=True, slots=True)
class OwnSection:
    """From one marker to the next: the student's own readings, in so many `minutes`."""

    title: str
    start: datetime
    end: datetime
    words: str
    strip: SafeString
    minutes: int


@dataclass(frozen=True, slots=True)
class MinuteLine:
    at: datetime
    words: str
    strip: SafeString
    readings: int
    unsure: int


@dataclass(frozen=True, slots=True)
class StudentPage:
    """`there`: minutes (`people.minutes_there`); `lane`: the student's shares minute by minute, on the `axis`."""

    line: page.StudentLine
    attendee: Attendee
    there: int
    legend: Sequence[str]
    axis: lanes.Axis
    lane: SafeString
    said: list[tuple[datetime, str]]
    sections: list[OwnSection]
    minutes: list[MinuteLine]


def build(session: ClassSession, student_id: UUID) -> StudentPage | None:
    """None for somebody who doesn't share individually now. Seven queries."""
    sharing = sharers.of_session(session)
    sharer = next((one for one in sharing if one.id == student_id), None)
    if sharer is None:
        return None
    (student,) = sharers.students(session, [sharer])
    attendee = next(one for one in people.roll(session, sharing) if one.pk == sharer.pk)
    minutes, axis = people.minutes_of(session, sharer), heat.axis_of(session)
    sections = selectors.sections(session, selectors.markers(session), selectors.SILENCE)
    return StudentPage(
        line=page.student_line(student, {}),
        attendee=attendee,
        there=people.minutes_there(attendee, student.minutes),
        legend=charts.STACK[::-1],
        axis=axis,
        lane=_lane(axis, minutes, attendee, sharer),
        said=people.said_by(sharer),
        sections=[_own_section(section, minutes) for section in sections],
        minutes=[minute_line(minute) for minute in minutes],
    )


def _lane(
    axis: lanes.Axis, minutes: Sequence[StudentMinute], attendee: Attendee, sharer: sharers.Sharer
) -> SafeString:
    summed = people.summed(minutes)
    stay = heat.stay(sharer, attendee, summed)
    shares = {minute.minute: minute.shares for minute in minutes}
    return lanes.columns(
        axis, ((at, shares.get(at)) for at in range(stay.first, stay.end)), lanes.in_words(summed, stay)
    )


def _own_section(section: Section, minutes: Sequence[StudentMinute]) -> OwnSection:
    """A minute that a marker cuts counts on both sides: it is not kept in smaller pieces."""
    own = [
        each for each in minutes if section.start_ms - heat.MINUTE_MS < each.minute * heat.MINUTE_MS < section.end_ms
    ]
    start, end = (timezone.localtime(selectors.moment(at_ms)) for at_ms in (section.start_ms, section.end_ms))
    if not own:
        return OwnSection(section.title, start, end, "No reading", strip(None), 0)
    together = _together(own)
    return OwnSection(section.title, start, end, _own_words(together), strip(page.of_readings(together)), len(own))


def _together(own: Sequence[StudentMinute]) -> StudentMinute:
    """Several minutes as if they were one."""
    readings, each_label = sum(each.readings for each in own), range(len(LABELS))
    counts = [sum(each.label_counts[n] for each in own) for n in each_label]
    shares = [sum(each.shares[n] * each.readings for each in own) / readings for n in each_label]
    uncertain = sum(each.uncertain for each in own)
    return StudentMinute(own[0].minute, most_often(counts, shares), readings, uncertain, shares, counts)


def _own_words(read: StudentMinute) -> str:
    """The two labels read most often, counted as in the page's first sentence. A class may be called uneasy; one
    person is not."""
    if page.mostly_unsure(read):
        return page.unsure_words(read.label)
    parts = page.of_readings(read)
    first, second = sorted(range(len(LABELS)), key=lambda n: (-parts[n], -read.shares[n]))[:2]
    words = (f"{wording.ADJECTIVES[LABELS[n]]} {wording.percent(parts[n])}" for n in (first, second) if parts[n])
    return f"{', '.join(words).capitalize()} of readings"


def minute_line(minute: StudentMinute) -> MinuteLine:
    at = timezone.localtime(datetime.fromtimestamp(minute.minute * 60, UTC))
    plain = f"Most often {wording.ADJECTIVES[LABELS[minute.label]]}"
    words = page.unsure_words(minute.label) if page.mostly_unsure(minute) else plain
    return MinuteLine(at, words, strip(minute.shares), minute.readings, minute.uncertain)
