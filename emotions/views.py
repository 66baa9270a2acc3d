"""Pages that show readings: the live dashboard, the report, its exports, and /try/."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from classroom import access, places, zone
from classroom.consent import inference_refusal
from classroom.errors import RefusedError
from classroom.models import CheckIn, ClassSession
from classroom.throttle import NETWORKS, client_address
from classroom.views.answers import done, instructors_only, refused
from classroom.views.controls import session_facts, typed_address
from emotions import tasks
from emotions.messages import SPARK_LENGTH, TILE_FIELDS
from emotions.mood.cohort import THERE_FOR
from emotions.mood.estimate import HALF_LIFE_SECONDS
from emotions.reports import charts, counting, exports, html_file, page, selectors, student_page, wording, workbook

# The bars of the present mood: pleasant first, the rare ones last.
BAR_ORDER = ["happy", "surprise", "neutral", "sad", "fear", "angry", "disgust"]


@never_cache
@require_safe
@instructors_only
def dashboard(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The live class. An ended session has its report instead."""
    session = access.session_for_instructor(request.user, public_id)
    if not session.live:
        return redirect("report", public_id)
    # The code is on this screen: whoever sits behind the same address may type it as often as they mistype it.
    NETWORKS.note(session.pk, client_address(request))
    data = dashboard_data(request, session)
    latest, measuring = data["latest"], data["measuring"]
    context = {
        "session": session,
        "page": data,
        "facts": data["session"],
        "typed_address": typed_address(data["session"]["join_url"]),
        "sentence": wording.sentence(latest, measuring=measuring) if latest else "",
        "coverage": wording.coverage(latest, measuring=measuring) if latest else [],
        "empty": not data["joined"],
        "words": CheckIn.Word.choices,
        "bar_order": BAR_ORDER,
        "half_life": HALF_LIFE_SECONDS,
        "steady_seconds": wording.RULES["steady_ms"] // 1000,
        "room_cameras": settings.ROOM_CAMERAS,
    }
    return render(request, "emotions/dashboard.html", context)


def dashboard_data(request: HttpRequest, session: ClassSession) -> dict[str, Any]:
    """What dashboard.js starts from; the socket brings the rest."""
    marked, newest = selectors.markers(session), selectors.latest_point(session)
    latest = newest.as_message().model_dump() if newest else None
    facts = session_facts(request, session) | {"started_ms": selectors.milliseconds(session.started_at)}
    return {
        "session": facts,
        "now_ms": time.time() * 1000,
        "measuring": not inference_refusal(session),
        "latest": latest,
        # Before the first point nobody has been there; of those who have left, their rows are.
        "joined": latest is not None and (latest["joined"] > 0 or session.participants.students().exists()),
        "markers": [{"id": marker.id, "label": marker.label, "at_ms": marker.at_ms} for marker in marked],
        "tile_fields": TILE_FIELDS,
        "spark_length": SPARK_LENGTH,
        "there_for_ms": THERE_FOR.total_seconds() * 1000,
        "rules": wording.RULES,
        "style": charts.style(),
        "bar_order": BAR_ORDER,
        "offset_ms": zone.offset_ms(session.started_at),
        "urls": {
            "socket": f"/ws/dashboard/{session.public_id}/",
            "qr": reverse("session_qr", args=[session.public_id]),
            "report": reverse("report", args=[session.public_id]),
            "people": reverse("people", args=[session.public_id]),
        },
    }


@never_cache
@require_safe
@instructors_only
def report(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """For the instructor and the school's admin; of a live session, so far."""
    session = access.session_for_reader(request.user, public_id)
    context = {
        "report": page.build(session),
        "session": session,
        "own": session.course.instructor_id == request.user.pk,
        "words": CheckIn.Word.choices,
        "separators": exports.DIALECTS,
    }
    return render(request, "emotions/report.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@instructors_only
def report_counting(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """How far the counting of a session's minutes is. POST begins it: it can be done at any time, and changes nothing
    that was right."""
    session = access.session_for_reader(request.user, public_id)
    to = reverse("report", args=[public_id])
    try:
        if request.method == "POST":
            tasks.count_again(session)
        return done(request, to, **counting.progress(session))
    except RefusedError as error:
        return refused(request, error, to)


@never_cache
@require_safe
@instructors_only
def student_report(request: HttpRequest, public_id: UUID, student_id: UUID) -> HttpResponse:
    """One student who shares individually. Of anybody else there is no such page."""
    session = _recorded_session(request, public_id)
    access.participant_in(session, student_id)
    shown = student_page.build(session, student_id)
    if shown is None:
        raise Http404
    return render(request, "emotions/report_student.html", {"session": session, "page": shown})


@never_cache
@require_safe
@instructors_only
def report_csv(request: HttpRequest, public_id: UUID) -> HttpResponseBase:
    """The class mood minute by minute. ?sep=comma|semicolon|tab"""
    session = _recorded_session(request, public_id)
    lines = exports.minutes(session, _dialect(request))
    return _attachment(HttpResponse("".join(lines), content_type=_CSV), session, "minutes")


@never_cache
@require_safe
@instructors_only
def events_csv(request: HttpRequest, public_id: UUID) -> HttpResponseBase:
    """Every reading of the students who share individually, as a stream. ?sep=comma|semicolon|tab"""
    session = _recorded_session(request, public_id)
    rows: AsyncIterator[str] | Iterator[str] = exports.events(session, _dialect(request))
    return _attachment(StreamingHttpResponse(rows, content_type=_CSV), session, "readings")


@never_cache
@require_safe
@instructors_only
def report_xlsx(request: HttpRequest, public_id: UUID) -> HttpResponseBase:
    """Every table of the report, a sheet each."""
    session = _recorded_session(request, public_id)
    return _attachment(HttpResponse(workbook.workbook(session), content_type=_XLSX), session, "report", "xlsx")


@never_cache
@require_safe
@instructors_only
def report_html(request: HttpRequest, public_id: UUID) -> HttpResponseBase:
    """The report as one file to keep, which needs nothing else."""
    session = _recorded_session(request, public_id)
    return _attachment(HttpResponse(html_file.html_file(session)), session, "report", "html")


def _recorded_session(request: HttpRequest, public_id: UUID) -> ClassSession:
    """Raises Http404 as `access` does, and for one that was purged, or of which a part is deleted: it has no report,
    and half of one would look like a whole."""
    session = access.session_for_reader(request.user, public_id)
    if session.purged_at:
        raise Http404("What was recorded in this session was purged.")
    return session


_CSV = "text/csv; charset=utf-8"
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def _dialect(request: HttpRequest) -> exports.Dialect:
    try:
        return exports.DIALECTS[request.GET.get("sep", "comma")]
    except KeyError:
        raise Http404("sep is one of comma, semicolon, tab") from None


def _attachment(response: HttpResponseBase, session: ClassSession, what: str, kind: str = "csv") -> HttpResponseBase:
    day = timezone.localtime(session.started_at).strftime("%Y-%m-%d")
    name = f"{slugify(session.course.title) or 'session'}-{day}-{what}.{kind}"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@never_cache
@require_safe
def try_page(request: HttpRequest) -> HttpResponse:
    """Anybody's own camera, nothing stored; where a setting leaves it open."""
    device, rule = places.for_browsers(), settings.READING_PLACE
    if not settings.TRY_PAGE_OPEN or (rule == "device" and device is None):
        raise Http404
    config = {"device": device, "place": rule if device else "server"}
    return render(request, "emotions/try.html", {"socket": "/ws/try/", "config": config})
