"""What the actions share: lengths of fields, and a session's row lock."""

from __future__ import annotations

from typing import Any

from classroom.errors import SessionEndedError
from classroom.models import ClassSession


def length(model: type[Any], field: str) -> int:
    """How many characters the column takes."""
    return int(model._meta.get_field(field).max_length)


def lock_live(session: ClassSession) -> ClassSession:
    """The session's row, held until the transaction ends; its end waits for us, or we see it."""
    locked = ClassSession.objects.select_for_update(no_key=True).get(pk=session.pk)
    if not locked.live:
        raise SessionEndedError
    return locked
