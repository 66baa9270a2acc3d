"""The room camera's page, the instructor's alone: they read the declaration, make it, and take it back."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from classroom import access, actions, rooms
from classroom.errors import RefusedError
from classroom.models import ClassSession, ConsentEvent, Participant
from classroom.views.answers import done, instructors_only, refusals_to

WIDTH, HEIGHT = 1280, 720
NOT_CONFIRMED = "Nothing was switched on: tick the box that says that all of it is so."


@require_safe
@instructors_only
def room(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The text, or the camera, or why there can be none."""
    session = access.session_for_instructor(request.user, public_id)
    if not session.live:
        return redirect("report", public_id)
    on = rooms.declared(session)
    context = {
        "session": session,
        "reason": rooms.refusal(session),
        "text": rooms.declaration(session),
        "given": _last(session) if on else None,
        "config": _config(session) if on else None,
    }
    return render(request, "classroom/room.html", context)


@require_POST
@instructors_only
@refusals_to("room")
def declare_room(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """POST text_hash=<sha256>&sure=yes."""
    session = access.session_for_instructor(request.user, public_id)
    if request.POST.get("sure") != "yes":
        raise RefusedError(NOT_CONFIRMED)
    actions.declare_room(session, cast(User, request.user), request.POST.get("text_hash", ""))
    return done(request, reverse("room", args=[public_id]), declared=rooms.declared(session))


@require_POST
@instructors_only
@refusals_to("room")
def withdraw_room(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """From now on nothing of the room is read."""
    session = access.session_for_instructor(request.user, public_id)
    actions.withdraw_room(session, cast(User, request.user))
    return done(request, reverse("room", args=[public_id]), declared=rooms.declared(session))


def _last(session: ClassSession) -> ConsentEvent | None:
    """The declaration in force."""
    events = ConsentEvent.objects.filter(participant__session=session, participant__kind=Participant.Kind.ROOM)
    return events.select_related("declared_by").order_by("-epoch").first()


def _config(session: ClassSession) -> dict[str, Any]:
    """What the page's script has to know; the socket's welcome brings the rest."""
    return {"ws_path": f"/ws/room/{session.public_id}/", "width": WIDTH, "height": HEIGHT}
