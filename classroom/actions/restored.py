"""After a restore: what was erased since the copy was made is in the database again, and goes again; what was
answered about consent since then is not, and is entered again.

Receipts and answers were kept apart (docs/operations.md). No receipt is made anew. Everything here may be done twice:
the second time nothing is found.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from classroom import signals
from classroom.actions._common import lock_participant
from classroom.actions.erasing import erase_rows, erase_session_rows, purge_rows
from classroom.actions.participants import words_said
from classroom.actions.sessions import end_session
from classroom.models import ClassSession, ConsentEvent, Erasure, Participant
from classroom.traces import participant_of, session_of


@dataclass(frozen=True, slots=True)
class Answer:
    """A row of the ledger as it was saved. `participant`: the public id; `declared_by`: the key of an account."""

    participant: UUID
    epoch: int
    kind: str
    scope: str
    text_hash: str
    at: datetime
    declared_by: int | None


def enter_again(answers: Iterable[Answer]) -> int:
    """Enter those answers that were given since the copy was made; the last one of each participant is in force.
    Returns how many. Of those who joined since then the database knows nobody."""
    given: defaultdict[UUID, list[Answer]] = defaultdict(list)
    for answer in answers:
        given[answer.participant].append(answer)
    people = Participant.objects.filter(public_id__in=list(given))
    # Most have answered nothing since: they are neither locked nor asked for one by one.
    return sum(_enter(one, given[one.public_id]) for one in people if _later(one, given[one.public_id]))


def _later(participant: Participant, answers: Sequence[Answer]) -> list[Answer]:
    """The epoch goes up with each answer, so the copy's own say which came after it."""
    return [one for one in answers if one.epoch > participant.consent_epoch]


@transaction.atomic
def _enter(participant: Participant, answers: Sequence[Answer]) -> int:
    """None where somebody has answered in the restored database already: that came later still."""
    lock_participant(participant)
    later = sorted(_later(participant, answers), key=attrgetter("epoch"))
    if not later or participant.consent_events.filter(at__gte=later[0].at).exists():
        return 0
    ConsentEvent.objects.bulk_create(_row(participant, answer) for answer in later)
    participant.consent_epoch, participant.scope = later[-1].epoch, later[-1].scope
    participant.save(update_fields=["consent_epoch", "scope"])
    signals.consent_changed.send(Participant, participant=participant)
    return len(later)


def _row(participant: Participant, answer: Answer) -> ConsentEvent:
    return ConsentEvent(
        participant=participant,
        epoch=answer.epoch,
        kind=answer.kind,
        scope=answer.scope,
        text_hash=answer.text_hash,
        at=answer.at,
        declared_by=User.objects.filter(pk=answer.declared_by).first() if answer.declared_by else None,
    )


def kept_receipts() -> QuerySet[Erasure]:
    """Those of sessions that are in the database, oldest first. Without a trace they find nobody."""
    there = Exists(ClassSession.objects.filter(started_at=OuterRef("session_started_at")))
    return Erasure.objects.exclude(trace="").filter(there).order_by("at", "pk")


def erase_again(receipt: Erasure) -> bool:
    """Do once more what the receipt tells of; whether there was something to do."""
    return _AGAIN[receipt.what](receipt)


@transaction.atomic
def _minutes(receipt: Erasure) -> bool:
    """Only what had been stored by then: a copy of later may hold what came after it."""
    participant = participant_of(receipt)
    if participant is None or receipt.since is None or receipt.until is None:
        return False
    lock_participant(participant)
    span = {"since": receipt.since, "until": receipt.until}
    answers = signals.minutes_erased_again.send(type(participant), participant=participant, **span)
    words, _ = words_said(participant.pk, receipt.since, receipt.until).delete()
    return bool(words or any(rows for _receiver, rows in answers))


@transaction.atomic
def _participant(receipt: Erasure) -> bool:
    """Not one who joined after it: with a form of before, some came back under the number that was erased."""
    participant = participant_of(receipt)
    if participant is None or participant.joined_at > receipt.at:
        return False
    erase_rows(participant)
    return True


def _session(receipt: Erasure) -> bool:
    session = _over(receipt)
    if session is None:
        return False
    with transaction.atomic():
        erase_session_rows(session)
    return True


def _records(receipt: Erasure) -> bool:
    """What is left of a session that was being deleted when the copy was made, `purge_expired` finds by itself."""
    session = _over(receipt)
    if session is None or session.purged_at:
        return False
    with transaction.atomic():
        purge_rows(session)
    return True


def _over(receipt: Erasure) -> ClassSession | None:
    """Its session: in the copy it may still run, though it had ended when it was erased."""
    session = session_of(receipt)
    if session is not None and session.live:
        end_session(session)
    return session


_AGAIN: dict[str, Callable[[Erasure], bool]] = {
    Erasure.What.MINUTES: _minutes,
    Erasure.What.PARTICIPANT: _participant,
    Erasure.What.SESSION: _session,
    Erasure.What.RECORDS: _records,
}
