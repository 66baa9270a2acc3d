"""Who may open which socket. A student's is settled when it opens: what changes later comes as messages, and what was
lost of them is found out (emotions.consumers.roll_call). What an
instructor may watch changes in places that tell nobody (a sign-out, the administration), so it is asked again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal, cast
from uuid import UUID

from django.conf import settings
from django.contrib.auth import get_user
from django.http import HttpRequest

from classroom import places, rooms
from classroom.access import cookie_holder, visible_session
from classroom.consent import inference_refusal, must_ask
from classroom.models import ClassSession, Participant
from emotions.messages import CloseCode, Place

Scope = Literal["none", "aggregate", "individual"]


@dataclass(frozen=True, slots=True)
class StudentAdmission:
    """`inference`: whether anything is measured at all in this deployment and session; `place`: where; `room`:
    whether a camera of the room is declared."""

    participant: Participant
    inference: bool
    place: Place
    room: bool = False

    @property
    def scope(self) -> Scope:
        return cast(Scope, self.participant.scope)


def admit_student(cookies: Mapping[str, str], session_public_id: UUID) -> StudentAdmission | CloseCode:
    """The participant whom the cookie names, or why the socket closes: OUTDATED for one who agreed to be measured
    under words that have changed since. Their page loads anew, and asks."""
    participant = cookie_holder(cookies, session_public_id)
    if participant is None:
        known = ClassSession.objects.filter(public_id=session_public_id).exists()
        return CloseCode.NOT_JOINED if known else CloseCode.NO_SUCH_SESSION
    if participant.removed_at:
        return CloseCode.REMOVED
    if participant.left_at:
        return CloseCode.WITHDRAWN
    if not participant.session.live:
        return CloseCode.SESSION_ENDED
    session = participant.session
    inference = not inference_refusal(session)
    if inference and participant.scope != Participant.Scope.NONE and must_ask(participant):
        return CloseCode.OUTDATED
    place = cast(Place, str(places.allowed(session)))
    room = settings.ROOM_CAMERAS and rooms.declared(session)
    return StudentAdmission(participant, inference=inference, place=place, room=room)


def admit_instructor(cookies: Mapping[str, str], session_public_id: UUID) -> ClassSession | CloseCode:
    """The owner's session, by what stands in the database now: whoever signed out, was locked, got a new password or
    lost the course is turned away. A stranger and another instructor learn nothing of it."""
    request = HttpRequest()
    sign_in = cookies.get(settings.SESSION_COOKIE_NAME)
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(sign_in)
    user: Any = get_user(request)
    if not user.is_authenticated:
        return CloseCode.NOT_JOINED
    return visible_session(user, session_public_id) or CloseCode.NO_SUCH_SESSION


def admit_room(cookies: Mapping[str, str], session_public_id: UUID) -> StudentAdmission | CloseCode:
    """As `admit_instructor`: the session's room camera, for the owner; WITHDRAWN where no declaration is in force."""
    session = admit_instructor(cookies, session_public_id)
    return session if isinstance(session, CloseCode) else _room_of(session)


def _room_of(session: ClassSession) -> StudentAdmission | CloseCode:
    if not session.live:
        return CloseCode.SESSION_ENDED
    camera = rooms.camera_of(session)
    if camera is None or not camera.measured or rooms.refusal(session):
        return CloseCode.WITHDRAWN
    return StudentAdmission(camera, inference=True, place="server")
