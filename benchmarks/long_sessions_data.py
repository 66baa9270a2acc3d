"""A school's database after some terms, by COPY: many ended sessions, and one live one of three hours.

The rows are what the product itself would have written: one reading a second or so and student, one mood point a
second and session, one rollup a minute and student who was read. The numbers in them are drawn, not measured: only
their sizes, their order on the disk and how they belong together matter here.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

import numpy as np
from django.db import connection

from classroom.consent import text_for
from classroom.models import ClassSession, ConsentEvent, Course, Participant
from emotions.mood.trouble import troubled
from emotions.simulation.joining import NAMES
from emotions.simulation.moods import class_mix
from ml.labels import LABELS

Progress = Callable[[str, int, int], None]

TEXTS = 2_000
"""Different readings and mood points that are drawn before, then used again and again."""
STUDENTS_ELSEWHERE = (12, 37)
MINUTES_ELSEWHERE = (25, 56)
INDIVIDUAL = 0.6
FLUSH_ROWS = 20_000

EVENTS = (
    "emotions_emotionevent",
    "session_id, participant_id, connection, sequence, captured_at, received_at, "  # noqa: ISC004
    "probabilities, label, confidence, uncertain, box, face_count, model_version, source",
)
_COUNTS = "joined, connected, measured, uncertain, not_visible"
POINTS = (
    "emotions_moodpoint",
    f"model_version, session_id, sequence, at, shares, low, high, troubled_low, troubled_high, {_COUNTS}, pace",
)
VERSION = "roomtone-0123456789ab"
ROLLUPS = (
    "emotions_minuterollup",
    "session_id, participant_id, minute, readings, uncertain, probability_sums, label_counts",
)
PARTICIPANTS = (
    "classroom_participant",
    "id, public_id, session_id, display_name, kind, consent_epoch, scope, joined_at, left_at, last_seen_at",
)
CONSENTS = ("classroom_consentevent", "participant_id, epoch, kind, scope, text_hash, at")
CHECK_INS = ("classroom_checkin", "participant_id, word, at")
MARKERS = ("classroom_marker", "session_id, label, at")


@dataclass(frozen=True, slots=True)
class Size:
    """How large a school. `events` are those of the long session; elsewhere each student has a few of them left."""

    sessions: int = 1_000
    students: int = 200
    hours: float = 3.0
    events: int = 2_000_000
    events_elsewhere: int = 1_000_000

    @property
    def seconds(self) -> int:
        return int(self.hours * 3600)


@dataclass(frozen=True, slots=True)
class Meeting:
    """A session, its length, and whether each student shares individually. Students are `first_pk` and following."""

    session: ClassSession
    seconds: int
    sharing: tuple[bool, ...]
    first_pk: int

    @property
    def pks(self) -> range:
        return range(self.first_pk, self.first_pk + len(self.sharing))

    def at(self, second: float) -> datetime:
        return self.session.started_at + timedelta(seconds=second)


class Drawn:
    """Texts of readings, mood points and rollups, as COPY takes them: made once, used millions of times."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self.readings = [self._reading() for _ in range(TEXTS)]
        self.points = [self._point(class_mix(second % 240)) for second in range(TEXTS)]
        self.rollups = [self._rollup() for _ in range(TEXTS)]

    def _reading(self) -> str:
        """From the probabilities to the source."""
        shares = self._rng.dirichlet(0.3 + 4 * class_mix(self._rng.uniform(0, 240))).astype(np.float32)
        box = self._rng.uniform(0.1, 0.4, 4).astype(np.float32)
        best = int(shares.argmax())
        unsure = "t" if shares[best] < 0.4 else "f"
        return f"{_array(shares)}\t{LABELS[best]}\t{shares[best]}\t{unsure}\t{_array(box)}\t1\t{VERSION}\tserver"

    def _point(self, mix: np.ndarray) -> str:
        """From the shares to the pace, for two dozen students."""
        shares = self._rng.dirichlet(200 * mix + 0.05)
        low, high = np.maximum(shares - 0.05, 0), np.minimum(shares + 0.05, 1)
        arrays = "\t".join(_array(np.round(part, 4)) for part in (shares, low, high))
        share = troubled(shares.tolist())
        ends = f"{max(0.0, share - 0.08):.4f}\t{min(1.0, share + 0.08):.4f}"
        return f'{arrays}\t{ends}\t24\t23\t20\t3\t2\t{{"lost": 1, "too_fast": 0, "too_slow": 0, "got_it": 2}}'

    def _rollup(self) -> str:
        """From the number of readings to the counts of labels."""
        readings = int(self._rng.integers(40, 61))
        mean = self._rng.dirichlet(0.3 + 4 * class_mix(self._rng.uniform(0, 240)))
        counts = self._rng.multinomial(readings, mean)
        return f"{readings}\t{readings // 7}\t{_array(mean * readings)}\t{_array(counts)}"


def _array(values: Iterable[object]) -> str:
    return "{" + ",".join(str(value) for value in values) + "}"


def seed(size: Size, owner_pks: list[int], progress: Progress) -> ClassSession:
    """Fill an empty, migrated database; returns the long session, which is live and belongs to the first owner."""
    rng = np.random.default_rng(4)
    meetings = _people(size, owner_pks, rng, progress)
    drawn = Drawn(rng)
    long, elsewhere = meetings[-1], meetings[:-1]
    _copy(POINTS, _points(meetings, drawn), progress, sum(m.seconds for m in meetings), "Mood points")
    rollups = sum(len(m.pks) * (m.seconds // 60) for m in meetings)
    _copy(ROLLUPS, _rollups(meetings, drawn, rng), progress, rollups, "Rollups")
    each = max(1, size.events_elsewhere // max(1, sum(len(m.pks) for m in elsewhere)))
    few = sum(each * len(m.pks) for m in elsewhere)
    _copy(EVENTS, _events_of_all(elsewhere, each, drawn, rng), progress, few, "Readings of other sessions")
    _copy(EVENTS, _events(long, size.events, drawn, rng), progress, size.events, "Readings of the long session")
    _tidy(progress)
    return long.session


# -- People


def _people(size: Size, owner_pks: list[int], rng: np.random.Generator, progress: Progress) -> list[Meeting]:
    """Courses of 50 sessions each, oldest first; the last session is the long one."""
    titles = [f"Course {number + 1}" for number in range(-(-size.sessions // 50))]
    courses = [Course(title=title, instructor_id=owner_pks[n % len(owner_pks)]) for n, title in enumerate(titles)]
    Course.objects.bulk_create(courses)
    sessions = ClassSession.objects.bulk_create(_sessions(size, courses, rng))
    meetings, first = [], 1
    for session in sessions:
        students = int(rng.integers(*STUDENTS_ELSEWHERE)) if session.ended_at else size.students
        length = ((session.ended_at or datetime.now(UTC)) - session.started_at).total_seconds()
        sharing = tuple(bool(share) for share in rng.random(students) < INDIVIDUAL)
        meetings.append(Meeting(session, int(length), sharing, first))
        first += students
    people = sum(len(meeting.pks) for meeting in meetings)
    _copy(PARTICIPANTS, _participants(meetings), progress, people, "Participants")
    _copy(CONSENTS, _consents(meetings), progress, people, "Consents")
    _copy(CHECK_INS, _check_ins(meetings, rng), progress, 4 * people, "Check-ins")
    _copy(MARKERS, _markers(meetings), progress, 6 * len(meetings), "Markers")
    with connection.cursor() as cursor:
        cursor.execute("SELECT setval(pg_get_serial_sequence('classroom_participant', 'id'), %s)", [first])
    return meetings


def _sessions(size: Size, courses: list[Course], rng: np.random.Generator) -> Iterator[ClassSession]:
    """Three a day up to now; the newest is live, in the first course."""
    now = datetime.now(UTC)
    for number in range(size.sessions - 1):
        start = now - timedelta(hours=8 * (size.sessions - number))
        end = start + timedelta(minutes=int(rng.integers(*MINUTES_ELSEWHERE)))
        yield ClassSession(course=courses[number % len(courses)], started_at=start, ended_at=end)
    yield ClassSession(course=courses[0], title="The long one", started_at=now - timedelta(seconds=size.seconds))


def _participants(meetings: list[Meeting]) -> Iterator[str]:
    for meeting in meetings:
        joined, end = meeting.at(5), meeting.session.ended_at
        for place, (pk, sharing) in enumerate(zip(meeting.pks, meeting.sharing, strict=True)):
            scope = Participant.Scope.INDIVIDUAL if sharing else Participant.Scope.AGGREGATE
            name = f"{NAMES[place % len(NAMES)]} {place // len(NAMES) + 1}"
            row = (pk, uuid.uuid4(), meeting.session.pk, name, "student", 1, scope, joined, end, joined)
            yield _row(*row)


def _consents(meetings: list[Meeting]) -> Iterator[str]:
    text_hash = text_for(meetings[0].session).sha256
    for meeting in meetings:
        for pk, sharing in zip(meeting.pks, meeting.sharing, strict=True):
            scope = Participant.Scope.INDIVIDUAL if sharing else Participant.Scope.AGGREGATE
            yield _row(pk, 1, ConsentEvent.Kind.GIVEN, scope, text_hash, meeting.at(10))


def _check_ins(meetings: list[Meeting], rng: np.random.Generator) -> Iterator[str]:
    words = ("lost", "too_fast", "too_slow", "got_it")
    for meeting in meetings:
        for pk in meeting.pks:
            for second in sorted(rng.integers(20, meeting.seconds, 4)):
                yield _row(pk, words[int(second) % 4], meeting.at(int(second)))


def _markers(meetings: list[Meeting]) -> Iterator[str]:
    for meeting in meetings:
        for number in range(6):
            yield _row(meeting.session.pk, f"Slide {number + 1}", meeting.at(meeting.seconds * (number + 0.5) / 6))


# -- What was read


def _points(meetings: list[Meeting], drawn: Drawn) -> Iterator[str]:
    for meeting in meetings:
        for second in range(meeting.seconds):
            text = drawn.points[second % TEXTS]
            yield f"{VERSION}\t{meeting.session.pk}\t{second + 1}\t{meeting.at(second).isoformat()}\t{text}\n"


def _rollups(meetings: list[Meeting], drawn: Drawn, rng: np.random.Generator) -> Iterator[str]:
    for meeting in meetings:
        begin = meeting.session.started_at.replace(second=0, microsecond=0)
        for minute in range(meeting.seconds // 60):
            at = (begin + timedelta(minutes=minute)).isoformat()
            for pk, text in zip(meeting.pks, rng.integers(0, TEXTS, len(meeting.pks)), strict=True):
                yield f"{meeting.session.pk}\t{pk}\t{at}\t{drawn.rollups[text]}\n"


def _events_of_all(meetings: list[Meeting], each: int, drawn: Drawn, rng: np.random.Generator) -> Iterator[str]:
    for meeting in meetings:
        yield from _events(meeting, each * len(meeting.pks), drawn, rng)


def _events(meeting: Meeting, count: int, drawn: Drawn, rng: np.random.Generator) -> Iterator[str]:
    """In the order of time, as they are stored live: each student in turn, spread over the whole length."""
    connections = [uuid.uuid4() for _ in meeting.pks]
    rounds = count // len(meeting.pks)
    for sequence in range(rounds):
        texts = rng.integers(0, TEXTS, len(meeting.pks))
        for place, pk in enumerate(meeting.pks):
            second = meeting.seconds * (sequence + place / len(meeting.pks)) / rounds
            captured, received = meeting.at(second).isoformat(), meeting.at(second + 0.04).isoformat()
            who = f"{meeting.session.pk}\t{pk}\t{connections[place]}\t{sequence}"
            yield f"{who}\t{captured}\t{received}\t{drawn.readings[texts[place]]}\n"


# -- Into the database


def _row(*values: object) -> str:
    return "\t".join("\\N" if value is None else str(value) for value in values) + "\n"


def _copy(table: tuple[str, str], rows: Iterable[str], progress: Progress, total: int, words: str) -> None:
    name, columns = table
    told, held, done = partial(progress, words), [], 0
    with connection.cursor() as cursor, cursor.copy(f"COPY {name} ({columns}) FROM STDIN") as copy:
        for row in rows:
            held.append(row)
            if len(held) == FLUSH_ROWS:
                copy.write("".join(held))
                done += len(held)
                held.clear()
                told(done, total)
        copy.write("".join(held))
    told(total, total)


def _tidy(progress: Progress) -> None:
    """What autovacuum does in the hours after, before anything is measured."""
    progress("Vacuum", 0, 1)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    progress("Vacuum", 1, 1)
