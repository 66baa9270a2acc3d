"""What is erased: by its student, by the school, or because its time is over. Each receipt names nobody."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from classroom import signals
from classroom.actions._common import lock_participant
from classroom.errors import RefusedError
from classroom.models import CheckIn, ClassSession, Erasure, Participant

log = logging.getLogger(__name__)

LONGEST_MINUTES = 24 * 60
_School, _Student, _Expired = Erasure.Why.SCHOOL, Erasure.Why.STUDENT, Erasure.Why.EXPIRED


@transaction.atomic
def erase(participant: Participant, why: str = _School) -> Erasure:
    """Delete the participant and everything that refers to them, wherever it is stored.

    Raises NotPresentError for one who is erased already.
    """
    lock_participant(participant)
    answers = signals.participant_erased.send(Participant, participant=participant)
    # By query, so that the instance keeps its key for receivers that run after the commit.
    _total, rows = Participant.objects.filter(pk=participant.pk).delete()
    return _receipt(Erasure.What.PARTICIPANT, why, participant.session, [*_counts(answers), _names(rows)])


@transaction.atomic
def erase_last(participant: Participant, minutes: int, why: str = _Student) -> Erasure:
    """Delete what was recorded about the participant in the last minutes: of an ended session, before its end.

    The consent stands, but its epoch goes up: a frame of that time that is still on its way is not stored.
    Raises NotPresentError for one who is erased, RefusedError for other than 1 to LONGEST_MINUTES.
    """
    if not 1 <= minutes <= LONGEST_MINUTES:
        raise RefusedError(f"Type a number of minutes from 1 to {LONGEST_MINUTES}.")
    lock_participant(participant)
    until = timezone.now()
    ended = ClassSession.objects.values_list("ended_at", flat=True).get(pk=participant.session_id)
    since = min(until, ended or until) - timedelta(minutes=minutes)
    participant.consent_epoch += 1
    participant.save(update_fields=["consent_epoch"])
    answers = signals.minutes_erased.send(Participant, participant=participant, since=since)
    _total, words = CheckIn.objects.filter(participant=participant.pk, at__gte=since).delete()
    rows = [*_counts(answers), _names(words)]
    return _receipt(Erasure.What.MINUTES, why, participant.session, rows, since=since, until=until)


@transaction.atomic
def erase_session(session: ClassSession, why: str = _School) -> Erasure:
    """Delete an ended session with everything that refers to it. Raises RefusedError while it is live, or gone."""
    _lock_ended(session)
    signals.session_erased.send(ClassSession, session=session)
    # By query, so that the instance keeps its key for receivers that run after the commit.
    _total, rows = ClassSession.objects.filter(pk=session.pk).delete()
    return _receipt(Erasure.What.SESSION, why, session, [_names(rows)])


@transaction.atomic
def purge_session(session: ClassSession, why: str = _School) -> Erasure:
    """Delete who was there and everything that was recorded; the session stays, with its course, title and times.

    Raises RefusedError while it is live, where it was purged before, and where it is gone.
    """
    locked = _lock_ended(session)
    if locked.purged_at:
        raise RefusedError("This session was purged before.")
    answers = signals.session_purged.send(ClassSession, session=session)
    parts = [session.markers.all().delete(), session.participants.all().delete()]
    ClassSession.objects.filter(pk=session.pk).update(purged_at=Now())
    session.refresh_from_db(fields=["purged_at"])
    rows = [*_counts(answers), *(_names(rows) for _total, rows in parts)]
    return _receipt(Erasure.What.RECORDS, why, session, rows)


def expire(session: ClassSession) -> Erasure:
    """A session that was kept long enough goes, in a transaction of its own: a long run can be stopped.

    Raises RefusedError where somebody else was quicker."""
    receipt = erase_session(session, _Expired)
    log.info("session %s was kept long enough: receipt %s", session.public_id, receipt.public_id)
    return receipt


def _lock_ended(session: ClassSession) -> ClassSession:
    locked = ClassSession.objects.select_for_update().filter(pk=session.pk).first()
    if locked is None:
        raise RefusedError("This session is gone already.")
    if locked.live:
        raise RefusedError("This session is live. End it first.")
    return locked


def _counts(answers: Iterable[tuple[Any, Any]]) -> list[Mapping[str, int]]:
    """What the receivers of a signal say that they deleted."""
    return [answer for _receiver, answer in answers if answer]


def _names(rows: Mapping[str, int]) -> dict[str, int]:
    """ "classroom.CheckIn" -> "CheckIn"."""
    return {label.rpartition(".")[2]: count for label, count in rows.items() if count}


def _receipt(what: str, why: str, session: ClassSession, rows: Iterable[Mapping[str, int]], **period: Any) -> Erasure:
    total: Counter[str] = Counter()
    for each in rows:
        total.update(each)
    return Erasure.objects.create(
        what=what,
        why=why,
        course=session.course.title,
        session_started_at=session.started_at,
        rows={name: count for name, count in sorted(total.items()) if count},
        **period,
    )
