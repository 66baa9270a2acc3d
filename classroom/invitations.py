"""How a person gets a first password: a link that sets it, by e-mail or by hand."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.auth.tokens import default_token_generator
from django.core.mail import send_mail
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

SECONDS_A_DAY = 86_400


def days_valid() -> int:
    return int(settings.PASSWORD_RESET_TIMEOUT) // SECONDS_A_DAY


def mail_is_set_up() -> bool:
    return bool(settings.EMAIL_HOST)


def set_password_link(request: HttpRequest, user: User) -> str:
    """Works once, for PASSWORD_RESET_TIMEOUT seconds, and not after the next sign-in."""
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    path = reverse("password_reset_confirm", args=[uid, default_token_generator.make_token(user)])
    return request.build_absolute_uri(path)


def invite(request: HttpRequest, user: User) -> str:
    """Send the link, or put it into the words that are returned, for the administrator to pass on.

    Raises OSError (smtplib's errors are among them) where the e-mail server refuses.
    """
    link = set_password_link(request, user)
    if not (mail_is_set_up() and user.email):
        return f"Give {user.get_username()} this link; it works once, for {days_valid()} days: {link}"
    context = {"user": user, "link": link, "domain": request.get_host(), "days": days_valid()}
    send_mail("Your invitation to Roomtone", render_to_string("registration/invitation_email.txt", context),
              None, [user.email])  # fmt: skip
    return f"A link to set a password is on its way to {user.email}."
