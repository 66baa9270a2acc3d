"""A student's own page of what is recorded about them, and all of it as a file. The session's cookie says who."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from classroom.actions import LONGEST_MINUTES
from classroom.models import Participant
from classroom.views.student import cookie_holders_only
from emotions.reports import own


@require_safe
@cookie_holders_only
def own_data(request: HttpRequest, participant: Participant) -> HttpResponse:
    """Also when the session has ended, and for one who was removed."""
    context = {
        "session": participant.session,
        "participant": participant,
        "recorded": own.recorded(participant),
        "stays": own.STAYS,
        "longest_minutes": LONGEST_MINUTES,
    }
    return render(request, "emotions/own_data.html", context)


@require_safe
@cookie_holders_only
def own_export(request: HttpRequest, participant: Participant) -> HttpResponse:
    """Everything, as one JSON file."""
    response = JsonResponse(own.export(participant), json_dumps_params={"ensure_ascii": False, "indent": 1})
    response.headers["Content-Disposition"] = 'attachment; filename="roomtone-my-data.json"'
    return response
