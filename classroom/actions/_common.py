"""What the actions share: lengths of fields, and the row locks of a session and a participant."""

from __future__ import annotations

from typing import Any

from classroom.errors import NotPresentError, SessionEndedError
from classroom.models import ClassSession, Participant


def length(model: type[Any], field: str) -> int:
    """How many characters the column takes."""
    return int(model._meta.get_field(field).max_length)


def lock_live(session: ClassSession) -> ClassSession:
    """The session's row, held until the transaction ends; its end waits for us, or we see it."""
    locked = ClassSession.objects.select_for_update(no_key=True).get(pk=session.pk)
    if not locked.live:
        raise SessionEndedError
    return locked


def lock_participant(participant: Participant) -> None:
    """Hold the participant's row, and bring the instance up to date. Raises NotPresentError for one erased."""
    rows = Participant.objects.select_for_update(no_key=True)
    fields = ["consent_epoch", "scope", "left_at", "removed_at"]
    locked = rows.filter(pk=participant.pk).only(*fields).first()
    if locked is None:
        raise NotPresentError
    for field in fields:
        setattr(participant, field, getattr(locked, field))
