"""How a person gets a first password: a link that sets it, by e-mail or by hand."""

from __future__ import annotations

from itertools import chain, count
from urllib.parse import urlsplit

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
    """The absolute address of `set_password_path`: PUBLIC_URL's, or as this administrator reaches the server."""
    path = set_password_path(user)
    return settings.PUBLIC_URL + path if settings.PUBLIC_URL else request.build_absolute_uri(path)


def set_password_path(user: User) -> str:
    """Works once, for PASSWORD_RESET_TIMEOUT seconds, and not after the next sign-in."""
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    return reverse("password_reset_confirm", args=[uid, default_token_generator.make_token(user)])


def invite(request: HttpRequest, user: User) -> str:
    """Send the link, or put it into the words that are returned, for the administrator to pass on.

    Raises OSError (smtplib's errors are among them) where the e-mail server refuses.
    """
    if not (mail_is_set_up() and user.email):
        return by_hand(request, user)
    link = set_password_link(request, user)
    context = {"user": user, "link": link, "domain": urlsplit(link).netloc, "days": days_valid()}
    send_mail("Your invitation to Roomtone", render_to_string("registration/invitation_email.txt", context),
              None, [user.email])  # fmt: skip
    return f"A link to set a password is on its way to {user.email}."


def by_hand(request: HttpRequest, user: User) -> str:
    """The link, for an administrator who passes it on."""
    link = set_password_link(request, user)
    return f"Give {user.get_username()} this link; it works once, for {days_valid()} days: {link}"


def first_admin() -> User | None:
    """An admin without a password, made where there is none; None where some admin has one.

    Links that were made before for this account stop working.
    """
    admins = User.objects.filter(is_superuser=True, is_staff=True, is_active=True)
    if any(user.has_usable_password() for user in admins):
        return None
    user = admins.first() or User(username=_free_name("admin"), is_superuser=True, is_staff=True)
    user.set_unusable_password()
    user.save()
    return user


def _free_name(wished: str) -> str:
    """The wished name, or with the first number that nobody has: an account that is there is given no rights."""
    names = chain([wished], (f"{wished}{number}" for number in count(2)))
    return next(name for name in names if not User.objects.filter(username__iexact=name).exists())
