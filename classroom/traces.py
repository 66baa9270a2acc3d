"""By what a receipt finds again whom it tells of, in a database restored from a copy of before the erasure.

A receipt names nobody and refers to no row. Whoever has the installation's key and a copy that still holds the person
can find that person anew, which is what the copy's owner needs; nobody else can.
"""

from __future__ import annotations

from uuid import UUID

from django.utils.crypto import salted_hmac

from classroom.models import ClassSession, Erasure, Participant


def trace(receipt: UUID, erased: UUID) -> str:
    """64 hexadecimal digits. The receipt's own number is part of it: that two receipts are of one student shows in
    nothing."""
    return salted_hmac("classroom.traces", f"{receipt.hex}:{erased.hex}", algorithm="sha256").hexdigest()


def tells_of(receipt: Erasure, session: ClassSession) -> bool:
    """Whether the receipt is of this session, whatever its course was called then."""
    return trace(receipt.public_id, session.public_id) == receipt.trace


def session_of(receipt: Erasure) -> ClassSession | None:
    """The session that the receipt tells of, where the database holds it."""
    sessions = ClassSession.objects.filter(started_at=receipt.session_started_at).select_related("course")
    return next((one for one in sessions if tells_of(receipt, one)), None)


def was_erased(session: ClassSession, public_id: UUID) -> bool:
    """Whether somebody of this session had this number, and is erased."""
    receipts = Erasure.objects.filter(session_started_at=session.started_at, what=Erasure.What.PARTICIPANT)
    traces = receipts.values_list("public_id", "trace")
    return any(trace(receipt, public_id) == told for receipt, told in traces)


def participant_of(receipt: Erasure) -> Participant | None:
    """As `session_of`, the participant."""
    people = Participant.objects.filter(session__started_at=receipt.session_started_at).select_related("session")
    return next((one for one in people if trace(receipt.public_id, one.public_id) == receipt.trace), None)
