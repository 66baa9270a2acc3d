"""A large session is deleted slice by slice: a worker that reads frames must not be held up, nor killed, by it."""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.db.models import Model
from django.dispatch import receiver

from classroom import signals
from classroom.models import ClassSession
from emotions.models import EmotionEvent, MinuteRollup, MoodPoint, RoomReading

SLICE = 20_000
"""Rows: under half a second."""

# First what reports are made of. In the order of an index, so that a slice is found without reading the table.
_TABLES: tuple[tuple[type[Model], tuple[str, ...]], ...] = (
    (MoodPoint, ("sequence",)),
    (MinuteRollup, ("participant_id", "minute")),
    (RoomReading, ("captured_at",)),
    (EmotionEvent, ("captured_at",)),
)
# By where the rows lie: a join with their keys may read the whole table. Nothing refers to any of these rows.
_SLICE = """
DELETE FROM {table} WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM {table} WHERE session_id = %(session)s ORDER BY {order} LIMIT %(rows)s
))
"""


@receiver(signals.session_thinned)
def session_thinned(session: ClassSession, **_: Any) -> dict[str, int]:
    """Delete a slice of the first table that has more than one of this session."""
    for model, order in _TABLES:
        rows = model._default_manager.filter(session=session.pk).order_by(*order)
        if rows[SLICE : SLICE + 1].exists():
            return {model.__name__: _delete(model._meta.db_table, ", ".join(order), session.pk)}
    return {}


def _delete(table: str, order: str, session_pk: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_SLICE.format(table=table, order=order), {"session": session_pk, "rows": SLICE})
        return int(cursor.rowcount)
