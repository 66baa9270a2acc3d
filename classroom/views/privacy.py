"""What becomes of data: the page that says so, erasure by the student, and the receipt of an erasure."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from classroom import access, actions
from classroom.errors import RefusedError
from classroom.models import Erasure, Participant
from classroom.retention import own_lines
from classroom.throttle import ERASURES
from classroom.views.answers import done, refused
from classroom.views.student import cookie_holders_only

NO_MINUTES = f"Type a number of minutes from 1 to {actions.LONGEST_MINUTES}."
TOO_MANY = "That was often within ten minutes. Wait a while, or erase everything: that always works."
NOT_SURE = "Nothing was erased: tick the box that says you are sure."


@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    """How data is treated here, for anybody."""
    return render(
        request,
        "classroom/privacy.html",
        {
            "retention_days": settings.RETENTION_DAYS,
            "room_cameras": settings.ROOM_CAMERAS and settings.PROFILE.inference,
        },
    )


@require_POST
@cookie_holders_only
def erase(request: HttpRequest, participant: Participant) -> HttpResponse:
    """POST minutes=<number>, or everything=yes. To the receipt."""
    to = reverse("own_data", args=[participant.session.public_id])
    try:
        receipt = _erased(request, participant)
    except RefusedError as error:
        return refused(request, error, to)
    everything = receipt.what == Erasure.What.PARTICIPANT
    back = "" if everything else f"?back={participant.session.public_id}"
    response = done(request, reverse("receipt", args=[receipt.public_id]) + back, receipt=str(receipt.public_id))
    if everything:
        access.delete_participant_cookie(response, participant)
    return response


def _erased(request: HttpRequest, participant: Participant) -> Erasure:
    if "everything" in request.POST:
        if request.POST["everything"] != "yes":
            raise RefusedError(NOT_SURE)
        return actions.erase(participant, Erasure.Why.STUDENT)
    minutes = request.POST.get("minutes", "")
    if not (minutes.isascii() and minutes.isdigit() and len(minutes) < 6):
        raise RefusedError(NO_MINUTES)
    return _last_erased(participant, int(minutes))


def _last_erased(participant: Participant, minutes: int) -> Erasure:
    who = str(participant.public_id)
    if not ERASURES.count(who):
        raise RefusedError(TOO_MANY)
    try:
        return actions.erase_last(participant, minutes)
    except Exception:
        ERASURES.take_back(who)
        raise


@never_cache
@require_safe
def receipt(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Whoever has its number may read it: it names nobody. ?back= is the session whose class goes on."""
    shown = _receipt(public_id)
    context = {"receipt": shown, "lines": own_lines(shown), "back": _session_page(request.GET.get("back", ""))}
    return render(request, "classroom/receipt.html", context)


def _session_page(public_id: str) -> str:
    """The address of the student's own page; "" for what is no session's number."""
    try:
        return reverse("student", args=[UUID(public_id)])
    except ValueError:
        return ""


@never_cache
@require_safe
def receipt_file(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """As JSON, to keep."""
    shown = _receipt(public_id)
    response = JsonResponse(
        {
            "receipt": shown.public_id,
            "at": shown.at,
            "erased": shown.get_what_display(),
            "why": shown.get_why_display(),
            "course": shown.course,
            "session_started_at": shown.session_started_at,
            "from": shown.since,
            "to": shown.until,
            "rows": dict(own_lines(shown)),
        },
        json_dumps_params={"ensure_ascii": False, "indent": 1},
    )
    response.headers["Content-Disposition"] = f'attachment; filename="roomtone-receipt-{shown.public_id}.json"'
    return response


def _receipt(public_id: UUID) -> Erasure:
    found = Erasure.objects.filter(public_id=public_id).first()
    if found is None:
        raise Http404
    return found
