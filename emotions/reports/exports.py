"""CSV of a session. docs/exports.md names every column.

UTF-8 with a byte order mark, so that spreadsheets read names right. Cells that a spreadsheet would take for a formula
are made harmless. The minutes are the class's; the readings are those of students who share individually.
"""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils import timezone

from classroom.models import ClassSession
from classroom.turns import streamed
from emotions.models import EmotionEvent
from emotions.reports import selectors, sharers
from emotions.reports.cells import harmless
from emotions.reports.tables import MINUTE_COLUMNS, SaidCells, minute_cells
from ml.labels import LABELS

BYTE_ORDER_MARK = "\ufeff"
CHUNK = 2_000
EVENT_COLUMNS = (
    "student", "student_id", "captured_at", "received_at", "emotion", "confidence", "unsure",
    *(f"probability_{label}" for label in LABELS),
    "faces_in_picture", "model_version",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a spreadsheet wants it: those that split at semicolons write decimals with a comma."""

    separator: str
    decimal: str = "."


DIALECTS = {"comma": Dialect(","), "semicolon": Dialect(";", ","), "tab": Dialect("\t")}


def minutes(session: ClassSession, dialect: Dialect) -> Iterator[str]:
    """The class mood minute by minute, with what was said in each."""
    said = SaidCells.of(selectors.said(session))
    rows = [minute_cells(row, said) for row in selectors.minutes(session)]
    return lines([MINUTE_COLUMNS, *rows], dialect)


async def events(session: ClassSession, dialect: Dialect) -> AsyncIterator[str]:
    """Every reading of those who share individually, oldest first; never all of them in memory."""
    sharing = await streamed(sharers.of_session, session)
    names = {sharer.pk: sharer.name for sharer in sharing}
    yield BYTE_ORDER_MARK + "".join(lines([EVENT_COLUMNS], dialect, mark=False))
    after: EmotionEvent | None = None
    while chunk := await streamed(_chunk, session, after):
        yield "".join(lines([_event_cells(event, names) for event in chunk], dialect, mark=False))
        after = chunk[-1]


def _chunk(session: ClassSession, after: EmotionEvent | None) -> list[EmotionEvent]:
    rows = sharers.events_of_sharers(session)
    if after is not None:
        later = Q(captured_at__gt=after.captured_at) | Q(captured_at=after.captured_at, pk__gt=after.pk)
        rows = rows.filter(later, captured_at__gte=after.captured_at)
    return list(rows[:CHUNK])


def _event_cells(event: EmotionEvent, names: dict[int, str]) -> list[Any]:
    # Somebody who joined while the file was on its way has no number yet, but a name.
    name = names.get(event.participant_id, event.participant.display_name)
    who = [name, str(event.participant.public_id)]
    read = [_time(event.captured_at), _time(event.received_at), event.label, event.confidence, int(event.uncertain)]
    return [*who, *read, *event.probabilities, event.face_count, event.model_version]


def _time(at: datetime) -> str:
    """In the school's zone, with its offset."""
    return timezone.localtime(at).isoformat(timespec="milliseconds" if at.microsecond else "seconds")


def lines(rows: Iterable[Sequence[Any]], dialect: Dialect, *, mark: bool = True) -> Iterator[str]:
    """Harmless CSV, line by line; `mark`: led by the byte order mark."""
    if mark:
        yield BYTE_ORDER_MARK
    for row in rows:
        line = io.StringIO()
        csv.writer(line, delimiter=dialect.separator).writerow([_cell(value, dialect) for value in row])
        yield line.getvalue()


def _cell(value: Any, dialect: Dialect) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return _time(value)
    if isinstance(value, float):
        return f"{value:.4f}".rstrip("0").rstrip(".").replace(".", dialect.decimal)
    return harmless(str(value))
