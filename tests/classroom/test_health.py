"""Whether the process can serve."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from pytest_django.fixtures import Settings

from classroom.views import health


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_both_answer(client: Client, db: None) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"ok": True, "postgres": "answers", "redis": "answers"})
    assert "no-store" in answer["Cache-Control"]


def test_a_missing_redis_is_said(client: Client, db: None, settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert (answer.json()["postgres"], answer.json()["ok"]) == ("answers", False)
    assert answer.json()["redis"].startswith("does not answer")


def test_a_missing_postgres_is_said(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    where = {"host": "127.0.0.1", "port": 1, "dbname": "none"}
    monkeypatch.setattr(connection, "get_connection_params", lambda: where)
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["postgres"].startswith("does not answer")


def test_silence_is_not_waited_for(
    client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch, silent_port: int
) -> None:
    settings.REDIS_URL = f"redis://127.0.0.1:{silent_port}/0"
    where = {"host": "127.0.0.1", "port": silent_port, "dbname": "none"}
    monkeypatch.setattr(connection, "get_connection_params", lambda: where)
    start = time.monotonic()
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert time.monotonic() - start < 3 * health.TIMEOUT_SECONDS


def test_ready_with_every_table(client: Client, db: None) -> None:
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["tables"]) == (200, "answers")


def test_not_ready_before_the_migrations(client: Client, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_migrated", False)
    MigrationRecorder.Migration.objects.filter(app="emotions").delete()
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "migrate" in answer.json()["tables"]
    assert client.get("/healthz").status_code == 200
