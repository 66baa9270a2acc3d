"""What an instructor does to a running session. The dashboard sends these from a script; without one, forms do."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any, cast
from urllib.parse import urlsplit
from uuid import UUID

import segno
from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from classroom import access, actions, codes
from classroom.errors import NotPresentError
from classroom.models import ClassSession, Marker, Participant
from classroom.text import distinct_names
from classroom.views.answers import done, instructors_only, refusals_to

LONGEST_AGO_MS = 600_000


def join_url(request: HttpRequest, session: ClassSession) -> str:
    """The absolute address that students open: PUBLIC_URL's, or as this instructor reaches the server."""
    path = reverse("join_session", args=[session.join_code])
    return settings.PUBLIC_URL + path if settings.PUBLIC_URL else request.build_absolute_uri(path)


def typed_address(url: str) -> str:
    """As short as a student may type it: a browser finds https by itself, but not on a port of its own."""
    scheme, host = urlsplit(url)[:2]
    return f"{scheme}://{host}" if scheme == "https" and ":" in host else host


@require_POST
@instructors_only
@refusals_to("dashboard")
def lock_session(request: HttpRequest, public_id: UUID) -> HttpResponse:
    return _control(request, public_id, actions.lock_joining)


@require_POST
@instructors_only
@refusals_to("dashboard")
def unlock_session(request: HttpRequest, public_id: UUID) -> HttpResponse:
    return _control(request, public_id, actions.unlock_joining)


@require_POST
@instructors_only
@refusals_to("dashboard")
def renew_code(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The old code stops working at once; who is in stays in."""
    return _control(request, public_id, actions.renew_code)


@require_POST
@instructors_only
@refusals_to("dashboard")
def end_session(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """For good. On to the report."""
    session = access.session_for_instructor(request.user, public_id)
    actions.end_session(session)
    return done(request, reverse("report", args=[public_id]), session=session_facts(request, session))


@require_POST
@instructors_only
def remove_participant(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """POST participant=<uuid>."""
    session = access.session_for_instructor(request.user, public_id)
    participant = access.participant_in(session, request.POST.get("participant", ""))
    with suppress(NotPresentError):  # who is erased meanwhile is gone, as who has left
        actions.remove_participant(participant, by=cast(User, request.user))
    return done(request, reverse("dashboard", args=[public_id]), participant=str(participant.public_id))


@never_cache
@require_safe
@instructors_only
def people(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Everybody who has neither left nor been removed, by name, whatever they share, and when they were connected
    last: a closed tab is no "leave". Nothing of what was measured."""
    session = access.session_for_instructor(request.user, public_id)
    everybody = list(session.participants.students().order_by("display_name", "joined_at", "pk"))
    names = distinct_names([one.display_name for one in everybody])
    here = [
        (one, name)
        for one, name in zip(everybody, names, strict=True)
        if one.left_at is None and one.removed_at is None
    ]
    here.sort(key=lambda pair: pair[0].display_name.casefold())
    return JsonResponse({"ok": True, "people": [_person_facts(one, name) for one, name in here]})


def _person_facts(participant: Participant, name: str) -> dict[str, Any]:
    """`seen_ms`: None for one whose page has not connected yet; coarse (emotions.mood.ticker notes it)."""
    joined, seen = participant.joined_at, participant.last_seen_at
    return {
        "id": str(participant.public_id),
        "name": name,
        "joined_ms": joined.timestamp() * 1000,
        "seen_ms": seen.timestamp() * 1000 if seen else None,
    }


@require_POST
@instructors_only
def lower_hand(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """POST participant=<uuid>: the teacher has seen it."""
    session = access.session_for_instructor(request.user, public_id)
    participant = access.participant_in(session, request.POST.get("participant", ""))
    with suppress(NotPresentError):  # as above
        actions.lower_hand(participant)
    return done(request, reverse("dashboard", args=[public_id]), participant=str(participant.public_id))


@require_POST
@instructors_only
@refusals_to("dashboard")
def add_marker(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """POST label=<words, or none>, and ago_ms=<how long ago the moment was, ten minutes at most>."""
    session = access.session_for_instructor(request.user, public_id)
    label = request.POST.get("label", "").strip() or f"Moment {session.markers.count() + 1}"
    marker = actions.place_marker(session, label, _ago(request.POST.get("ago_ms", "")))
    return done(request, reverse("dashboard", args=[public_id]), marker=_marker_facts(marker))


def _ago(text: str) -> timedelta:
    """Nothing where it is no number of milliseconds."""
    known = text.isdecimal() and len(text) <= len(str(LONGEST_AGO_MS))
    return timedelta(milliseconds=min(int(text), LONGEST_AGO_MS) if known else 0)


@require_POST
@instructors_only
@refusals_to("dashboard")
def rename_marker(request: HttpRequest, public_id: UUID, pk: int) -> HttpResponse:
    """POST label=<words>."""
    marker = access.marker_in(access.session_for_instructor(request.user, public_id), pk)
    actions.rename_marker(marker, request.POST.get("label", ""))
    return done(request, reverse("dashboard", args=[public_id]), marker=_marker_facts(marker))


@require_POST
@instructors_only
def remove_marker(request: HttpRequest, public_id: UUID, pk: int) -> HttpResponse:
    marker = access.marker_in(access.session_for_instructor(request.user, public_id), pk)
    actions.remove_marker(marker)
    return done(request, reverse("dashboard", args=[public_id]), removed=pk)


def _marker_facts(marker: Marker) -> dict[str, Any]:
    return {"id": marker.pk, "label": marker.label, "at_ms": marker.at.timestamp() * 1000}


@require_safe
@instructors_only
def session_qr(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The join address as an SVG picture, dark on white on any page, so that every phone reads it."""
    session = access.session_for_instructor(request.user, public_id)
    picture = io.BytesIO()
    code = segno.make(join_url(request, session), error="m", micro=False)
    code.save(picture, kind="svg", scale=8, border=2, light="white", dark="black", xmldecl=False, omitsize=True)
    return HttpResponse(picture.getvalue(), content_type="image/svg+xml")


def session_facts(request: HttpRequest, session: ClassSession) -> dict[str, Any]:
    """What every control answers: the session as it stands now."""
    return {
        "join_code": session.join_code,
        "code_shown": codes.spaced(session.join_code),
        "join_path": reverse("join_session", args=[session.join_code]),
        "join_url": join_url(request, session),
        "joining_locked": session.joining_locked,
        "ended": not session.live,
    }


def _control(request: HttpRequest, public_id: UUID, action: Callable[[ClassSession], object]) -> HttpResponse:
    session = access.session_for_instructor(request.user, public_id)
    action(session)
    return done(request, reverse("dashboard", args=[public_id]), session=session_facts(request, session))
