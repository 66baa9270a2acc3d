"""What can happen in a classroom: write, then tell (`classroom.signals`), in one transaction.

Access is settled by the caller (`classroom.access`). What can't be done raises a `classroom.errors.RefusedError`
with words for the person who asked. A participant's row lock orders everything about consent: whoever holds it
knows that no consent changes beside it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Greatest, Now
from django.utils import timezone

from classroom import consent, signals
from classroom.codes import new_join_code
from classroom.errors import (
    AlreadyLiveError,
    InferenceOffError,
    JoiningLockedError,
    NotPresentError,
    RefusedError,
    SessionEndedError,
)
from classroom.models import CheckIn, ClassSession, ConsentEvent, Course, Marker, Participant
from classroom.text import tidy

log = logging.getLogger(__name__)

CHECK_IN_EVERY = timedelta(seconds=5)
_CODE_ATTEMPTS = 5


# -- Sessions


@transaction.atomic
def start_session(course: Course, mode: str = ClassSession.Mode.CAMERA, title: str = "") -> ClassSession:
    """A new live session. Raises AlreadyLiveError (one per course), InferenceOffError, TextRefusedError."""
    Course.objects.select_for_update(no_key=True).get(pk=course.pk)
    live = course.sessions.live().first()
    if live is not None:
        raise AlreadyLiveError(live)
    session = ClassSession(course=course, mode=_mode(mode), title=_title(title))
    refusal = consent.inference_refusal(session) if session.mode == ClassSession.Mode.CAMERA else ""
    if refusal:
        raise InferenceOffError(refusal)
    _with_fresh_code(session, session.save)
    signals.session_started.send(ClassSession, session=session)
    return session


@transaction.atomic
def end_session(session: ClassSession) -> bool:
    """End it for good. False if it had ended already: the signal is sent once."""
    ended = _update_live(session, ended_at=Greatest(Now(), F("started_at")))
    if ended:
        signals.session_ended.send(ClassSession, session=session)
    return ended


def lock_joining(session: ClassSession) -> None:
    """Nobody new comes in. Raises SessionEndedError."""
    _change(session, joining_locked=True)


def unlock_joining(session: ClassSession) -> None:
    """Raises SessionEndedError."""
    _change(session, joining_locked=False)


def renew_code(session: ClassSession) -> str:
    """The old code stops working at once. Returns the new one; raises SessionEndedError."""
    _with_fresh_code(session, lambda: _change(session, join_code=session.join_code))
    return session.join_code


@transaction.atomic
def place_marker(session: ClassSession, label: str) -> Marker:
    """Name this moment. Raises SessionEndedError, TextRefusedError (1 to 60 characters)."""
    label = tidy(label, what="The marker", longest=_length(Marker, "label"))
    _lock_live(session)
    marker = Marker.objects.create(session=session, label=label)
    signals.marker_placed.send(Marker, marker=marker)
    return marker


# -- Participants


@transaction.atomic
def join(session: ClassSession, display_name: str) -> Participant:
    """A new participant, not asked for consent yet. Two students may bear one name.

    Raises SessionEndedError, JoiningLockedError, TextRefusedError (1 to 40 characters).
    """
    name = tidy(display_name, what="The name", longest=_length(Participant, "display_name"))
    if _lock_live(session).joining_locked:
        raise JoiningLockedError
    participant = Participant.objects.create(session=session, display_name=name)
    signals.participant_joined.send(Participant, participant=participant)
    return participant


@transaction.atomic
def record_consent(participant: Participant, scope: str, text_hash: str) -> ConsentEvent:
    """What the participant answered to the text with this sha256 (hex). Scope NONE is a refusal.

    Raises SessionEndedError, NotPresentError, InferenceOffError; ValueError for an unknown scope.
    """
    scope = Participant.Scope(scope)
    _lock_present(participant)
    refusal = consent.inference_refusal(participant.session)
    if refusal and scope != Participant.Scope.NONE:
        raise InferenceOffError(refusal)
    kind = ConsentEvent.Kind.DECLINED if scope == Participant.Scope.NONE else ConsentEvent.Kind.GIVEN
    return _enter(participant, kind, scope, text_hash)


@transaction.atomic
def withdraw(participant: Participant) -> ConsentEvent | None:
    """Take back the consent in force. None where there is none: nothing was measured. Works in any session."""
    _lock(participant)
    if participant.scope == Participant.Scope.NONE:
        return None
    given = participant.consent_events.filter(kind=ConsentEvent.Kind.GIVEN).latest("epoch")
    return _enter(participant, ConsentEvent.Kind.WITHDRAWN, Participant.Scope.NONE, given.text_hash)


@transaction.atomic
def leave(participant: Participant) -> bool:
    """The participant goes; nothing more of theirs is stored. False if they had gone already."""
    return _depart(participant, "left_at", signals.participant_left)


@transaction.atomic
def remove_participant(participant: Participant, by: Any) -> bool:
    """The instructor `by` sends the participant out. False if they had gone already."""
    removed = _depart(participant, "removed_at", signals.participant_removed)
    if removed:
        log.info("participant %s removed by user %s", participant.public_id, by.pk)
    return removed


@transaction.atomic
def save_check_in(participant: Participant, word: str) -> CheckIn:
    """The student's own word. A second word within CHECK_IN_EVERY takes the first one's place.

    Raises SessionEndedError, NotPresentError; ValueError for an unknown word.
    """
    word = CheckIn.Word(word)
    _lock_present(participant)
    recent = participant.check_ins.filter(at__gt=timezone.now() - CHECK_IN_EVERY).last()
    check_in = recent or CheckIn(participant=participant)
    check_in.word = word
    check_in.save()
    signals.check_in_saved.send(CheckIn, check_in=check_in)
    return check_in


@transaction.atomic
def erase(participant: Participant) -> None:
    """Delete the participant and everything that refers to them, wherever it is stored."""
    _lock(participant)
    signals.participant_erased.send(Participant, participant=participant)
    # By query, so that the instance keeps its key for receivers that run after the commit.
    Participant.objects.filter(pk=participant.pk).delete()


# -- How


def _mode(mode: str) -> ClassSession.Mode:
    try:
        return ClassSession.Mode(mode)
    except ValueError:
        raise RefusedError(f"There is no kind of session called {mode!r}.") from None


def _title(title: str) -> str:
    title = title.strip()
    return tidy(title, what="The title", longest=_length(ClassSession, "title")) if title else ""


def _length(model: type[Any], field: str) -> int:
    return int(model._meta.get_field(field).max_length)


def _with_fresh_code(session: ClassSession, write: Callable[[], object]) -> None:
    """`write` the session under a code that no live session bears; the database is the judge."""
    for attempt in range(1, _CODE_ATTEMPTS + 1):
        session.join_code = new_join_code()
        try:
            with transaction.atomic():
                write()
        except IntegrityError as error:
            if attempt == _CODE_ATTEMPTS or "join_code_unique_while_live" not in str(error):
                raise
        else:
            return


def _update_live(session: ClassSession, **values: Any) -> bool:
    """Whether the session was still live, and so has these values now."""
    changed = ClassSession.objects.live().filter(pk=session.pk).update(**values)
    session.refresh_from_db(fields={"ended_at", *values})
    return changed == 1


@transaction.atomic
def _change(session: ClassSession, **values: Any) -> None:
    if not _update_live(session, **values):
        raise SessionEndedError
    signals.session_changed.send(ClassSession, session=session)


def _lock_live(session: ClassSession) -> ClassSession:
    """The session's row, held until the transaction ends; its end waits for us, or we see it."""
    locked = ClassSession.objects.select_for_update(no_key=True).get(pk=session.pk)
    if not locked.live:
        raise SessionEndedError
    return locked


def _lock(participant: Participant) -> None:
    """Hold the participant's row, and bring the instance up to date. Raises NotPresentError for one erased."""
    rows = Participant.objects.select_for_update(no_key=True)
    fields = ["consent_epoch", "scope", "left_at", "removed_at"]
    locked = rows.filter(pk=participant.pk).only(*fields).first()
    if locked is None:
        raise NotPresentError
    for field in fields:
        setattr(participant, field, getattr(locked, field))


def _lock_present(participant: Participant) -> None:
    _lock(participant)
    if participant.left_at or participant.removed_at:
        raise NotPresentError
    if not ClassSession.objects.live().filter(pk=participant.session_id).exists():
        raise SessionEndedError


def _enter(participant: Participant, kind: str, scope: Participant.Scope, text_hash: str) -> ConsentEvent:
    """Write the ledger's next row and put it in force. The caller holds the participant's row."""
    participant.consent_epoch += 1
    participant.scope = scope
    participant.save(update_fields=["consent_epoch", "scope"])
    event = participant.consent_events.create(
        epoch=participant.consent_epoch, kind=kind, scope=scope, text_hash=text_hash
    )
    signals.consent_changed.send(Participant, participant=participant)
    return event


def _depart(participant: Participant, field: str, signal: Any) -> bool:
    """The scope stays, as a record of what was agreed; the epoch goes up, so that no frame on its way is stored."""
    _lock(participant)
    if participant.left_at or participant.removed_at:
        return False
    setattr(participant, field, timezone.now())
    participant.consent_epoch += 1
    participant.save(update_fields=[field, "consent_epoch"])
    signal.send(Participant, participant=participant)
    return True
