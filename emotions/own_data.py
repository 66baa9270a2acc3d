"""A student's own page of what is recorded about them, and all of it as a file. The session's cookie says who."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from classroom import consent
from classroom.actions import LONGEST_MINUTES
from classroom.models import Participant
from classroom.throttle import DOWNLOADS
from classroom.views import answers
from classroom.views.student import cookie_holders_only
from emotions.reports import own, own_page

TOO_OFTEN = "You have downloaded this twenty times within ten minutes. Wait ten minutes, then try again."


@require_safe
@cookie_holders_only
def own_data(request: HttpRequest, participant: Participant) -> HttpResponse:
    """Also when the session has ended, and for one who was removed."""
    context = {
        "session": participant.session,
        "participant": participant,
        "recorded": own.recorded(participant),
        "own": own_page.build(participant),
        "has_camera": _has_camera(participant),
        "stays": own.STAYS,
        "longest_minutes": LONGEST_MINUTES,
    }
    return render(request, "emotions/own_data.html", context)


def _has_camera(participant: Participant) -> bool:
    """Whether their page of the session takes a camera."""
    return participant.scope != Participant.Scope.NONE and not consent.inference_refusal(participant.session)


@require_safe
@cookie_holders_only
def own_export(request: HttpRequest, participant: Participant) -> HttpResponseBase:
    """Everything, as one JSON file, in a stream; not again and again within minutes, though."""
    who = str(participant.public_id)
    if not DOWNLOADS.count(who):
        back = answers.own_data(participant.session)
        return answers.closed(request, 429, "Wait a while", TOO_OFTEN, back)
    response = StreamingHttpResponse(own.file(participant), content_type="application/json")
    response.headers["Content-Disposition"] = 'attachment; filename="roomtone-my-data.json"'
    return response
