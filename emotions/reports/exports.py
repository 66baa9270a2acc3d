"""CSV of a session. docs/exports.md names every column.

UTF-8 with a byte order mark, so that spreadsheets read names right. Cells that a spreadsheet would take for a formula
are made harmless. The minutes are the class's; the readings are those of students who share individually.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from asgiref.sync import sync_to_async
from django.db.models import Q
from django.utils import timezone

from classroom.models import CheckIn, ClassSession
from emotions.models import EmotionEvent
from emotions.reports import selectors
from emotions.reports.rows import MoodRow
from ml.labels import LABELS

BYTE_ORDER_MARK = "\ufeff"
CHUNK = 2_000
# At the beginning of a cell, and after what a spreadsheet of another country takes for the end of one.
_FORMULA = re.compile(r"(^|[,;\t|])(?=\s*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20])")
MINUTE_COLUMNS = (
    "minute",
    *(f"share_{label}" for label in LABELS),
    *(f"low_{label}" for label in LABELS),
    *(f"high_{label}" for label in LABELS),
    "measured", "unsure", "not_visible", "connected", "joined",
    *(f"said_{word}" for word in CheckIn.Word.values),
)  # fmt: skip
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
    said = selectors.said_by_minute(session)
    rows = [_minute_cells(row, said.get(selectors.moment(row.at_ms), {})) for row in selectors.minutes(session)]
    return _lines([MINUTE_COLUMNS, *rows], dialect)


def _minute_cells(row: MoodRow, said: Any) -> list[Any]:
    unknown = [None] * len(LABELS)
    shares = [value for column in (row.shares, row.low, row.high) for value in (column or unknown)]
    counts = [row.measured, row.uncertain, row.not_visible, row.connected, row.joined]
    return [
        _time(selectors.moment(row.at_ms)),
        *shares,
        *counts,
        *(said.get(word, 0) for word in CheckIn.Word.values),
    ]


async def events(session: ClassSession, dialect: Dialect) -> AsyncIterator[str]:
    """Every reading of those who share individually, oldest first; never all of them in memory."""
    sharing = await sync_to_async(selectors.sharers)(session)
    names = {sharer.pk: sharer.name for sharer in sharing}
    yield BYTE_ORDER_MARK + "".join(_lines([EVENT_COLUMNS], dialect, mark=False))
    after: EmotionEvent | None = None
    while chunk := await sync_to_async(_chunk)(session, after):
        yield "".join(_lines([_event_cells(event, names) for event in chunk], dialect, mark=False))
        after = chunk[-1]


def _chunk(session: ClassSession, after: EmotionEvent | None) -> list[EmotionEvent]:
    rows = selectors.events_of_sharers(session)
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


def _lines(rows: Iterable[Sequence[Any]], dialect: Dialect, *, mark: bool = True) -> Iterator[str]:
    if mark:
        yield BYTE_ORDER_MARK
    for row in rows:
        line = io.StringIO()
        csv.writer(line, delimiter=dialect.separator).writerow([_cell(value, dialect) for value in row])
        yield line.getvalue()


def _cell(value: Any, dialect: Dialect) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4f}".rstrip("0").rstrip(".").replace(".", dialect.decimal)
    return harmless(str(value))


def harmless(text: str) -> str:
    """Text that a spreadsheet shows and never runs: what begins like a formula is led by an apostrophe.

    Also within the text, behind a separator: opened with another one than it was written with, the rest is a cell.
    """
    return _FORMULA.sub(r"\1'", text)
