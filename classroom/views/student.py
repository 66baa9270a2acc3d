"""A student's own pages. The signed cookie of the session says who asks; there is no account."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from classroom import access, actions, places, rooms, zone
from classroom import consent as consents
from classroom.models import CheckIn, Participant
from classroom.text import person_name
from classroom.throttle import ANSWERS
from classroom.views.answers import closed, done, ended, own_data, refusals_to, wants_json

REMOVED = "Your instructor has removed you from this session. Speak to them if you think that it is a mistake."
NOT_JOINED = "You are not in this session in this browser. Type the code to join."
LEFT = (
    "You have left the session. Nothing more is measured. What is recorded about you, only your school can show or "
    "erase now."
)
TOO_OFTEN = (
    "You have changed your answer very often within ten minutes, so this one was not taken: what you chose before "
    "counts. Wait a while. To take part without a camera is possible at any time."
)

Page = Callable[[HttpRequest, Participant], HttpResponseBase]


def participants_only(page: Page) -> Callable[[HttpRequest, UUID], HttpResponseBase]:
    """Turn the address's session and the cookie into a participant who is present; everybody else is told why not."""

    @wraps(page)
    def guarded(request: HttpRequest, public_id: UUID) -> HttpResponseBase:
        holder = access.cookie_holder(request.COOKIES, public_id)
        if holder is None or holder.left_at:
            return _not_joined(request)
        if holder.removed_at:
            return closed(request, 403, "You were removed", REMOVED, own_data(holder.session))
        return page(request, holder)

    return never_cache(guarded)


def cookie_holders_only(page: Page) -> Callable[[HttpRequest, UUID], HttpResponseBase]:
    """As `participants_only`, for what is a student's own whatever became of them: also for one who was removed. Who
    left gave the browser to the next person."""

    @wraps(page)
    def guarded(request: HttpRequest, public_id: UUID) -> HttpResponseBase:
        holder = access.cookie_holder(request.COOKIES, public_id)
        return _not_joined(request) if holder is None or holder.left_at else page(request, holder)

    return never_cache(guarded)


@require_safe
@participants_only
def student(request: HttpRequest, participant: Participant) -> HttpResponse:
    """The camera page. Nobody sees it before they have answered the text as it stands now."""
    session = participant.session
    if not session.live:
        return ended(request, session, own=True)
    if consents.must_ask(participant):
        return redirect("consent", session.public_id)
    context = _context(participant) | {
        "camera_config": camera_config(participant),
        "check_in_words": CheckIn.Word.choices,
        "room_camera": settings.ROOM_CAMERAS and rooms.declared(session),
    }
    return render(request, "classroom/student.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@refusals_to("student")
@participants_only
def consent(request: HttpRequest, participant: Participant) -> HttpResponse:
    """What is measured, and the answer to it."""
    session = participant.session
    if not session.live:
        return ended(request, session, own=True)
    if request.method != "POST":
        return _consent_page(request, participant, "", 200)
    if request.POST.get("text_hash") != consents.text_for(session).sha256:
        return _consent_page(request, participant, "The text has changed since you opened this page.", 409)
    return _answer(request, participant)


@require_POST
@refusals_to("student")
@cookie_holders_only
def withdraw(request: HttpRequest, participant: Participant) -> HttpResponse:
    """From now on nothing is measured; the student stays in the session. Possible after its end, too, and for one who
    was removed."""
    actions.withdraw(participant)
    there = participant.session.live and not participant.removed_at
    to = reverse("student" if there else "own_data", args=[participant.session.public_id])
    return done(request, to, **_state(participant))


@require_POST
@refusals_to("student")
@participants_only
def leave(request: HttpRequest, participant: Participant) -> HttpResponse:
    """Go, and let the next person at this computer be someone else."""
    actions.leave(participant)
    if not wants_json(request):
        messages.info(request, LEFT)
    response = done(request, reverse("home"))
    access.delete_participant_cookie(response, participant)
    return response


def camera_config(participant: Participant) -> dict[str, Any]:
    """What the camera page and its script have to know. The socket's welcome repeats what may change meanwhile."""
    session = participant.session
    reason = consents.inference_refusal(session)
    return {
        "participant_id": str(participant.public_id),
        "ws_path": f"/ws/camera/{session.public_id}/",
        **_state(participant),
        "inference": not reason,
        "reason": reason,
        "interval_ms": settings.SAMPLE_INTERVAL_MS,
        "offset_ms": zone.offset_ms(session.started_at),
        "place": places.allowed(session),
        "device": None if reason else places.for_browsers(),
        "urls": {"home": reverse("home")},
    }


def _state(participant: Participant) -> dict[str, Any]:
    return {"scope": str(participant.scope), "consent_epoch": participant.consent_epoch}


def _context(participant: Participant) -> dict[str, Any]:
    session = participant.session
    return {
        "session": session,
        "participant": participant,
        "course": session.course,
        "instructor_name": person_name(session.course.instructor),
        "consent": consents.text_for(session),
    }


def _consent_page(request: HttpRequest, participant: Participant, notice: str, status: int) -> HttpResponse:
    if wants_json(request) and notice:
        return closed(request, status, "", notice)
    reason = consents.inference_refusal(participant.session)
    context = _context(participant) | {
        "inference_allowed": not reason,
        "reason": reason,
        "asked_again": participant.consent_epoch > 0 and consents.must_ask(participant),
        "notice": notice,
    }
    return render(request, "classroom/consent.html", context, status=status)


def _answer(request: HttpRequest, participant: Participant) -> HttpResponse:
    """Only what the text offers can be chosen. A yes may come too often, a no never does."""
    text, scope = consents.text_for(participant.session), request.POST.get("scope", "")
    if scope not in {choice.scope for choice in text.choices}:
        return _consent_page(request, participant, "Choose one of the answers.", 400)
    who, before = str(participant.public_id), participant.consent_epoch
    counted = ANSWERS.count(who)
    if scope != Participant.Scope.NONE and not counted:
        return _consent_page(request, participant, TOO_OFTEN, 429)
    try:
        actions.record_consent(participant, scope, text.sha256)
    finally:
        if counted and participant.consent_epoch == before:
            ANSWERS.take_back(who)
    return done(request, reverse("student", args=[participant.session.public_id]), **_state(participant))


def _not_joined(request: HttpRequest) -> HttpResponse:
    if wants_json(request):
        return closed(request, 401, "", NOT_JOINED)
    messages.info(request, NOT_JOINED)
    return redirect("join")
