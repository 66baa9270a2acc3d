"""Instructors sign in and set their passwords: Django's own views, with some rules added.

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
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm, PasswordResetForm
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from classroom.devices import caller
from classroom.invitations import mail_is_set_up
from classroom.throttle import LETTERS, OLD_PASSWORDS, TOO_MANY_PASSWORDS, client_address

TOO_MANY_LETTERS = "Too many letters were asked for from your network. Wait ten minutes, then try again."


class PasswordForm(AuthenticationForm):
    """The guess was counted before (`SignIn.post`)."""

    def clean(self) -> dict[str, Any]:
        if self.request is None:
            raise ValueError("request: expected the one that signs in, to count its guesses; received None")
        with caller(self.request).judged():
            return super().clean()


class SignIn(views.LoginView):
    """After too many wrong passwords even the right one has to wait, but in a browser that is known."""

    authentication_form = PasswordForm
    redirect_authenticated_user = True

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if caller(request).count():
            return super().post(request, *args, **kwargs)
        # Unbound: a bound form would look whether the password is right as soon as it is asked for errors.
        form = self.get_form_class()(request, initial={"username": request.POST.get("username", "")})
        form.errors["__all__"] = form.error_class([TOO_MANY_PASSWORDS])
        return self.render_to_response(self.get_context_data(form=form), status=429)

    def get_redirect_url(self, *_: Any) -> str:
        """Not back to this page: who is signed in has nothing to do here, and would be sent round and round."""
        to = super().get_redirect_url()
        return "" if urlsplit(to).path == self.request.path else to


class OwnPasswordForm(PasswordChangeForm):
    """After too many wrong ones even the right old password has to wait."""

    def clean_old_password(self) -> str:
        who = str(self.user.pk)
        if not OLD_PASSWORDS.count(who):
            raise ValidationError(TOO_MANY_PASSWORDS)
        with OLD_PASSWORDS.judged(who):
            return super().clean_old_password()


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
        if not LETTERS.count(address):
            form = self.get_form()
            form.errors["__all__"] = form.error_class([TOO_MANY_LETTERS])
            return self.render_to_response(self.get_context_data(form=form), status=429)
        if settings.PUBLIC_URL:
            scheme, host = urlsplit(settings.PUBLIC_URL)[:2]
            self.extra_email_context = {"protocol": scheme, "domain": host}
        return super().post(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"mail": True}
