"""The way in: code, name, cookie. Nobody signs in here."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from classroom import access, actions
from classroom.errors import JoiningLockedError, RefusedError, SessionEndedError
from classroom.forms import JoinCodeForm, NameForm
from classroom.models import ClassSession
from classroom.text import person_name
from classroom.throttle import JOIN_CODES, JOINS, NETWORKS, client_address
from classroom.views.answers import closed, done, ended, wants_json

NO_SUCH_CODE = (
    "No class is open under this code now. It may not have begun, may be over, or may have a new code: look at your "
    "instructor's screen."
)
TOO_MANY = "Too many wrong codes came from your network. Check yours, wait a few seconds, then try again."
CROWDED = "Very many have joined from your network just now. Wait a few minutes, or tell your instructor."


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    return render(request, "classroom/home.html", {"form": JoinCodeForm()})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest) -> HttpResponse:
    """POST code -> the session's own page. GET ?code= does the same, so that a link may carry it."""
    typed = request.POST if request.method == "POST" else request.GET
    if "code" not in typed:
        return _code_page(request, JoinCodeForm(), 200)
    form = JoinCodeForm(typed)
    if not form.is_valid():
        return _code_page(request, form, 400)
    session, problem = _look_up(request, form.cleaned_data["code"])
    if session is None:
        form.add_error("code", problem)
        return _code_page(request, form, _status(problem))
    return done(request, reverse("join_session", args=[session.join_code]))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def join_session(request: HttpRequest, code: str) -> HttpResponse:
    """The name. Whoever is in the session already goes on to their own page: a reload is the same student."""
    session, problem = _look_up(request, code)
    if session is None:
        title = "Wait a moment" if problem == TOO_MANY else "This class is not open now"
        return closed(
            request, _status(problem), title, problem, ("Try again", request.path), ("Type a code", reverse("home"))
        )
    if access.participant_from_cookies(request.COOKIES, session.public_id):
        return redirect("student", session.public_id)
    if session.joining_locked:
        return _locked(request)
    form = NameForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        return _enter(request, session, form)
    return _name_page(request, session, form, 400 if form.errors else 200)


def _look_up(request: HttpRequest, code: str) -> tuple[ClassSession | None, str]:
    """The live session of this code, or why there is none. Only wrong codes are counted; once a network has used them
    up, right and wrong ones wait alike (and for the same questions to the database and Redis, so that the time tells
    nothing either), but for a class that somebody there is in."""
    address = client_address(request)
    counted = JOIN_CODES.count(address)
    if not counted and not NETWORKS.may_ask(access.live_session_pk_by_code(code), address):
        return None, TOO_MANY
    try:
        session = access.live_session_by_code(code)
    except Exception:  # nobody could look whether it is right
        _take_back(address, counted)
        raise
    if session is None:
        return None, NO_SUCH_CODE
    _take_back(address, counted)
    NETWORKS.note(session.pk, address)
    return session, ""


def _take_back(address: str, counted: bool) -> None:
    if counted:
        JOIN_CODES.take_back(address)


def _status(problem: str) -> int:
    return 429 if problem == TOO_MANY else 404


def _enter(request: HttpRequest, session: ClassSession, form: NameForm) -> HttpResponse:
    who = f"{client_address(request)}:{session.pk}"
    if not JOINS.count(who):
        return closed(request, 429, "Wait a moment", CROWDED, ("Try again", request.path))
    ticket, new = access.ticket_number(session, request.POST.get("ticket", "")), False
    try:
        participant, new = actions.join_once(session, form.cleaned_data["display_name"], ticket)
    except SessionEndedError:
        return ended(request, session)
    except JoiningLockedError:
        return _locked(request)
    except RefusedError as error:
        form.add_error("display_name", error.message)
        return _name_page(request, session, form, error.status)
    finally:
        if not new:  # One form sent again and again must not use up what is there for the whole network.
            JOINS.take_back(who)
    response = done(request, reverse("consent", args=[session.public_id]))
    access.set_participant_cookie(response, participant)
    return response


def _locked(request: HttpRequest) -> HttpResponse:
    return closed(request, 403, "Joining is locked", JoiningLockedError.message, ("Try again", request.path))


def _code_page(request: HttpRequest, form: JoinCodeForm, status: int) -> HttpResponse:
    if wants_json(request) and form.errors:
        return closed(request, status, "", str(next(iter(form.errors.values()))[0]))
    return render(request, "classroom/home.html", {"form": form}, status=status)


def _name_page(request: HttpRequest, session: ClassSession, form: NameForm, status: int) -> HttpResponse:
    if wants_json(request) and form.errors:
        return closed(request, status, "", str(next(iter(form.errors.values()))[0]))
    context = {
        "session": session,
        "course": session.course,
        "instructor_name": person_name(session.course.instructor),
        "form": form,
        "ticket": request.POST.get("ticket") or access.new_ticket(session),
    }
    return render(request, "classroom/join.html", context, status=status)
