"""Reads and aggregates of a class for dashboards, reports and exports. Each function is a fixed number of queries.

The mood comes from stored MoodPoints, which already keep the floor.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Count, Q, Sum
from django.urls import reverse

from classroom import codes
from classroom.models import CheckIn, ClassSession, Marker, Participant
from emotions.messages import MarkerPlaced, SessionChanged
from emotions.models import MoodPoint
from emotions.reports import pace
from emotions.reports.rows import Attendance, MarkerRow, MoodRow, Section
from ml.labels import LABELS

_SEVENS = [f"avg({column}[{n + 1}])" for column in ("shares", "low", "high") for n in range(len(LABELS))]
_MEANS = ", ".join([*_SEVENS, "avg(troubled_low)", "avg(troubled_high)"])
# A stretch with a mood has the measured of the seconds that had one: those of the others are in no figure.
_KNOWN = "coalesce(avg({0}) FILTER (WHERE shares IS NOT NULL), avg({0}))"
_MEASURED = ", ".join(_KNOWN.format(column) for column in ("measured", "uncertain"))
_COUNTS = f"avg(joined), avg(connected), {_MEASURED}, avg(not_visible)"
_BINNED = f"""
    SELECT floor(extract(epoch FROM at) / %(width)s) * %(width)s, {_MEANS}, {_COUNTS}
    FROM emotions_moodpoint WHERE session_id = %(session)s AND at >= %(start)s AND at <= %(end)s
    GROUP BY 1 ORDER BY 1
"""  # noqa: S608 - columns of this module
_SECTIONED = f"""
    SELECT width_bucket(at, %(edges)s::timestamptz[]), {_MEANS}, {_COUNTS}, count(shares),
        avg(measured) FILTER (WHERE shares IS NOT NULL), avg(connected) FILTER (WHERE shares IS NOT NULL)
    FROM emotions_moodpoint WHERE session_id = %(session)s AND at >= %(start)s AND at <= %(end)s
    GROUP BY 1 ORDER BY 1
"""  # noqa: S608 - columns of this module


def milliseconds(moment: datetime) -> float:
    return moment.timestamp() * 1000


def moment(at_ms: float) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, tz=UTC)


def session_end(session: ClassSession) -> datetime:
    """When it ended; for a live session now."""
    return session.ended_at or datetime.now(UTC)


# -- The class mood


def mood_rows(session: ClassSession, start: datetime, end: datetime, *, most: int) -> list[MoodRow]:
    """The mood between two times in at most `most` rows of equal length (whole seconds), averaged in the database.

    A row's time is the middle of its stretch. Its band is the mean of the bands, which is never too narrow.
    """
    # One less, since the first and the last stretch may be cut by the ends.
    width = max(1, math.ceil((end - start).total_seconds() / max(1, most - 1)))
    rows = fetch(_BINNED, {"width": width, "session": session.pk, "start": start, "end": end})
    return [_mood_row((float(row[0]) + width / 2) * 1000, row[1:]) for row in rows]


def minutes(session: ClassSession) -> list[MoodRow]:
    """The mood minute by minute; a row's time is the minute's beginning."""
    scope = {"width": 60, "session": session.pk, "start": session.started_at, "end": session_end(session)}
    return [_mood_row(float(row[0]) * 1000, row[1:]) for row in fetch(_BINNED, scope)]


def _mood_row(at_ms: float, values: Sequence[Any]) -> MoodRow:
    seven = len(LABELS)
    shares, low, high = (values[n * seven : (n + 1) * seven] for n in range(3))
    troubled, counts = values[3 * seven : 3 * seven + 2], values[3 * seven + 2 : 3 * seven + 7]
    known = shares[0] is not None
    return MoodRow(
        at_ms,
        _normal(shares) if known else None,
        [float(value) for value in low] if known else None,
        [float(value) for value in high] if known else None,
        (float(troubled[0]), float(troubled[1])) if troubled[0] is not None else None,
        *(float(count) for count in counts),
    )


def _normal(shares: Sequence[float]) -> list[float]:
    """Summing to 1, also after smoothing and rounding upstream."""
    total = sum(shares)
    return [float(share) / total for share in shares]


def fetch(sql: str, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())


def latest_point(session: ClassSession) -> MoodPoint | None:
    return MoodPoint.objects.filter(session=session).order_by("-sequence").first()


# -- Markers, sections, check-ins


def on_device(session: ClassSession) -> float | None:
    """The share of the class mood that was read on the students' own devices; None where there is none."""
    sums = session.mood_points.filter(shares__isnull=False).aggregate(device=Sum("on_device"), all=Sum("measured"))
    return sums["device"] / sums["all"] if sums["all"] else None


def markers(session: ClassSession) -> list[MarkerRow]:
    rows = Marker.objects.filter(session=session).values_list("pk", "label", "at")
    return [MarkerRow(pk, label, milliseconds(at)) for pk, label, at in rows]


def placed_markers(session: ClassSession) -> list[MarkerPlaced]:
    """As dashboards hear of them."""
    return [MarkerPlaced(id=one.id, label=one.label, at_ms=one.at_ms) for one in markers(session)]


def as_changed(session: ClassSession) -> SessionChanged:
    """As dashboards hear of it."""
    code = session.join_code
    return SessionChanged(
        join_code=code,
        code_shown=codes.spaced(code),
        join_path=reverse("join_session", args=[code]),
        joining_locked=session.joining_locked,
        ended=session.ended_at is not None,
    )


@dataclass(frozen=True, slots=True)
class Said:
    """When each word fell that counts, of nobody in particular; `crowd`: who was there to be heard."""

    words: Sequence[tuple[datetime, str]]
    crowd: pace.Crowd

    def between(self, start: datetime, end: datetime) -> dict[str, int]:
        said = Counter(word for at, word in self.words if start <= at < end)
        return {word: said[word] for word in CheckIn.Word.values}


SILENCE = Said([], pace.NOBODY)


def said(session: ClassSession) -> Said:
    """Three queries."""
    talk = pace.talk([session.pk])
    return Said([(each.at, each.word) for each in talk.words], talk.crowd(session.pk))


def said_by_minute(words: Iterable[tuple[datetime, str]]) -> dict[datetime, Counter[str]]:
    """How often each word fell in each minute."""
    minutes: dict[datetime, Counter[str]] = {}
    for at, word in words:
        minutes.setdefault(at.replace(second=0, microsecond=0), Counter())[word] += 1
    return minutes


def sections(session: ClassSession, marked: Sequence[MarkerRow], said: Said) -> list[Section]:
    """The stretches between markers, with their mean mood. Without a marker, the whole session as one."""
    start, end = session.started_at, session_end(session)
    inside = [marker for marker in marked if milliseconds(start) < marker.at_ms < milliseconds(end)]
    edges = [start, *(moment(marker.at_ms) for marker in inside)]
    titles = ["Beginning" if inside else "Whole session", *(marker.label for marker in inside)]
    rows = fetch(_SECTIONED, {"edges": edges, "session": session.pk, "start": start, "end": end})
    found = {int(row[0]): row[1:] for row in rows}
    return [
        _section(title, a, b, found.get(number), said)
        for number, (title, a, b) in enumerate(zip(titles, edges, [*edges[1:], end], strict=True), start=1)
    ]


def _section(title: str, start: datetime, end: datetime, values: Sequence[Any] | None, said: Said) -> Section:
    a, b = milliseconds(start), milliseconds(end)
    counts, heard = said.between(start, end), said.crowd.heard(start, end)
    if values is None or not values[-3]:
        return Section(title, a, b, None, counts, heard, 0, 0, 0)
    known, measured, connected = (float(value) for value in values[-3:])
    return Section(title, a, b, _mood_row(a, values), counts, heard, part_of(known, end - start), measured, connected)


def part_of(seconds: float, length: timedelta) -> float:
    """What part (0..1) of so long a time these seconds are. There is a point a second, and none while nobody is
    there."""
    return min(1.0, seconds / max(1.0, length.total_seconds()))


# -- Attendance


def attendance(session: ClassSession) -> Attendance:
    scope = Participant.Scope
    counts = (
        Participant.objects.students()
        .filter(session=session)
        .aggregate(
            joined=Count("pk"),
            individual=Count("pk", filter=Q(scope=scope.INDIVIDUAL)),
            aggregate=Count("pk", filter=Q(scope=scope.AGGREGATE)),
            without_camera=Count("pk", filter=Q(scope=scope.NONE)),
            left=Count("pk", filter=Q(left_at__isnull=False)),
            removed=Count("pk", filter=Q(removed_at__isnull=False)),
        )
    )
    return Attendance(**counts)
