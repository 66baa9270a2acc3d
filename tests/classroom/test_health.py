"""Whether the process can serve."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from pytest_django.fixtures import Settings

from classroom.views import health


@pytest.fixture(autouse=True)
def _nothing_seen_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was so in an earlier test is no answer here."""
    monkeypatch.setattr(health, "_parts", health.Shared(health._look))
    monkeypatch.setattr(health, "_tables", health.Shared(health._look_at_tables))


class Connections:
    """In place of psycopg's: each takes its time, and how many there were at once is noted."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.now = self.most = 0
        self.asked: list[dict[str, Any]] = []

    def connect(self, **where: Any) -> Connections:
        self.asked.append(where)
        return self

    def __enter__(self) -> Connections:
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
        time.sleep(0.05)
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self.now -= 1

    def execute(self, query: str) -> None:
        assert query == "SELECT 1"


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> Connections:
    made = Connections()
    monkeypatch.setattr("psycopg.connect", made.connect)
    return made


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


# -- Asked by many


def test_a_flood_of_questions_is_one_look(connections: Connections, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody who asks waits in line with the pages, and Postgres has a hundred connections for everybody."""
    monkeypatch.setattr(health, "KEPT_SECONDS", 60.0)
    monkeypatch.setattr(health, "_migrated", True)
    with ThreadPoolExecutor(50) as crowd:
        answers = list(crowd.map(lambda n: Client().get(("/healthz", "/readyz")[n % 2]), range(50)))
    assert {answer.status_code for answer in answers} == {200}
    assert {len(answer.json()) for answer in answers} == {3, 4}
    assert (connections.most, len(connections.asked)) == (1, 1)


def test_an_answer_stands_for_a_moment_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "KEPT_SECONDS", 0.1)
    seen = iter(("answers", "does not answer"))
    look = health.Shared(lambda: {"postgres": next(seen)})
    assert [look()["postgres"] for _ in range(3)] == ["answers"] * 3
    time.sleep(0.15)
    assert look()["postgres"] == "does not answer"


def test_a_look_that_fails_holds_nobody_up() -> None:
    def broken() -> health.Parts:
        raise ValueError("broken")

    look = health.Shared(broken)
    for _ in range(2):
        with pytest.raises(ValueError, match="broken"):
            look()


def test_the_way_to_the_database_is_djangos_with_our_patience(
    client: Client, connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that takes TLS alone would be called silent, and one whose certificate is not checked be asked."""
    given = {"sslmode": "verify-full", "sslrootcert": "/school.pem", "options": "-c search_path=roomtone"}
    for name, value in given.items():
        monkeypatch.setitem(connection.settings_dict["OPTIONS"], name, value)
    assert client.get("/healthz").status_code == 200
    (where,) = connections.asked
    assert (where["sslmode"], where["sslrootcert"]) == ("verify-full", "/school.pem")
    assert where["dbname"] == connection.settings_dict["NAME"]
    assert (where["connect_timeout"], where["tcp_user_timeout"]) == (2, 2000)
    assert where["options"] == "-c search_path=roomtone -c statement_timeout=2s"
    assert not where.keys() & {"cursor_factory", "context"}
