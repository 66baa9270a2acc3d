"""What an instructor does to what the live page says. The dashboard sends these from a script."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST
from redis.exceptions import RedisError

from classroom import access
from classroom.views.answers import closed, done, instructors_only
from emotions.mood import dismissals

AWAY = "A part of the server is away for a moment. Nothing was changed; try again."


@require_POST
@instructors_only
def dismiss(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """POST participant=<uuid>: the teacher has seen why they may need them. A new reason brings the name back."""
    session = access.session_for_instructor(request.user, public_id)
    participant = access.participant_in(session, request.POST.get("participant", ""))
    try:
        dismissals.dismiss(session.pk, participant.pk)
    except RedisError:
        return closed(request, 503, "Try again", AWAY)
    return done(request, reverse("dashboard", args=[public_id]), participant=str(participant.public_id))
