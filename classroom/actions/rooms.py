"""A room's camera: declared by the instructor, and taken back. The same ledger and the same locks as a student's."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction

from classroom import consent, rooms
from classroom.actions._common import lock_live, lock_participant
from classroom.actions.participants import enter
from classroom.errors import InferenceOffError, RefusedError
from classroom.models import ClassSession, ConsentEvent, Participant

_Scope, _Kind = Participant.Scope, ConsentEvent.Kind


@transaction.atomic
def declare_room(session: ClassSession, by: User, text_hash: str) -> ConsentEvent:
    """The instructor `by` declares the text with this sha256 (hex) to be true; from now on the camera may be used.

    Raises SessionEndedError, InferenceOffError, and RefusedError where the text has changed since it was shown.
    """
    lock_live(session)
    if reason := rooms.refusal(session):
        raise InferenceOffError(reason)
    text = rooms.declaration(session)
    if text.sha256 != text_hash:
        raise RefusedError("The text has changed since you opened this page. Read it again.")
    camera = rooms.camera_of(session) or _new_camera(session)
    lock_participant(camera)
    consent.keep(text)
    return enter(camera, _Kind.GIVEN, _Scope.AGGREGATE, text.sha256, declared_by=by)


@transaction.atomic
def withdraw_room(session: ClassSession, by: User) -> ConsentEvent | None:
    """Take the declaration back: nothing more is stored. None where none is in force. Works in any session."""
    camera = rooms.camera_of(session)
    if camera is None:
        return None
    lock_participant(camera)
    if camera.scope == _Scope.NONE:
        return None
    given = camera.consent_events.filter(kind=_Kind.GIVEN).latest("epoch")
    return enter(camera, _Kind.WITHDRAWN, _Scope.NONE, given.text_hash, declared_by=by)


def _new_camera(session: ClassSession) -> Participant:
    """The caller holds the session's row, so there is one."""
    return Participant.objects.create(session=session, kind=Participant.Kind.ROOM, display_name="Room camera")
