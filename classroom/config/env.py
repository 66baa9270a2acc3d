"""Reading settings from the environment: a value that is not understood stops the start, it is never guessed.

An empty value is an unset one: docker-compose.yml hands on as empty whatever the school did not set.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from classroom.config.listening import ListeningParser

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off"}


def text(name: str, default: str = "") -> str:
    """The variable's text without surrounding blanks; the default where nothing is left."""
    return os.environ.get(name, "").strip() or default


def secret(name: str, shortest: int = 16) -> str:
    """Empty, or long enough not to be guessed; raises ImproperlyConfigured otherwise, without repeating it."""
    value = text(name)
    if value and len(value) < shortest:
        raise ImproperlyConfigured(f"{name}: expected at least {shortest} characters, received {len(value)}")
    return value


def flag(name: str, default: bool = False) -> bool:
    """A boolean; raises ImproperlyConfigured for anything but the usual words."""
    value = text(name, "1" if default else "0").lower()
    if value in _TRUE:
        return True
    if value in _FALSE:
        return False
    raise ImproperlyConfigured(f"{name}={value!r}: expected one of {sorted(_TRUE | _FALSE)}")


def number(name: str, default: int, *, low: int = 0, high: int = 10**9) -> int:
    """A whole number within low..high; raises ImproperlyConfigured otherwise."""
    value = text(name, str(default))
    try:
        parsed = int(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name}={value!r}: expected a whole number") from None
    if not low <= parsed <= high:
        raise ImproperlyConfigured(f"{name}={parsed}: expected a number from {low} to {high}")
    return parsed


def names(name: str, default: Sequence[str] = ()) -> list[str]:
    """A comma-separated list, blanks dropped."""
    value = text(name)
    return [part.strip() for part in value.split(",") if part.strip()] if value else list(default)


def choice(name: str, allowed: Sequence[str], default: str) -> str:
    """One of the allowed words; raises ImproperlyConfigured otherwise."""
    value = text(name, default)
    if value not in allowed:
        raise ImproperlyConfigured(f"{name}={value!r}: expected one of {list(allowed)}")
    return value


def address(name: str) -> str:
    """`https://host:port` without a path, or empty; raises ImproperlyConfigured for anything else."""
    value = text(name).rstrip("/")
    parts = urlsplit(value)
    if value and (parts.scheme not in {"http", "https"} or not parts.hostname or parts.path or parts.query):
        raise ImproperlyConfigured(f"{name}={value!r}: expected https://host, with a port where it needs one")
    return value


# A server that is gone without a word is noticed in seconds, not after the system's quarter of an hour: sockets, the
# ticker and workers wait for it in few threads. libpq's names; the URL may say otherwise.
_DATABASE_LIMITS = {
    "connect_timeout": "5",
    "tcp_user_timeout": "10000",
    "keepalives_idle": "10",
    "keepalives_interval": "3",
    "keepalives_count": "3",
}


# A connection that only listens says nothing that could stay unanswered: so the system asks whether its host is
# there.
_REDIS_KEEPALIVE = {
    socket.TCP_KEEPIDLE: 10,
    socket.TCP_KEEPINTVL: 3,
    socket.TCP_KEEPCNT: 3,
    socket.TCP_USER_TIMEOUT: 10_000,
}


def listening_host(url: str) -> dict[str, object]:
    """A host as the channel layer takes it: for `redis://` and `rediss://` with what lets it notice an end."""
    host: dict[str, object] = {"address": url, "parser_class": ListeningParser}
    if urlsplit(url).scheme in {"redis", "rediss"}:
        host |= {"socket_keepalive": True, "socket_keepalive_options": _REDIS_KEEPALIVE}
    return host


def verified(url: str) -> str:
    """The address of Redis: over TLS (`rediss://`) with a certificate that is checked, unless the address says
    otherwise. Celery's client would check nothing by itself."""
    parts = urlsplit(url)
    if parts.scheme != "rediss" or "ssl_cert_reqs" in dict(parse_qsl(parts.query)):
        return url
    return parts._replace(query="&".join(filter(None, (parts.query, "ssl_cert_reqs=required")))).geturl()


def database(url: str) -> dict[str, object]:
    """Django's database settings from `postgres://user:password@host:port/name?option=value`."""
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"}:
        raise ImproperlyConfigured(
            f"DATABASE_URL: expected postgres://..., received {parts.scheme or 'nothing'}://..."
        )
    if not parts.path.strip("/"):
        raise ImproperlyConfigured("DATABASE_URL: the name of the database is missing (postgres://host/NAME)")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "OPTIONS": _DATABASE_LIMITS | dict(parse_qsl(parts.query)),
        # The web process serves from many threads: a connection kept per thread would hold hundreds.
        "CONN_MAX_AGE": 0,
    }
