"""Several sessions as one ZIP: a list of them, and the whole report of each as a spreadsheet. docs/exports.md.

It is sent as it is made: one report is in memory at a time, and nothing lies on a disk.
"""

from __future__ import annotations

import zipfile
from collections.abc import AsyncIterator, Sequence

from django.utils import timezone
from django.utils.text import slugify

from classroom.models import ClassSession
from classroom.text import person_name
from classroom.turns import streamed
from emotions.reports import exports
from emotions.reports.workbook import workbook

INDEX = "sessions.csv"
INDEX_COLUMNS = ("file", "course", "title", "instructor", "started_at", "ended_at")


class _Sink:
    """What a ZIP is written to, and taken from piece by piece."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._pieces.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing waits."""

    def taken(self) -> bytes:
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)


async def archive(sessions: Sequence[ClassSession]) -> AsyncIterator[bytes]:
    """`sessions` with their course and instructor."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as made:  # type: ignore[call-overload]
        made.writestr(INDEX, "".join(_index(sessions)))
        for number, session in enumerate(sessions, start=1):
            if not session.purged_at:
                made.writestr(_name(number, session), await streamed(workbook, session))
            yield sink.taken()
    yield sink.taken()


def _index(sessions: Sequence[ClassSession]) -> list[str]:
    rows = [_line(number, session) for number, session in enumerate(sessions, start=1)]
    return list(exports.lines([INDEX_COLUMNS, *rows], exports.DIALECTS["comma"]))


def _line(number: int, session: ClassSession) -> list[object]:
    course, who = session.course, person_name(session.course.instructor)
    # What was purged, or is being deleted, has no report: half of one would look like a whole.
    file = "" if session.purged_at else _name(number, session)
    return [file, course.title, session.title, who, session.started_at, session.ended_at]


def _name(number: int, session: ClassSession) -> str:
    """Numbered: two sessions of a course may be of one day."""
    day = f"{timezone.localtime(session.started_at):%Y-%m-%d}"
    return f"{number:03}-{slugify(session.course.title) or 'session'}-{day}.xlsx"
