"""Threads of the web process that talk to the database for its sockets."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from django.db import connection

KEPT_SECONDS = 300


def database_threads(count: int, name: str) -> ThreadPoolExecutor:
    """So few that each may keep its connection, unlike those in which pages are made (settings say why): opening one
    costs more than what is asked of it. A kept one is tried before it is used: Postgres may have been restarted."""
    return ThreadPoolExecutor(max_workers=count, thread_name_prefix=name, initializer=_keep_the_connection)


def _keep_the_connection() -> None:
    kept = {"CONN_MAX_AGE": KEPT_SECONDS, "CONN_HEALTH_CHECKS": True}
    connection.settings_dict = connection.settings_dict | kept
