"""The tables of a report as typed cells, from rollups and mood points alone. docs/exports.md names every column.

Cells are numbers, texts, times with a zone, or None for what is not known. Readings stand beside a name only for
those who share individually; attendance, which is no reading, names everybody.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from classroom.models import CheckIn, ClassSession
from emotions.reports import page, people, rooms, selectors, sharers, spoken
from emotions.reports.charts import MOST_POINTS
from emotions.reports.pace import Crowd
from emotions.reports.rows import Attendance, Attendee, MarkerRow, MoodRow, Section, Student, most_often
from ml.labels import LABELS

Cell = str | float | datetime | None

WORDS = tuple(CheckIn.Word.values)
SHARES = tuple(f"share_{label}" for label in LABELS)
TROUBLED_BAND = ("low_troubled", "high_troubled")
BANDS = (*(f"low_{label}" for label in LABELS), *(f"high_{label}" for label in LABELS), *TROUBLED_BAND)
SAID = tuple(f"said_{word}" for word in WORDS)
MINUTE_COLUMNS = ("minute", *SHARES, *BANDS, "measured", "unsure", "not_visible", "connected", "joined", *SAID)
SECTION_COLUMNS = ("section", "from", "to", *SHARES, *BANDS, "measured", "connected", "known", *SAID)
STUDENT_COLUMNS = (
    "student", "student_id", "minutes_measured", "readings", "unsure_readings", "most_often", *SHARES,
    *(f"count_{label}" for label in LABELS),
)  # fmt: skip
ATTENDANCE_COLUMNS = ("name", "joined_at", "last_seen_at", "went", "minutes_there", "minutes_measured")
CHECK_IN_COLUMNS = ("minute", *SAID)
ROOM_COLUMNS = ("minute", "pictures", "faces", "unsure", *SHARES)
MARKER_COLUMNS = ("at", "marker")
SUMMARY_COLUMNS = ("figure", "value")
_UNKNOWN = [None] * len(LABELS)


@dataclass(frozen=True, slots=True)
class Table:
    name: str
    columns: Sequence[str]
    rows: Iterable[Sequence[Cell]]


def tables(session: ClassSession) -> list[Table]:
    """Every table of the report."""
    sharing, marked = sharers.of_session(session), selectors.markers(session)
    students = sharers.students(session, sharing)
    minutes, said, there = selectors.minutes(session), selectors.said(session), selectors.attendance(session)
    cells = SaidCells.of(said)
    marks = [(selectors.moment(marker.at_ms), marker.label) for marker in marked]
    return [
        Table("summary", SUMMARY_COLUMNS, _summary(session, said, marked, there)),
        Table("minutes", MINUTE_COLUMNS, [minute_cells(row, cells) for row in minutes]),
        Table("sections", SECTION_COLUMNS, map(_section_cells, selectors.sections(session, marked, said))),
        Table("students", STUDENT_COLUMNS, map(_student_cells, students)),
        Table("attendance", ATTENDANCE_COLUMNS, _attendance(people.roll(session, sharing), students)),
        Table("check_ins", CHECK_IN_COLUMNS, _check_ins(session, cells)),
        Table("markers", MARKER_COLUMNS, marks),
        Table("room_camera", ROOM_COLUMNS, map(_room_cells, rooms.minutes(session))),
    ]


@dataclass(frozen=True, slots=True)
class SaidCells:
    """What was said in a minute, as cells."""

    by_minute: Mapping[datetime, Mapping[str, int]]
    crowd: Crowd

    @classmethod
    def of(cls, said: selectors.Said) -> SaidCells:
        return cls(selectors.said_by_minute(said.words), said.crowd)

    def of_minute(self, at: datetime) -> list[Cell]:
        return _said_cells(self.by_minute.get(at, {}), self.crowd.heard(at, at + timedelta(minutes=1)))


def _said_cells(counts: Mapping[str, int], heard: bool) -> list[Cell]:
    """Where not everybody is heard, a zero is empty: it is not known."""
    return [counts.get(word, 0) or (0 if heard else None) for word in WORDS]


def minute_cells(row: MoodRow, said: SaidCells) -> list[Cell]:
    at = selectors.moment(row.at_ms)
    counts = [row.measured, row.uncertain, row.not_visible, row.connected, row.joined]
    return [at, *_mood_cells(row), *counts, *said.of_minute(at)]


def _mood_cells(row: MoodRow | None) -> list[Cell]:
    """Shares and bands; empty where the mood is not known."""
    columns = (row.shares, row.low, row.high) if row else (None, None, None)
    troubled = (row and row.troubled) or [None] * len(TROUBLED_BAND)
    return [*(value for column in columns for value in (column or _UNKNOWN)), *troubled]


def _section_cells(section: Section) -> list[Cell]:
    times = [selectors.moment(section.start_ms), selectors.moment(section.end_ms)]
    rests_on = [section.measured, section.connected] if section.mood else [None, None]
    said = _said_cells(section.said, section.heard)
    return [section.title, *times, *_mood_cells(section.mood), *rests_on, section.known, *said]


def _room_cells(minute: rooms.RoomMinute) -> list[Cell]:
    return [minute.at, minute.pictures, minute.faces, minute.uncertain, *minute.shares]


def _student_cells(student: Student) -> list[Cell]:
    counts = student.label_counts
    most = LABELS[most_often(counts, student.shares)] if student.shares else None
    numbers = [student.minutes, student.readings, student.uncertain]
    return [student.name, str(student.id), *numbers, most, *(student.shares or _UNKNOWN), *counts]


def _attendance(roll: Sequence[Attendee], students: Sequence[Student]) -> list[list[Cell]]:
    measured = {student.id: student.minutes for student in students}
    return [
        [one.name, one.joined, one.until, one.how or None, there, measured.get(one.id)]
        for one in roll
        for there in [people.minutes_there(one, measured.get(one.id, 0))]
    ]


def _check_ins(session: ClassSession, said: SaidCells) -> list[list[Cell]]:
    """Every minute of the session, also those in which nothing was said."""
    at = session.started_at.replace(second=0, microsecond=0)
    rows: list[list[Cell]] = []
    while at < selectors.session_end(session):
        rows.append([at, *said.of_minute(at)])
        at += timedelta(minutes=1)
    return rows


def _summary(
    session: ClassSession, said: selectors.Said, marked: Sequence[MarkerRow], there: Attendance
) -> list[list[Cell]]:
    start, end = session.started_at, selectors.session_end(session)
    rows = selectors.mood_rows(session, start, end, most=MOST_POINTS)
    (whole,) = selectors.sections(session, [], said)
    of_words = spoken.of_session(whole, said, marked)
    lines = page.summary(session, rows, whole, there.joined, of_words)
    sentences: list[list[Cell]] = [["in_words", line] for line in lines]
    return [
        ["course", session.course.title],
        ["title", session.title or None],
        ["started", start],
        ["ended", session.ended_at],
        ["joined", there.joined],
        ["share_individually", there.individual],
        ["only_as_part_of_the_class", there.aggregate],
        ["without_camera", there.without_camera],
        ["left_or_removed", there.gone],
        *sentences,
    ]
