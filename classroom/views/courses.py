"""An instructor's courses, and the sessions of one course."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.db.models import Count, Max, Prefetch, Q
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from classroom import access, actions, consent, places, retention
from classroom.errors import AlreadyLiveError, RefusedError
from classroom.forms import AlertsForm, CourseForm, KeepForm, PlaceForm, StartSessionForm
from classroom.managers import CourseQuerySet
from classroom.models import ClassSession, Course, Participant
from classroom.views.answers import done, instructors_only, refusals_to, refused
from classroom.views.controls import join_url

SESSIONS_A_PAGE = 40
_STUDENTS = Count("participants", filter=Q(participants__kind=Participant.Kind.STUDENT))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def courses(request: HttpRequest) -> HttpResponse:
    """The instructor's own courses; POST makes one."""
    user = cast(User, request.user)
    form = CourseForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        made = Course.objects.create(instructor=user, title=form.cleaned_data["title"])
        return redirect("course", made.public_id)
    context = {"courses": _listed(user), "form": form}
    return render(request, "classroom/courses.html", context, status=400 if form.errors else 200)


@require_safe
@instructors_only
def course(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Every session of one course, newest first, and the way to start one."""
    own = access.course_for_instructor(request.user, public_id)
    return _course_page(request, own)


@require_POST
@instructors_only
def start_session(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """To the new session's dashboard; to the one that is live already, where there is one."""
    own = access.course_for_instructor(request.user, public_id)
    form = StartSessionForm(request.POST)
    if not form.is_valid():
        return _course_page(request, own, form, status=400)
    try:
        chosen = form.cleaned_data
        session = actions.start_session(own, chosen["mode"], chosen["title"], chosen["reading_place"])
    except AlreadyLiveError as error:
        return refused(request, error, reverse("dashboard", args=[error.session.public_id]))
    except RefusedError as error:
        return refused(request, error, reverse("course", args=[own.public_id]))
    return done(request, reverse("dashboard", args=[session.public_id]), session_id=str(session.public_id))


@require_POST
@instructors_only
@refusals_to("course")
def rename_course(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """POST title=<words>."""
    own = access.course_for_instructor(request.user, public_id)
    actions.rename_course(own, request.POST.get("title", ""))
    return done(request, reverse("course", args=[public_id]), title=own.title)


@require_POST
@instructors_only
@refusals_to("report")
def rename_session(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """POST title=<words, or none>. Back to the report, where it is offered."""
    session = access.session_for_instructor(request.user, public_id)
    actions.rename_session(session, request.POST.get("title", ""))
    return done(request, reverse("report", args=[public_id]), title=session.title)


@require_POST
@instructors_only
def set_alerts(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """POST alerts=<off|few|normal|many>; a running session follows with the next second."""
    return _set(request, public_id, AlertsForm(request.POST), "The alerts are set.")


@require_POST
@instructors_only
def set_reading_place(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """POST reading_place=<choice|server|device>: with which the course's next sessions begin."""
    return _set(request, public_id, PlaceForm(request.POST), "The next session begins with it.")


def _set(request: HttpRequest, public_id: UUID, form: Form, said: str) -> HttpResponse:
    """Each field of `form` is a field of the course."""
    own = access.course_for_instructor(request.user, public_id)
    if not form.is_valid():
        return _course_page(request, own, status=400)
    for name, value in form.cleaned_data.items():
        setattr(own, name, value)
    own.save(update_fields=list(form.cleaned_data))
    messages.success(request, said)
    return done(request, reverse("course", args=[own.public_id]), **form.cleaned_data)


@require_POST
@instructors_only
def set_keeping(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """POST keep_days=<number or nothing>, and sure=yes where sessions would be deleted at once."""
    own = access.course_for_instructor(request.user, public_id)
    form = KeepForm(request.POST)
    if not form.is_valid():
        return _course_page(request, own, status=400, keep_form=form)
    days = form.cleaned_data["keep_days"]
    affected = retention.expiring(own, days)
    if affected and request.POST.get("sure") != "yes":
        form.add_error("keep_days", f"{affected} session{'s' if affected > 1 else ''} ended longer ago than that.")
        return _course_page(request, own, status=409, keep_form=form, keep_affects=affected)
    own.keep_days = days
    own.save(update_fields=["keep_days"])
    messages.success(request, "Set. Sessions from now on promise it to their students.")
    return done(request, reverse("course", args=[own.public_id]), keep_days=days)


def _listed(user: User) -> CourseQuerySet:
    """With `session_count`, `last_started` and `live_sessions` (at most one): two queries for any number."""
    live = Prefetch("sessions", ClassSession.objects.live(), to_attr="live_sessions")
    counts = {"session_count": Count("sessions"), "last_started": Max("sessions__started_at")}
    return Course.objects.visible_to(user).annotate(**counts).prefetch_related(live).order_by("title", "pk")


def _course_page(
    request: HttpRequest, course: Course, form: StartSessionForm | None = None, *, status: int = 200, **more: Any
) -> HttpResponse:
    """`form`: a start that was refused; without it, one that begins with the course's own setting."""
    # Explicit: a query that counts does not follow the model's own order.
    sessions = course.sessions.annotate(participant_count=_STUDENTS).order_by("-started_at", "-pk")
    page = Paginator(sessions, SESSIONS_A_PAGE).get_page(request.GET.get("page"))
    live = course.sessions.live().first()
    context = {
        "course": course,
        "page": page,
        "live": live,
        "join_url": join_url(request, live) if live else "",
        "form": form or StartSessionForm(initial={"reading_place": course.reading_place}),
        "alerts_form": AlertsForm({"alerts": course.alerts}),
        "place_form": PlaceForm({"reading_place": course.reading_place}, auto_id="place_%s")
        if places.can_choose()
        else None,
        "refused_modes": [(mode.label, reason) for mode, reason in consent.mode_refusals().items() if reason],
        "keep_form": KeepForm({"keep_days": course.keep_days}),
        "keep_default": settings.RETENTION_DAYS,
    } | more
    return render(request, "classroom/course.html", context, status=status)
