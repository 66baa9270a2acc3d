"""Whether this process can serve: for the supervisor, the container engine and a proxy.

A balancer asks /readyz, and sends nobody here before the database has this code's tables; everybody else /healthz.

Anybody may ask, and nobody who asks waits in line (classroom.turns): so a process looks once at a time, and what it
saw is the answer to all who ask within KEPT_SECONDS.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

import psycopg
import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

log = logging.getLogger(__name__)

TIMEOUT_SECONDS = 2
KEPT_SECONDS = 1.0
_OK = "answers"
_migrated = False

Parts = dict[str, str]


class Shared:
    """A look that many may ask for at once: whoever comes while somebody looks waits for what they see."""

    def __init__(self, look: Callable[[], Parts]) -> None:
        self._look, self._lock = look, threading.Lock()
        self._seen: Parts = {}
        self._until = 0.0

    def __call__(self) -> Parts:
        with self._lock:
            if time.monotonic() >= self._until:
                self._seen = self._look()
                self._until = time.monotonic() + KEPT_SECONDS
            return dict(self._seen)


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """200 when Postgres and Redis both answer within TIMEOUT_SECONDS, otherwise 503 with words."""
    return _answer(_parts())


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """As healthz, and 503 too while the database lacks a migration of this code."""
    parts = _parts()
    return _answer(parts | _tables() if parts["postgres"] == _OK else parts)


def _answer(parts: Parts) -> JsonResponse:
    ok = all(words == _OK for words in parts.values())
    return JsonResponse({"ok": ok, **parts}, status=200 if ok else 503)


def _look() -> Parts:
    return {"postgres": _postgres(), "redis": _redis()}


def _postgres() -> str:
    """On a connection of its own: Django's waits longer for a server, and for what it was asked without end."""
    try:
        with psycopg.connect(**_quick(connection.get_connection_params())) as own:
            own.execute("SELECT 1")
    except psycopg.Error as error:
        log.warning("healthz: Postgres: %s", error)
        return "does not answer: nobody can join, and readings are not stored"
    return _OK


def _quick(known: dict[str, Any]) -> dict[str, Any]:
    """Django's way to the database (its certificates, too), with our patience; without what is Django's own."""
    options = f"{known.get('options', '')} -c statement_timeout={TIMEOUT_SECONDS}s".strip()
    limits = {
        "connect_timeout": TIMEOUT_SECONDS,
        "tcp_user_timeout": 1000 * TIMEOUT_SECONDS,
        "options": options,
    }
    return {name: value for name, value in known.items() if name not in {"cursor_factory", "context"}} | limits


def _redis() -> str:
    limits = {"socket_connect_timeout": TIMEOUT_SECONDS, "socket_timeout": TIMEOUT_SECONDS}
    try:
        with redis.Redis.from_url(settings.REDIS_URL, **limits) as client:
            client.ping()
    except redis.RedisError as error:
        log.warning("healthz: Redis: %s", error)
        return "does not answer: frames can't travel, and dashboards stand still"
    return _OK


def _look_at_tables() -> Parts:
    """Once they are there they are there for good, as far as this process is concerned."""
    global _migrated
    try:
        _migrated = _migrated or not _missing_migrations()
    except DatabaseError as error:
        log.warning("readyz: %s", error)
    words = "are not those of this version: `manage.py migrate` has not run (to its end)"
    return {"tables": _OK if _migrated else words}


def _missing_migrations() -> bool:
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


_parts, _tables = Shared(_look), Shared(_look_at_tables)
