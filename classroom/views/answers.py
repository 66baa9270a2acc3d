"""How a page answers: with JSON to a script that asks for it, with a page or another address to a person."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.contrib import messages
from django.contrib.auth.views import LoginView
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache

from classroom.errors import RefusedError
from classroom.models import ClassSession

P = ParamSpec("P")
Page = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def wants_json(request: HttpRequest) -> bool:
    return "application/json" in request.headers.get("Accept", "")


def done(request: HttpRequest, to: str, **facts: Any) -> HttpResponse:
    """It worked: `facts` as JSON (with `redirect`), or the address itself."""
    if wants_json(request):
        return JsonResponse({"ok": True, "redirect": to, **facts})
    return redirect(to)


def refused(request: HttpRequest, error: RefusedError, to: str) -> HttpResponse:
    """It did not, and why: as JSON with the error's status, or in words on the page at `to`."""
    if wants_json(request):
        return JsonResponse({"ok": False, "error": error.message}, status=error.status)
    messages.error(request, error.message)
    return redirect(to)


def closed(
    request: HttpRequest, status: int, title: str, message: str, action: tuple[str, str] | None = None
) -> HttpResponse:
    """A page that says what happened and what to do. `action`: (label, address) of its one button."""
    if wants_json(request):
        return JsonResponse({"ok": False, "error": message}, status=status)
    button = {"label": action[0], "url": action[1]} if action else None
    context = {"title": title, "message": message, "action": button}
    return render(request, "classroom/closed.html", context, status=status)


def ended(request: HttpRequest, session: ClassSession, *, own: bool = False) -> HttpResponse:
    """`own`: the visitor took part in it, and may look at what was recorded about them."""
    message = f"“{session.course.title}” is over, and nothing is measured any more. You can close this page."
    action = own_data(session) if own else ("Join another session", reverse("home"))
    return closed(request, 410, "This session has ended", message, action)


def own_data(session: ClassSession) -> tuple[str, str]:
    """The button that leads a student to their own page of it (emotions.urls)."""
    return "What is recorded about me", reverse("own_data", args=[session.public_id])


def instructors_only(view: Page[P]) -> Page[P]:
    """For pages of one course or session: never cached, and a stranger gets 404, with the form to sign in.

    Whether the object is the visitor's own is for `classroom.access` to say.
    """

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if request.user.is_authenticated:
            return view(request, *args, **kwargs)
        if request.method != "GET" or wants_json(request):
            raise Http404
        response = LoginView.as_view(extra_context={"next": request.get_full_path(), "not_found": True})(request)
        response.status_code = 404
        return response

    return never_cache(guarded)
