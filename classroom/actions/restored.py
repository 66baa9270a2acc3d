"""After a restore: what was erased since the copy was made is in the database again, and goes again.

The receipts were kept apart and put back (docs/operations.md), so none is made anew. Everything here may be done
twice: the second time nothing is found.
"""

from __future__ import annotations

from collections.abc import Callable

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from classroom import signals
from classroom.actions._common import lock_participant
from classroom.actions.erasing import erase_rows, erase_session_rows, purge_rows
from classroom.actions.sessions import end_session
from classroom.models import CheckIn, ClassSession, Erasure
from classroom.traces import participant_of, session_of


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
    if participant is None:
        return False
    lock_participant(participant)
    span = {"since": receipt.since, "until": receipt.until}
    answers = signals.minutes_erased_again.send(type(participant), participant=participant, **span)
    words, _ = CheckIn.objects.filter(participant=participant, at__range=(receipt.since, receipt.until)).delete()
    return bool(words or any(rows for _receiver, rows in answers))


@transaction.atomic
def _participant(receipt: Erasure) -> bool:
    participant = participant_of(receipt)
    if participant is None:
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
