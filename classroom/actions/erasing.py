"""What is erased: by its student, by the school, or because its time is over. Each receipt names nobody."""

from __future__ import annotations

import logging
import math
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.crypto import salted_hmac

from classroom import signals
from classroom.actions._common import lock_participant
from classroom.actions.participants import words_said
from classroom.errors import RefusedError
from classroom.models import ClassSession, Erasure, Participant
from classroom.traces import trace

log = logging.getLogger(__name__)

LONGEST_MINUTES = 24 * 60
PEOPLE_AT_ONCE = 5
_School, _Student, _Expired = Erasure.Why.SCHOOL, Erasure.Why.STUDENT, Erasure.Why.EXPIRED


@transaction.atomic
def erase(participant: Participant, why: str = _School) -> Erasure:
    """Delete the participant and everything that refers to them, wherever it is stored.

    Raises NotPresentError for one who is erased already.
    """
    rows = erase_rows(participant)
    return _receipt(Erasure.What.PARTICIPANT, why, participant.session, rows, of=participant)


def erase_rows(participant: Participant) -> list[Mapping[str, int]]:
    """The work of `erase`, within the caller's transaction; returns how many rows, by model."""
    lock_participant(participant)
    answers = signals.participant_erased.send(Participant, participant=participant)
    # By query, so that the instance keeps its key for receivers that run after the commit.
    _total, rows = Participant.objects.filter(pk=participant.pk).delete()
    return [*_counts(answers), _names(rows)]


@transaction.atomic
def erase_last(participant: Participant, minutes: int) -> Erasure:
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
    _total, words = words_said(participant.pk, since).delete()
    rows = [*_counts(answers), _names(words)]
    session = participant.session
    return _receipt(Erasure.What.MINUTES, _Student, session, rows, of=participant, since=since, until=until)


@transaction.atomic
def erase_session(session: ClassSession) -> Erasure:
    """Delete an ended session with everything that refers to it. Raises RefusedError while it is live, or gone."""
    return _receipt(Erasure.What.SESSION, _School, session, [erase_session_rows(session)])


@transaction.atomic
def purge_session(session: ClassSession) -> Erasure:
    """Delete who was there and everything that was recorded; the session stays, with its course, title and times.

    Raises RefusedError while it is live, where it was purged before, and where it is gone.
    """
    return _receipt(Erasure.What.RECORDS, _School, session, purge_rows(session))


def purge_rows(session: ClassSession) -> list[Mapping[str, int]]:
    """The work of `purge_session`, as `erase_rows`."""
    if _lock_ended(session).purged_at:
        raise RefusedError("This session was purged before.")
    answers = signals.session_purged.send(ClassSession, session=session)
    parts = [session.markers.all().delete(), session.participants.all().delete()]
    ClassSession.objects.filter(pk=session.pk).update(purged_at=Now())
    session.refresh_from_db(fields=["purged_at"])
    return [*_counts(answers), *(_names(rows) for _total, rows in parts)]


def expire(session: ClassSession) -> Erasure:
    """A session that was kept long enough goes. Raises RefusedError where somebody else was quicker."""
    receipt = expire_some(session, math.inf)
    assert receipt is not None
    return receipt


def expire_some(session: ClassSession, seconds: float) -> Erasure | None:
    """As `expire`, for about so long; None: some of it is left.

    A large session goes in slices, each in a transaction of its own, so that a run that is stopped, or killed, loses
    one slice and not hours of work. With the first one the session counts as purged: pages show no half of it.
    """
    until = time.monotonic() + seconds
    while _thin(session):
        if time.monotonic() >= until:
            return None
    return _expire_rest(session)


@transaction.atomic
def _thin(session: ClassSession) -> bool:
    """Whether a slice went. Nothing does where the rest is small enough to go at once."""
    locked = _lock_ended(session)
    rows = _sum(_counts(signals.session_thinned.send(ClassSession, session=session))) or _delete_some_people(locked)
    if not rows:
        return False
    if not locked.purged_at:
        ClassSession.objects.filter(pk=session.pk).update(purged_at=Now())
    _note(Erasure.What.RECORDS, session, rows)
    return True


def _delete_some_people(session: ClassSession) -> dict[str, int]:
    """Of one whose slices are gone. With the commit Postgres looks, for everybody who goes, through the remains of
    their readings: many seconds for fifty students at once."""
    people = list(session.participants.order_by("pk").values_list("pk", flat=True)[: PEOPLE_AT_ONCE + 1])
    if not session.purged_at or len(people) <= PEOPLE_AT_ONCE:
        return {}
    _total, rows = Participant.objects.filter(pk__in=people[:PEOPLE_AT_ONCE]).delete()
    return _names(rows)


@transaction.atomic
def _expire_rest(session: ClassSession) -> Erasure:
    receipt = _note(Erasure.What.SESSION, session, erase_session_rows(session))
    log.info("session %s was kept long enough: receipt %s", session.public_id, receipt.public_id)
    return receipt


def _note(what: str, session: ClassSession, rows: Mapping[str, int]) -> Erasure:
    """The one receipt of a session that expires: it grows with each slice, in the slice's own transaction, so that
    it is right whenever a run is killed. The caller holds the session's row."""
    number = _number(session)
    receipt = Erasure.objects.filter(public_id=number).first()
    if receipt is None:
        return _receipt(what, _Expired, session, [rows], public_id=number)
    receipt.what, receipt.at, receipt.rows = what, timezone.now(), _sum([receipt.rows, rows])
    receipt.save(update_fields=["what", "at", "rows"])
    return receipt


def _number(session: ClassSession) -> UUID:
    """How the next slice finds the receipt, which refers to no row. Nobody without the key can tell the session."""
    digest = salted_hmac("classroom.actions.erasing", session.public_id.hex, algorithm="sha256").digest()
    return UUID(bytes=digest[:16], version=4)


def erase_session_rows(session: ClassSession) -> dict[str, int]:
    """An ended session with everything that refers to it; returns how many rows, by model."""
    _lock_ended(session)
    # By query: the caller's instance keeps its key.
    _total, rows = ClassSession.objects.filter(pk=session.pk).delete()
    return _names(rows)


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


def _sum(rows: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for each in rows:
        total.update(each)
    return {name: count for name, count in sorted(total.items()) if count}


def _receipt(
    what: str,
    why: str,
    session: ClassSession,
    rows: Iterable[Mapping[str, int]],
    of: Participant | None = None,
    **values: Any,
) -> Erasure:
    """`of`: whom it tells of, where that is not the whole session."""
    receipt = Erasure(
        what=what,
        why=why,
        course=session.course.title,
        session_started_at=session.started_at,
        rows=_sum(rows),
        **values,
    )
    receipt.trace = trace(receipt.public_id, (of or session).public_id)
    receipt.save()
    return receipt
