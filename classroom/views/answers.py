"""How a page answers: with JSON to a script that asks for it, with a page or another address to a person."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.contrib import messages
from django.contrib.auth.forms import AuthenticationForm
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache

from classroom.errors import RefusedError
from classroom.models import ClassSession

SIGNED_OUT = "You are signed out. Sign in again; the class goes on."

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


def refusals_to(name: str) -> Callable[[Page[P]], Page[P]]:
    """For what is done to one course or session: an action that is refused is answered in words (`refused`), on the
    page of that name of the same one (the address's `public_id`). Also where somebody else was quicker: a student may
    be erased meanwhile."""

    def guard(view: Page[P]) -> Page[P]:
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            try:
                return view(request, *args, **kwargs)
            except RefusedError as error:
                return refused(request, error, reverse(name, args=[kwargs["public_id"]]))

        return never_cache(guarded)

    return guard


def closed(request: HttpRequest, status: int, title: str, message: str, *actions: tuple[str, str]) -> HttpResponse:
    """A page that says what happened and what to do. `actions`: (label, address) of its buttons, the likelier
    first."""
    if wants_json(request):
        return JsonResponse({"ok": False, "error": message}, status=status)
    buttons = [{"label": label, "url": url} for label, url in actions]
    context = {"title": title, "message": message, "actions": buttons}
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
    """For pages of one course or session: never cached, and a stranger gets 404, with the form to sign in; so does
    who was signed out meanwhile and sends a form. A script hears 401, whatever it asks for and whether that exists.

    Whether the object is the visitor's own is for `classroom.access` to say.
    """

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if request.user.is_authenticated:
            return view(request, *args, **kwargs)
        if wants_json(request):
            return closed(request, 401, "", SIGNED_OUT)
        sent = request.method == "POST"
        context = {
            "form": AuthenticationForm(request),
            "next": _page_before(request) if sent else request.get_full_path(),
            "signed_out": sent,
            "not_found": not sent,
        }
        return render(request, "registration/login.html", context, status=404)

    return never_cache(guarded)


def _page_before(request: HttpRequest) -> str:
    """The page of ours whose form was sent: the form's own address is none that a browser could open."""
    before = request.headers.get("Referer", "")
    ours = url_has_allowed_host_and_scheme(before, {request.get_host()}, require_https=request.is_secure())
    return before if before and ours else reverse("courses")
