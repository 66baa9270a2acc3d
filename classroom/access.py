"""How somebody reaches one course, session or participant: by a sign-in, a code that they typed, or their cookie.

Views and consumers ask here for the one that somebody names; lists of one's own come from `visible_to`
(classroom.managers). Nothing here tells a stranger whether an object exists: what may not be seen is not found. All
functions are synchronous; consumers call them in a thread (emotions.consumers.base.in_database).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID, uuid4

from django.conf import settings
from django.core import signing
from django.http import Http404, HttpResponse

from classroom import codes, logs
from classroom.managers import ClassSessionQuerySet
from classroom.models import ClassSession, Course, Marker, Participant

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser, User

# A school day: long enough for every lecture, short enough for a shared computer.
COOKIE_SECONDS = 12 * 60 * 60
_Row = TypeVar("_Row")
_signer = signing.TimestampSigner(salt="classroom.access.participant")
_ticket_signer = signing.TimestampSigner(salt="classroom.access.ticket")


# -- Instructors


def visible_session(user: User | AnonymousUser, public_id: UUID) -> ClassSession | None:
    """The session with its course, if it is one of this instructor's; for consumers."""
    return _with_course().visible_to(user).filter(public_id=public_id).first()


def session_for_instructor(user: User | AnonymousUser, public_id: UUID) -> ClassSession:
    """As `visible_session`; raises Http404 for a stranger and for another instructor."""
    return _found(visible_session(user, public_id))


def session_for_reader(user: User | AnonymousUser, public_id: UUID) -> ClassSession:
    """For pages that only report: the instructor's own sessions, and every session for a school admin."""
    sessions = _with_course() if reads_every_session(user) else _with_course().visible_to(user)
    return _found(sessions.filter(public_id=public_id).first())


def reads_every_session(user: User | AnonymousUser) -> bool:
    """Whether this is a school admin: staff with the permission to see every session, or a superuser."""
    return bool(user.is_authenticated and user.is_staff and user.has_perm("classroom.see_every_session"))


def course_for_instructor(user: User | AnonymousUser, public_id: UUID) -> Course:
    """Raises Http404 for a stranger and for another instructor."""
    return _found(Course.objects.visible_to(user).filter(public_id=public_id).first())


def participant_in(session: ClassSession, public_id: UUID | str) -> Participant:
    """A student of a session that the caller has settled access to; raises Http404, also for a text that is no id."""
    try:
        number = UUID(str(public_id))
    except ValueError:
        raise Http404 from None
    return _found(session.participants.students().filter(public_id=number).first())


def marker_in(session: ClassSession, pk: int) -> Marker:
    """A marker of a session that the caller has settled access to; raises Http404."""
    return _found(session.markers.filter(pk=pk).first())


def _with_course() -> ClassSessionQuerySet:
    return ClassSession.objects.select_related("course__instructor")


def _found(row: _Row | None) -> _Row:
    if row is None:
        raise Http404
    return row


# -- Students


def live_session_by_code(code: str) -> ClassSession | None:
    """`code` as typed: spaces, hyphens and lower case are forgiven."""
    return _with_course().live().filter(join_code=codes.normalise(code)).first()


def live_session_pk_by_code(code: str) -> int | None:
    """As `live_session_by_code`, but only which one: nothing is made of what is found, so that finding takes no
    longer than finding nothing."""
    found = ClassSession.objects.live().filter(join_code=codes.normalise(code))
    return found.values_list("pk", flat=True).first()


def new_ticket(session: ClassSession) -> str:
    """For one name form: however often it is sent, it makes one participant. It opens nothing to anybody else."""
    return _ticket_signer.sign(f"{session.public_id.hex}.{uuid4().hex}")


def ticket_number(session: ClassSession, ticket: str) -> UUID | None:
    """The number that the form's participant will have; None without a ticket of this session."""
    try:
        of, number = _ticket_signer.unsign(ticket, max_age=COOKIE_SECONDS).split(".")
        return UUID(hex=number) if of == session.public_id.hex else None
    except (signing.BadSignature, ValueError):
        return None


def cookie_name(session_public_id: UUID) -> str:
    return f"participant-{session_public_id.hex}"


def set_participant_cookie(response: HttpResponse, participant: Participant) -> None:
    """Let the browser be this participant for COOKIE_SECONDS."""
    response.set_cookie(
        cookie_name(participant.session.public_id),
        _signer.sign(participant.public_id.hex),
        max_age=COOKIE_SECONDS,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def delete_participant_cookie(response: HttpResponse, participant: Participant) -> None:
    response.delete_cookie(cookie_name(participant.session.public_id), samesite="Lax")


def cookie_holder(cookies: Mapping[str, str], session_public_id: UUID) -> Participant | None:
    """Whom the cookie names in this session, present or not: look at `left_at`, `removed_at`, `session.ended_at`.

    None for a missing, forged, expired or foreign cookie. The participant comes with its session and course.
    """
    try:
        value = _signer.unsign(cookies.get(cookie_name(session_public_id), ""), max_age=COOKIE_SECONDS)
        public_id = UUID(hex=value)
    except (signing.BadSignature, ValueError):
        return None
    participants = Participant.objects.students().select_related("session__course__instructor")
    holder = participants.filter(public_id=public_id, session__public_id=session_public_id).first()
    logs.participant.set(holder.pk if holder else None)
    return holder


def participant_from_cookies(cookies: Mapping[str, str], session_public_id: UUID) -> Participant | None:
    """As `cookie_holder`, but only someone who has neither left nor been removed."""
    participant = cookie_holder(cookies, session_public_id)
    if participant is None or participant.left_at or participant.removed_at:
        return None
    return participant
