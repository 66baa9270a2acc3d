"""The report of a session: gathered from the selectors, said in words. Live sessions have the same, so far."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.utils import timezone
from django.utils.safestring import SafeString

from classroom import zone
from classroom.models import ClassSession, Erasure, ReadingPlace
from classroom.templatetags.roomtone import lasted
from classroom.traces import tells_of
from emotions.mood.trouble import troubled
from emotions.reports import charts, people, rollups, rooms, selectors, sharers, spoken, wording
from emotions.reports.heat import HeatMap, heat_map
from emotions.reports.moments import Moment, moments
from emotions.reports.rows import (
    Attendance,
    Attendee,
    MarkerRow,
    MoodRow,
    Section,
    Student,
    StudentMinute,
    most_often,
)
from emotions.reports.strips import strip
from emotions.reports.term_page import Comparison, comparison, mood_words
from ml.labels import LABELS

PURGED_WHY: dict[str, str] = {
    Erasure.Why.EXPIRED: "because it had been kept for as long as was said",
    Erasure.Why.SCHOOL: "because the school decided it",
}
# Why there was no class mood, of whatever stretch: a stored point doesn't say which of the two it was.
TOO_FEW = "too few measured, or too few to keep each of them unseen"


@dataclass(frozen=True, slots=True)
class SectionLine:
    """`rests_on`: what share of the class and of the time the figures rest on, in words; "" without a mood."""

    section: Section
    start: datetime
    end: datetime
    words: str
    rests_on: str
    strip: SafeString


@dataclass(frozen=True, slots=True)
class StudentLine:
    """`said`: how often they said which word, in words."""

    student: Student
    words: str
    unsure: str
    strip: SafeString
    said: str


@dataclass(frozen=True, slots=True)
class RollLine:
    """`until`: when and how they went, in words; `there`: minutes (`people.minutes_there`); `measured`: minutes, a
    dash for who doesn't share individually."""

    attendee: Attendee
    until: str
    there: int
    measured: str


@dataclass(frozen=True, slots=True)
class MomentLine:
    """`when`: "09:21–09:34"."""

    when: str
    words: str


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that the page shows. `nothing`: nobody joined, and nothing was kept. `figure` is None where no class
    mood was ever known; `missing`: minutes whose readings are not counted yet."""

    session: ClassSession
    summary: list[str]
    nothing: bool
    figure: charts.Figure | None
    legend: Sequence[str]
    marked: list[tuple[datetime, str]]
    moments: list[MomentLine]
    sections: list[SectionLine]
    students: list[StudentLine]
    heat: HeatMap
    attendance: Attendance
    roll: list[RollLine]
    comparison: Comparison | None
    missing: int


def build(session: ClassSession, text: Callable[[str], str] = str) -> Report:
    """At most eighteen queries, twenty-three where the course had sessions before; for any class and any length.

    `text`: what is done to every name and label, for a file that other programs open.
    """
    start, end = session.started_at, selectors.session_end(session)
    rows = selectors.mood_rows(session, start, end, most=charts.MOST_POINTS)
    marked = [replace(marker, label=text(marker.label)) for marker in selectors.markers(session)]
    said = selectors.said(session)
    sections = selectors.sections(session, marked, said)
    whole = whole_of(session, sections, said)
    sharing = [replace(sharer, name=text(sharer.name)) for sharer in sharers.of_session(session)]
    students, said_by_each = sharers.students(session, sharing), people.said_by_each(sharing)
    present = [replace(one, name=text(one.name)) for one in people.roll(session, sharing)]
    found, there = moments(rows, marked), selectors.attendance(session)
    return Report(
        session=session,
        summary=summary(session, rows, whole, there.joined, spoken.of_session(whole, said, marked)),
        nothing=_nobody(rows, there.joined),
        figure=figure(session, rows, marked, found),
        legend=charts.STACK[::-1],
        marked=marker_times(marked),
        moments=moment_lines(found),
        sections=[section_line(section) for section in sections],
        students=[student_line(*each) for each in zip(students, said_by_each, strict=True)],
        heat=heat_map(session, sharing, present, selectors.minutes(session), marked, said.words),
        attendance=there,
        roll=roll_lines(present, students),
        comparison=comparison(session, text),
        missing=rollups.missing_minutes(session),
    )


def marker_times(marked: Sequence[MarkerRow]) -> list[tuple[datetime, str]]:
    return [(_local(marker.at_ms), marker.label) for marker in marked]


def moment_lines(found: Sequence[Moment]) -> list[MomentLine]:
    return [MomentLine(_moment_when(moment), _moment_words(moment)) for moment in found]


def figure(
    session: ClassSession, rows: Sequence[MoodRow], marked: Sequence[MarkerRow], found: Sequence[Moment] = ()
) -> charts.Figure | None:
    """The whole session's class mood; None where none was ever known."""
    if not any(row.shares for row in rows):
        return None
    start, end = selectors.milliseconds(session.started_at), selectors.milliseconds(selectors.session_end(session))
    offset, stretches = zone.offset_ms(session.started_at), [(moment.start_ms, moment.end_ms) for moment in found]
    return charts.mood_figure(rows, marked, start_ms=start, end_ms=end, offset_ms=offset, stretches_to_show=stretches)


# -- Words


def whole_of(session: ClassSession, sections: Sequence[Section], said: selectors.Said) -> Section:
    """The session as one section, given the ones between its markers. One query, none where there was no marker."""
    return sections[0] if len(sections) == 1 else selectors.sections(session, [], said)[0]


def summary(
    session: ClassSession, rows: Sequence[MoodRow], whole: Section, joined: int, of_words: Sequence[str]
) -> list[str]:
    """The session in a few sentences; each says what it rests on, in the figures of the table of sections.

    `whole`: all of it as one section; `joined`: how many students had; `of_words`: as `spoken.of_session` makes them.
    """
    length = f"{lasted(session).capitalize()}{'' if session.ended_at else ' so far'}"
    if session.purged_at:
        return [f"{length}. {_purged_sentence(session)} Only its course, title and times stay."]
    said = [*rooms.sentences(session), *of_words]
    if _nobody(rows, joined):
        return [f"{length}. Nobody joined.", *said]
    if not session.measures:
        return [f"{length}, without cameras: attendance and words about the pace.", *said]
    if whole.mood is None or whole.mood.shares is None:
        return [f"{length}. No class mood: {TOO_FEW}.", *said]
    # The session's own rule: the deployment's may have been another one then.
    only = session.reading_place == ReadingPlace.DEVICE
    where = wording.on_device(selectors.on_device(session), only)
    return [_mood_sentence(length, whole.mood), _coverage_sentence(whole), *where, *said]


def _nobody(rows: Sequence[MoodRow], joined: int) -> bool:
    """Nobody joined: neither is anybody there, nor was anybody who erased everything. A room's camera is nobody."""
    return not joined and not any(row.joined for row in rows)


def _purged_sentence(session: ClassSession) -> str:
    """When, and why, as far as its receipt is found: it refers to no row, and bears the course's name of then."""
    receipts = Erasure.objects.filter(what=Erasure.What.RECORDS, session_started_at=session.started_at)
    receipt = next((one for one in receipts if tells_of(one, session)), None)
    why = f" {PURGED_WHY[receipt.why]}" if receipt and receipt.why in PURGED_WHY else ""
    return f"What was recorded in it was deleted on {timezone.localtime(session.purged_at):%-d %B %Y}{why}."


def _mood_sentence(length: str, mood: MoodRow) -> str:
    mean = mood.shares or []
    share = wording.percent(troubled(mean))
    band = f" (most likely {wording.between(mood.troubled)})" if mood.troubled else ""
    return f"{length}, mostly {wording.mood(mean)['word'].lower()}; on average about {share} looked troubled{band}."


def _coverage_sentence(whole: Section) -> str:
    measured, connected = wording.rounded(whole.measured), wording.rounded(whole.connected)
    part = wording.percent(whole.known)
    return f"This rests on {measured} of {connected} connected students on average, over {part} of the time."


def _moment_when(moment: Moment) -> str:
    first, last = (f"{_local(at_ms):%H:%M}" for at_ms in (moment.start_ms, moment.end_ms))
    return first if first == last else f"{first}–{last}"


def _moment_words(moment: Moment) -> str:
    count, measured = wording.rounded(moment.share * moment.measured), wording.rounded(moment.measured)
    where = f" after “{moment.after}”" if moment.after else ""
    usual = wording.percent(moment.usual)
    return f"At its height, about {count} of {measured} looked troubled{where}; {usual} is usual for this session."


def section_line(section: Section) -> SectionLine:
    shares = section.mood.shares if section.mood else None
    start, end = _local(section.start_ms), _local(section.end_ms)
    return SectionLine(section, start, end, section_words(shares), _rests_on(section), strip(shares))


def section_words(shares: Sequence[float] | None) -> str:
    return f"Not shown: {TOO_FEW}" if shares is None else mood_words(shares)


def _rests_on(section: Section) -> str:
    """ "20 of 24 (83 %)", and over what part of the time, where that is not all of it."""
    if section.mood is None:
        return ""
    measured, connected = wording.rounded(section.measured), wording.rounded(section.connected)
    part = wording.percent(measured / connected) if connected else "–"
    time = f", {wording.percent(section.known)} of the time" if wording.rounded(section.known * 100) < 100 else ""
    return f"{measured} of {connected} ({part}){time}"


def student_line(student: Student, said: Mapping[str, int]) -> StudentLine:
    """`said`: how often each word, since they share with their name."""
    their = spoken.of_student(said)
    if student.shares is None:
        return StudentLine(student, "No readings", "–", strip(None), their)
    unsure = wording.percent(student.uncertain / student.readings)
    return StudentLine(student, _face_words(student, student.shares), unsure, strip(of_readings(student)), their)


def _face_words(student: Student, shares: Sequence[float]) -> str:
    most = most_often(student.label_counts, shares)
    if mostly_unsure(student):
        return unsure_words(most)
    part = of_readings(student)[most]
    how = "Mostly" if part > 0.5 else "Most often"
    return f"{how} {wording.ADJECTIVES[LABELS[most]]}, {wording.percent(part)} of readings"


def of_readings(read: Student | StudentMinute) -> list[float]:
    """In what part of the readings (0..1) each label was read: what words and pictures beside them tell."""
    return [count / read.readings for count in read.label_counts]


def mostly_unsure(read: Student | StudentMinute) -> bool:
    """As the heat map tells it by shape: words must not count mere guesses like sure readings."""
    return 2 * read.uncertain > read.readings


def unsure_words(label: int) -> str:
    return f"Mostly unsure; most often {wording.ADJECTIVES[LABELS[label]]}"


def roll_lines(present: Sequence[Attendee], students: Sequence[Student]) -> list[RollLine]:
    measured = {student.id: student.minutes for student in students}
    return [_roll_line(one, measured.get(one.id)) for one in present]


def _roll_line(one: Attendee, measured: int | None) -> RollLine:
    there = people.minutes_there(one, measured or 0)
    return RollLine(one, until_words(one), there, "–" if measured is None else str(measured))


def until_words(one: Attendee) -> str:
    if one.until is None:
        return "never connected"
    return f"{timezone.localtime(one.until):%H:%M}{', ' if one.how else ''}{one.how}"


def _local(at_ms: float) -> datetime:
    return timezone.localtime(selectors.moment(at_ms))
