"""Sockets answer pages of our own origin alone, by the rule that Django has for forms.

A browser sends cookies with a socket that any page in it opens; only `Origin` tells whose page it was.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from channels.security.websocket import WebsocketDenier
from django.conf import settings
from django.http.request import split_domain_port, validate_host

Application = Callable[[Any, Any, Any], Awaitable[None]]


def same_origin(application: Application) -> Application:
    """Refuse, before it is accepted, a socket that a page of another origin, or no page, opens."""

    async def checked(scope: Any, receive: Any, send: Any) -> None:
        headers = [(name, value.decode("latin-1")) for name, value in scope["headers"]]
        origins = [value for name, value in headers if name == b"origin"]
        hosts = [value for name, value in headers if name == b"host"]
        ours = len(origins) == len(hosts) == 1 and is_ours(origins[0], hosts[0])
        await (application if ours else WebsocketDenier())(scope, receive, send)

    return checked


def is_ours(origin: str, host: str) -> bool:
    """Whether a page of `origin` may open a socket at `host`: both are the same allowed name with the same port, over
    HTTPS where the installation has it; or the origin is one whose forms are taken, too."""
    if origin in settings.CSRF_TRUSTED_ORIGINS:
        return True
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    schemes = {"https"} if settings.HTTPS else {"http", "https"}
    name, _port = split_domain_port(host)
    return parts.scheme in schemes and parts.netloc == host.lower() and bool(name) and validate_host(name, allowed())


def allowed() -> list[str]:
    """As Django has it: while debugging, this machine's names where none are given."""
    if settings.DEBUG and not settings.ALLOWED_HOSTS:
        return [".localhost", "127.0.0.1", "[::1]"]
    return list(settings.ALLOWED_HOSTS)
