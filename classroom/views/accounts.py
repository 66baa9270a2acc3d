"""Instructors sign in and set their passwords: Django's own views, with two rules added.

Passwords are guessed at a limited rate; and where no e-mail server is set up, nobody is told to wait for a message.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth import views
from django.contrib.auth.forms import AuthenticationForm
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from classroom.invitations import mail_is_set_up
from classroom.throttle import PASSWORDS, TOO_MANY_PASSWORDS, who_signs_in


class SignIn(views.LoginView):
    """After too many wrong passwords for one name from one address, even the right one has to wait."""

    redirect_authenticated_user = True

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not PASSWORDS.exhausted(who_signs_in(request)):
            return super().post(request, *args, **kwargs)
        form = self.get_form()
        form.errors["__all__"] = form.error_class([TOO_MANY_PASSWORDS])
        return self.render_to_response(self.get_context_data(form=form), status=429)

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        PASSWORDS.count(who_signs_in(self.request))
        return super().form_invalid(form)


class ForgottenPassword(views.PasswordResetView):
    """Sends a link by e-mail; without a server for that, says who can help."""

    email_template_name = "registration/password_reset_email.txt"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if mail_is_set_up():
            return super().dispatch(request, *args, **kwargs)
        return self.render_to_response({"title": "Forgotten password", "mail": False}, status=200)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"mail": True}
