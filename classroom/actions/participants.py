"""Participants: they come, consent, speak, go. A participant's row lock orders everything about consent."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.dispatch import Signal
from django.utils import timezone

from classroom import consent, signals
from classroom.actions._common import length, lock_live, lock_participant
from classroom.errors import InferenceOffError, JoiningLockedError, NotPresentError, SessionEndedError
from classroom.models import CheckIn, ClassSession, ConsentEvent, Participant
from classroom.text import tidy
from classroom.traces import was_erased

log = logging.getLogger(__name__)

CHECK_IN_EVERY = timedelta(seconds=5)
"""A word within it takes the place of the one before, and keeps its time."""
HAND_UP = timedelta(minutes=5)
"""A raised hand goes down by itself after it: a forgotten one calls nobody."""


def join(session: ClassSession, display_name: str) -> Participant:
    """A new participant, not asked for consent yet. Two students may bear one name.

    Raises SessionEndedError, JoiningLockedError, TextRefusedError (1 to 40 characters).
    """
    return join_once(session, display_name, None)[0]


@transaction.atomic
def join_once(session: ClassSession, display_name: str, number: UUID | None) -> tuple[Participant, bool]:
    """As `join`; and whether the participant is a new one.

    `number`: the participant's public id, chosen before. Whoever joins again with it (a double click) is the same
    one, unless they have gone meanwhile.
    """
    name = tidy(display_name, what="The name", longest=length(Participant, "display_name"))
    locked = lock_live(session)
    before = Participant.objects.filter(public_id=number).first() if number else None
    if before and before.session_id == session.pk and not (before.left_at or before.removed_at):
        return before, False
    if locked.joining_locked:
        raise JoiningLockedError
    # Of somebody who is gone the number is not used again: a receipt would find the new one by it.
    public_id = uuid4() if before or number is None or was_erased(session, number) else number
    return Participant.objects.create(session=session, display_name=name, public_id=public_id), True


@transaction.atomic
def record_consent(participant: Participant, scope: str, text_hash: str) -> ConsentEvent:
    """What the participant answered to the text with this sha256 (hex): the row of the ledger that is in force now.
    Scope NONE is a refusal. The same answer to the same text again is no new row.

    Raises SessionEndedError, NotPresentError, InferenceOffError; ValueError for an unknown scope.
    """
    scope = Participant.Scope(scope)
    _lock_present(participant)
    refusal = consent.inference_refusal(participant.session)
    if refusal and scope != Participant.Scope.NONE:
        raise InferenceOffError(refusal)
    consent.keep_text(participant.session, text_hash)
    kind = ConsentEvent.Kind.DECLINED if scope == Participant.Scope.NONE else ConsentEvent.Kind.GIVEN
    last = participant.consent_events.order_by("-epoch").first()
    if last and (last.kind, last.scope, last.text_hash) == (kind, scope, text_hash):
        return last
    return enter(participant, kind, scope, text_hash)


@transaction.atomic
def withdraw(participant: Participant) -> ConsentEvent | None:
    """Take back the consent in force. None where there is none: nothing was measured. Works in any session."""
    lock_participant(participant)
    if participant.scope == Participant.Scope.NONE:
        return None
    given = participant.consent_events.filter(kind=ConsentEvent.Kind.GIVEN).latest("epoch")
    return enter(participant, ConsentEvent.Kind.WITHDRAWN, Participant.Scope.NONE, given.text_hash)


@transaction.atomic
def leave(participant: Participant) -> bool:
    """The participant goes; nothing more of theirs is stored. False if they had gone already."""
    return _depart(participant, "left_at", signals.participant_left)


@transaction.atomic
def remove_participant(participant: Participant, by: User) -> bool:
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
    now = timezone.now()
    # Nothing later than now: a clock that was set back must not make each word the one before it.
    recent = participant.check_ins.filter(at__gt=now - CHECK_IN_EVERY, at__lte=now).last()
    check_in = recent or CheckIn(participant=participant)
    check_in.word = word
    check_in.save()
    return check_in


def words_said(participant_pk: int, since: datetime, until: datetime | None = None) -> QuerySet[CheckIn]:
    """Of a participant, what goes with the minutes from `since` on (to `until`): also a word of just before them,
    whose place one of theirs may have taken."""
    words = CheckIn.objects.filter(participant=participant_pk, at__gte=since - CHECK_IN_EVERY)
    return words if until is None else words.filter(at__lte=until)


@transaction.atomic
def raise_hand(participant: Participant) -> None:
    """Towards the teacher, who sees the name. Raised again, it stays up for HAND_UP from now on.

    Raises SessionEndedError, NotPresentError.
    """
    _lock_present(participant)
    _set_hand(participant, timezone.now())


@transaction.atomic
def lower_hand(participant: Participant) -> None:
    """By the student or the teacher. Raises NotPresentError for one erased."""
    lock_participant(participant)
    _set_hand(participant, None)


def hand_up_ms(participant: Participant) -> float:
    """How long the hand stays up yet, in milliseconds; 0 for one that is down."""
    if participant.hand_raised_at is None:
        return 0.0
    return max(0.0, (participant.hand_raised_at + HAND_UP - timezone.now()).total_seconds() * 1000)


def _set_hand(participant: Participant, at: datetime | None) -> None:
    participant.hand_raised_at = at
    participant.save(update_fields=["hand_raised_at"])
    signals.hand_changed.send(Participant, participant=participant)


def _lock_present(participant: Participant) -> None:
    lock_participant(participant)
    if participant.left_at or participant.removed_at:
        raise NotPresentError
    if not ClassSession.objects.live().filter(pk=participant.session_id).exists():
        raise SessionEndedError


def enter(
    participant: Participant, kind: str, scope: Participant.Scope, text_hash: str, declared_by: User | None = None
) -> ConsentEvent:
    """Write the ledger's next row and put it in force. The caller holds the participant's row."""
    participant.consent_epoch += 1
    participant.scope = scope
    participant.save(update_fields=["consent_epoch", "scope"])
    event = participant.consent_events.create(
        epoch=participant.consent_epoch, kind=kind, scope=scope, text_hash=text_hash, declared_by=declared_by
    )
    signals.consent_changed.send(Participant, participant=participant)
    return event


def _depart(participant: Participant, field: str, signal: Signal) -> bool:
    """The scope stays, as a record of what was agreed; the epoch goes up, so that no frame on its way is stored."""
    lock_participant(participant)
    if participant.left_at or participant.removed_at:
        return False
    setattr(participant, field, timezone.now())
    participant.consent_epoch += 1
    participant.hand_raised_at = None
    participant.save(update_fields=[field, "consent_epoch", "hand_raised_at"])
    signal.send(Participant, participant=participant)
    return True
