"""What the ticker needs of the database: a fixed number of queries for all live sessions together."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.db import connection
from django.db.models import Max
from django.db.models.functions import Coalesce

from classroom.actions import HAND_UP
from classroom.models import CheckIn, ClassSession, Participant
from classroom.text import distinct_names
from emotions.messages import Pace, Point
from emotions.models import MoodPoint
from emotions.mood.alerts import BACK_MS, MEAN_MS, WORDS_MS
from emotions.mood.cohort import FLOOR, THERE_FOR
from emotions.mood.estimate import Student

# Each participant's last word within the window.
_WORDS = """
SELECT DISTINCT ON (participant.id) participant.id, said.id, said.word, said.at,
    participant.scope = 'individual' AND said.at >= (
        SELECT max(given.at) FROM classroom_consentevent given WHERE given.participant_id = participant.id
    )
FROM classroom_classsession session
JOIN classroom_participant participant ON participant.session_id = session.id
JOIN classroom_checkin said ON said.participant_id = participant.id AND said.at > %(since)s
WHERE session.ended_at IS NULL AND participant.left_at IS NULL AND participant.removed_at IS NULL
ORDER BY participant.id, said.at DESC, said.id DESC
"""
# Rows that a batch of readings holds are passed over: the next round comes, and nobody waits for anybody.
_SEEN = """
UPDATE classroom_participant SET last_seen_at = %(at)s
WHERE id IN (
    SELECT id FROM classroom_participant WHERE id = ANY(%(participants)s) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
)
"""


@dataclass(frozen=True, slots=True)
class Said:
    """A student's last word about the pace. `by_name`: said under the consent in force, which shares the name."""

    pk: int
    word: str
    at_ms: float
    by_name: bool


@dataclass(frozen=True, slots=True)
class Roster:
    """A session's participants, by name, what those said who spoke lately, and its course's setting of alerts.

    `there`: who of them is there now, by the last sign of them; a closed tab is no "leave".
    """

    students: list[Student]
    said: dict[int, Said]
    alerts: str
    there: frozenset[int]

    @property
    def pace(self) -> Pace:
        """Of those who share individually every word since they do; of the others all, or none where fewer than
        FLOOR of them are there: one "lost" of two would name its student (docs/decisions/0012)."""
        others = sum(one.scope != "individual" and one.pk in self.there for one in self.students)
        heard = others >= FLOOR
        words = [said.word for said in self.said.values() if said.by_name or heard]
        return Pace(**Counter(words), withheld=0 if heard else others)

    @property
    def lost(self) -> dict[int, float]:
        """When each whose last word is "lost" said so with the name, in Unix milliseconds."""
        return {pk: said.at_ms for pk, said in self.said.items() if said.word == "lost" and said.by_name}

    @property
    def consents(self) -> dict[int, int]:
        """The epoch of each one's consent in force."""
        return {student.pk: student.consent_epoch for student in self.students}


NOBODY_JOINED = Roster([], {}, "off", frozenset())


def live_rosters(now: datetime) -> dict[int, Roster]:
    """Every live session that somebody has joined, in two queries."""
    (students, there), words = _students(now), _words(now)
    return {
        session: Roster(roll, _said_by(roll, words), alerts, there) for (session, alerts), roll in students.items()
    }


def still_live(session_pks: Iterable[int]) -> list[int]:
    """Those of these sessions that have not ended. One query, none for none."""
    pks = list(session_pks)
    return list(ClassSession.objects.live().filter(pk__in=pks).values_list("pk", flat=True)) if pks else []


def last_points(session_pks: Iterable[int]) -> dict[int, MoodPoint]:
    """Each session's newest point; none for a session without one. Two queries."""
    newest = MoodPoint.objects.filter(session__in=list(session_pks)).order_by().values("session")
    sequences = newest.annotate(last=Max("sequence")).values_list("session", "last")
    wanted = {(session, last) for session, last in sequences}
    found = MoodPoint.objects.filter(
        session__in=[session for session, _last in wanted], sequence__in=[last for _session, last in wanted]
    )
    return {point.session_id: point for point in found if (point.session_id, point.sequence) in wanted}


def recent_points(session_pks: Iterable[int], now_ms: float) -> dict[int, list[Point]]:
    """Of each session, those that its alerts compare with, oldest first. One query."""
    since = datetime.fromtimestamp((now_ms - BACK_MS - MEAN_MS) / 1000, UTC)
    found: defaultdict[int, list[Point]] = defaultdict(list)
    for row in MoodPoint.objects.filter(session__in=list(session_pks), at__gt=since).order_by("sequence"):
        found[row.session_id].append(row.as_message())
    return dict(found)


def store_points(points: Mapping[int, Point], model_version: str) -> None:
    """One statement. Raises IntegrityError when another ticker stored one of them."""
    MoodPoint.objects.bulk_create(_row(session, point, model_version) for session, point in points.items())


def erased_meanwhile(rosters: Mapping[int, Roster]) -> set[int]:
    """Of these sessions, those of which a word that was read is gone by now. One query, none where nobody spoke."""
    read = {said.pk: session for session, known in rosters.items() for said in known.said.values()}
    there = CheckIn.objects.filter(pk__in=list(read)).values_list("pk", flat=True) if read else ()
    return {read[pk] for pk in read.keys() - set(there)}


def take_words_out(points: Mapping[int, Point]) -> None:
    """Of the stored points, each by its session: what was said of the pace is in them no more."""
    for session, point in points.items():
        MoodPoint.objects.filter(session=session, sequence=point.sequence).update(pace={})


def note_seen(participant_pks: list[int], now: datetime) -> None:
    """When participants were connected last, for pages, admin and who is company for whom: coarse by design."""
    with connection.cursor() as cursor:
        cursor.execute(_SEEN, {"at": now, "participants": participant_pks})


def _students(now: datetime) -> tuple[dict[tuple[int, str], list[Student]], frozenset[int]]:
    """By session and the setting of its course's alerts; and who of all of them is there.

    Who has left is read, too, for the numbers of those who bear the same name.
    """
    live = Participant.objects.students().filter(session__ended_at__isnull=True)
    ordered = live.order_by("session_id", "display_name", "joined_at", "pk")
    rows = ordered.values_list(
        "session_id",
        "display_name",
        "session__course__alerts",
        "left_at",
        "removed_at",
        "pk",
        "public_id",
        "scope",
        "consent_epoch",
        "hand_raised_at",
        Coalesce("last_seen_at", "joined_at"),
    )
    students: defaultdict[tuple[int, str], list[Student]] = defaultdict(list)
    there = set()
    for row, name in zip(rows, _names(rows), strict=True):
        session, _typed, alerts, left_at, removed_at, pk, public_id, scope, epoch, raised_at, seen = row
        if left_at or removed_at:
            continue
        hand_ms = raised_at.timestamp() * 1000 if raised_at and raised_at > now - HAND_UP else None
        students[session, alerts].append(Student(pk, public_id, name, scope, epoch, hand_ms))
        if seen > now - THERE_FOR:
            there.add(pk)
    return dict(students), frozenset(there)


def _names(rows: Iterable[tuple[Any, ...]]) -> Iterator[str]:
    """For each row, which begins with the session and the name that was typed, the name that is shown."""
    for _session, roll in groupby(rows, key=itemgetter(0)):
        yield from distinct_names([row[1] for row in roll])


def _words(now: datetime) -> dict[int, Said]:
    with connection.cursor() as cursor:
        cursor.execute(_WORDS, {"since": now - timedelta(milliseconds=WORDS_MS)})
        rows = cursor.fetchall()
    return {student: Said(pk, word, at.timestamp() * 1000, by_name) for student, pk, word, at, by_name in rows}


def _said_by(students: Iterable[Student], words: Mapping[int, Said]) -> dict[int, Said]:
    return {student.pk: words[student.pk] for student in students if student.pk in words}


def _row(session_pk: int, point: Point, model_version: str) -> MoodPoint:
    values, at = point.model_dump(exclude={"at_ms"}), datetime.fromtimestamp(point.at_ms / 1000, UTC)
    return MoodPoint(session_id=session_pk, at=at, model_version=model_version, **values)
