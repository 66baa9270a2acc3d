"""Instructors sign in and set their passwords: Django's own views, with four rules added.

Passwords are guessed at a limited rate, letters are sent at one; and where no e-mail server is set up, nobody is told
to wait for a message.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import views
from django.contrib.auth.forms import AuthenticationForm, PasswordResetForm
from django.contrib.auth.models import User
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


class ForgottenForm(PasswordResetForm):
    """Also for who never had a password: an invitation that is too old is made good here."""

    def get_users(self, email: str) -> Iterator[User]:
        """Every active account with this address, alike by Django's own rule."""
        wanted = _folded(email)
        accounts = User.objects.filter(email__iexact=email, is_active=True)
        return (account for account in accounts if _folded(account.email) == wanted)


def _folded(address: str) -> str:
    """The database takes some letters of other alphabets for ours; a letter to such an address goes to a stranger."""
    return unicodedata.normalize("NFKC", address).casefold()


class ForgottenPassword(views.PasswordResetView):
    """Sends a link by e-mail; without a server for that, says who can help."""

    form_class = ForgottenForm
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
        if settings.PUBLIC_URL:
            scheme, host = urlsplit(settings.PUBLIC_URL)[:2]
            self.extra_email_context = {"protocol": scheme, "domain": host}
        return super().post(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"mail": True}
