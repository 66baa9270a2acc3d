"""Instructors sign in and set their passwords: Django's own views, with three rules added.

Passwords are guessed at a limited rate, letters are sent at one; and where no e-mail server is set up, nobody is told
to wait for a message.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth import views
from django.contrib.auth.forms import AuthenticationForm
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from classroom.devices import caller
from classroom.invitations import mail_is_set_up
from classroom.throttle import LETTERS, TOO_MANY_PASSWORDS, client_address

TOO_MANY_LETTERS = "Too many letters were asked for from your network. Wait ten minutes, then try again."


class SignIn(views.LoginView):
    """After too many wrong passwords even the right one has to wait, but in a browser that is known."""

    redirect_authenticated_user = True

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not caller(request).exhausted():
            return super().post(request, *args, **kwargs)
        form = self.get_form()
        form.errors["__all__"] = form.error_class([TOO_MANY_PASSWORDS])
        return self.render_to_response(self.get_context_data(form=form), status=429)

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        caller(self.request).count()
        return super().form_invalid(form)


class ForgottenPassword(views.PasswordResetView):
    """Sends a link by e-mail; without a server for that, says who can help."""

    email_template_name = "registration/password_reset_email.txt"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if mail_is_set_up():
            return super().dispatch(request, *args, **kwargs)
        return self.render_to_response({"title": "Forgotten password", "mail": False}, status=200)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        address = client_address(request)
        if LETTERS.exhausted(address):
            form = self.get_form()
            form.errors["__all__"] = form.error_class([TOO_MANY_LETTERS])
            return self.render_to_response(self.get_context_data(form=form), status=429)
        LETTERS.count(address)
        return super().post(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"mail": True}
