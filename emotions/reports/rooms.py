"""What a session's room camera saw, for reports: sums alone are stored of it, and means over its pictures shown.

It never enters the class mood: students who joined may be in its view, too, and would be counted twice. And a report
of a live session, made twice, must not differ by one picture: what it tells stands still (docs/decisions/0017).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone

from classroom.models import ClassSession
from emotions.measured import ROOM
from emotions.mood.rooms import LEAST_PICTURES
from emotions.mood.trouble import troubled
from emotions.reports import wording
from emotions.reports.selectors import fetch
from ml.labels import LABELS

_SUMS = ", ".join(f"sum(sums[{n + 1}])" for n in range(len(LABELS)))
_NAMED = ", ".join(f"sum(sums[{n + 1}]) AS {label}" for n, label in enumerate(LABELS))
_ADDED = ", ".join(f"sum({label})" for label in LABELS)
_BY_MINUTE = f"""
    SELECT date_trunc('minute', captured_at), count(*), sum(faces), sum(uncertain), {_SUMS}
    FROM emotions_roomreading WHERE session_id = %(session)s AND captured_at < %(until)s
    GROUP BY 1 HAVING count(*) >= %(least)s ORDER BY 1
"""  # noqa: S608 - columns of this module
_WHOLE = f"""
    WITH told AS (
        SELECT min(captured_at) AS since, max(captured_at) AS until, count(*) AS pictures, sum(faces) AS faces,
            {_NAMED}
        FROM emotions_roomreading WHERE session_id = %(session)s AND captured_at < %(until)s
        GROUP BY date_trunc('minute', captured_at) HAVING count(*) >= %(least)s
    )
    SELECT min(since), max(until), coalesce(sum(pictures), 0), sum(faces), {_ADDED}
    FROM classroom_participant camera LEFT JOIN told ON true
    WHERE camera.session_id = %(session)s AND camera.kind = {ROOM} GROUP BY camera.id
"""  # noqa: S608 - columns of this module
NOTHING = "A room camera was declared; nothing is told of it: too few faces, or too few pictures in minutes gone by."
LATE = timedelta(minutes=1)
"""So long after a minute no picture of it comes any more: one may be ten seconds old when it arrives, waits five in
its slot, and is then read."""


@dataclass(frozen=True, slots=True)
class RoomMinute:
    """Means over the `pictures` of a minute: `faces`, `uncertain` among them, and the (7,) `shares`, in hundredths as
    dashboards have them."""

    at: datetime
    pictures: int
    faces: float
    uncertain: float
    shares: Sequence[float]


def minutes(session: ClassSession) -> list[RoomMinute]:
    """Those that are over, with LEAST_PICTURES or more, in order. One query."""
    rows = fetch(_BY_MINUTE, {"session": session.pk, "least": LEAST_PICTURES, "until": _settled(session)})
    return [RoomMinute(row[0], row[1], row[2] / row[1], row[3] / row[1], _percents(row[4:])) for row in rows]


def sentences(session: ClassSession) -> list[str]:
    """That there was a room camera, and what it saw in the minutes that are told; none where there was none. One
    query."""
    rows = fetch(_WHOLE, {"session": session.pk, "least": LEAST_PICTURES, "until": _settled(session)})
    if not rows:
        return []
    start, end, pictures, faces, *sums = rows[0]
    return [_sentence(start, end, float(faces / pictures), _shares(sums)) if pictures else NOTHING]


def _sentence(start: datetime, end: datetime, faces: float, shares: Sequence[float]) -> str:
    when = f"{timezone.localtime(start):%H:%M}–{timezone.localtime(end):%H:%M}"
    word, share = wording.mood(shares)["word"].lower(), wording.percent(troubled(shares))
    return (
        f"Room camera, {when}: {wording.rounded(faces)} faces on average, mostly {word}; on average about {share} "
        "looked troubled. It is counted apart from the class mood, since the same students may be in both."
    )


def _settled(session: ClassSession) -> datetime:
    """Of the minutes before this one nothing changes any more. Of an ended session nothing is stored at all."""
    if session.ended_at:
        return datetime.max.replace(tzinfo=UTC)
    return (timezone.now() - LATE).replace(second=0, microsecond=0)


def _percents(sums: Sequence[Any]) -> list[float]:
    return [round(share, 2) for share in _shares(sums)]


def _shares(sums: Sequence[Any]) -> list[float]:
    return [float(one) / sum(sums) for one in sums]
