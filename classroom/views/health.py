"""Whether this process can serve: for the supervisor, the container engine and a proxy.

A balancer asks /readyz, and sends nobody here before the database has this code's tables; everybody else /healthz.
"""

from __future__ import annotations

import logging

import psycopg
import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from psycopg.conninfo import make_conninfo

log = logging.getLogger(__name__)

TIMEOUT_SECONDS = 2
_OK = "answers"
_migrated = False


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """200 when Postgres and Redis both answer within TIMEOUT_SECONDS, otherwise 503 with words."""
    return _answer({"postgres": _postgres(), "redis": _redis()})


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """As healthz, and 503 too while the database lacks a migration of this code."""
    parts = {"postgres": _postgres(), "redis": _redis()}
    if parts["postgres"] == _OK:
        parts["tables"] = _tables()
    return _answer(parts)


def _answer(parts: dict[str, str]) -> JsonResponse:
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


def _tables() -> str:
    """Once they are there they are there for good, as far as this process is concerned."""
    global _migrated
    try:
        _migrated = _migrated or not _missing_migrations()
    except DatabaseError as error:
        log.warning("readyz: %s", error)
    return _OK if _migrated else "are not those of this version: `manage.py migrate` has not run (to its end)"


def _missing_migrations() -> bool:
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))
