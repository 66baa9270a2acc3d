"""Whether this process can serve: for the supervisor, the container engine and a proxy."""

from __future__ import annotations

import logging

import psycopg
import redis
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from psycopg.conninfo import make_conninfo

log = logging.getLogger(__name__)

TIMEOUT_SECONDS = 2
_OK = "answers"


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """200 when Postgres and Redis both answer within TIMEOUT_SECONDS, otherwise 503 with words."""
    parts = {"postgres": _postgres(), "redis": _redis()}
    ok = all(words == _OK for words in parts.values())
    return JsonResponse({"ok": ok, **parts}, status=200 if ok else 503)


def _postgres() -> str:
    """On a connection of its own: Django's has no time limit."""
    known = connection.get_connection_params()
    where = {name: str(known[name]) for name in ("dbname", "user", "password", "host", "port") if known.get(name)}
    limits = {"connect_timeout": str(TIMEOUT_SECONDS), "options": f"-c statement_timeout={TIMEOUT_SECONDS}s"}
    try:
        with psycopg.connect(make_conninfo(**where, **limits)) as own:
            own.execute("SELECT 1")
    except psycopg.Error as error:
        log.warning("healthz: Postgres: %s", error)
        return "does not answer: nobody can join, and readings are not stored"
    return _OK


def _redis() -> str:
    limits = {"socket_connect_timeout": TIMEOUT_SECONDS, "socket_timeout": TIMEOUT_SECONDS}
    try:
        with redis.Redis.from_url(settings.REDIS_URL, **limits) as client:
            client.ping()
    except redis.RedisError as error:
        log.warning("healthz: Redis: %s", error)
        return "does not answer: frames can't travel, and dashboards stand still"
    return _OK
