"""Browsers in which somebody has signed in before: their wrong passwords are counted apart (docs/decisions/0015).

Otherwise whoever types ten wrong passwords in the classroom would lock the teacher out of the lecture.
"""

from __future__ import annotations

import secrets
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in
from django.core import signing
from django.http import HttpRequest, HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

from classroom.throttle import Caller, client_address, typed_name

COOKIE = "known-browser"
COOKIE_SECONDS = 180 * 24 * 60 * 60
_SALT = "classroom.devices"


def caller(request: HttpRequest) -> Caller:
    """Who types a password: the name, the address, and the browser if it is known under that name."""
    name = typed_name(request)
    return Caller(name, client_address(request), _device(request.COOKIES.get(COOKIE, ""), name))


def _device(cookie: str, name: str) -> str:
    try:
        device, known = signing.loads(cookie, salt=_SALT, max_age=COOKIE_SECONDS)
    except (signing.BadSignature, TypeError, ValueError):
        return ""
    return str(device) if known == name else ""


def _remember(request: HttpRequest | None = None, user: User | None = None, **_: Any) -> None:
    """The answer to this request names the browser; see `known_browsers`."""
    if request is not None and user is not None:
        request.signed_in_as = user.get_username().lower()  # type: ignore[attr-defined]


user_logged_in.connect(_remember, dispatch_uid="classroom.devices")


@sync_and_async_middleware
def known_browsers(get_response: Any) -> Any:
    """A browser in which somebody just signed in gets a cookie that says so. It opens nothing by itself."""
    if not iscoroutinefunction(get_response):
        return lambda request: _named(request, get_response(request))

    async def answer_soon(request: HttpRequest) -> HttpResponseBase:
        return _named(request, await get_response(request))

    return answer_soon


def _named(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    name = getattr(request, "signed_in_as", "")
    if name:
        value = signing.dumps([secrets.token_hex(16), name], salt=_SALT)
        secure = settings.SESSION_COOKIE_SECURE
        response.set_cookie(
            COOKIE, value, max_age=COOKIE_SECONDS, secure=secure, httponly=True, samesite="Lax", path="/"
        )
    return response
