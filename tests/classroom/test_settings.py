"""Settings that a person only notices when something is wrong: a database that is gone, a log that says too much."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError
from django.db.utils import ConnectionHandler
from django.test import Client
from django.urls import reverse

from classroom import actions
from classroom.config import env
from classroom.models import ClassSession


@pytest.fixture
def mute() -> Iterator[int]:
    """A port where somebody takes the connection and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


@pytest.mark.usefixtures("db")
def test_a_database_that_says_nothing_is_given_up_soon(mute: int) -> None:
    url = f"postgres://somebody@127.0.0.1:{mute}/nothing"
    wanted = env.database(f"{url}?connect_timeout=2")
    began = time.monotonic()
    with pytest.raises(OperationalError):
        ConnectionHandler({"default": wanted})["default"].ensure_connection()
    assert time.monotonic() - began < 10
    assert env.database(url)["OPTIONS"] == {**wanted["OPTIONS"], "connect_timeout": "5"}  # type: ignore[dict-item]


def test_no_log_holds_a_live_sessions_code(
    session: ClassSession, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    strict = Client(enforce_csrf_checks=True)
    address = reverse("join_session", args=[session.join_code])
    assert Client().post(address, {"display_name": ""}).status_code == 400
    assert strict.post(address, {"display_name": "Sam"}).status_code == 403
    actions.lock_joining(session)
    assert Client().get(address).status_code == 403
    assert session.join_code not in caplog.text + "".join(capsys.readouterr())


def test_a_token_that_could_be_guessed_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROOMTONE_METRICS_TOKEN", "short-secret")
    with pytest.raises(ImproperlyConfigured, match="at least 16 characters, received 12") as refused:
        env.secret("ROOMTONE_METRICS_TOKEN")
    assert "short-secret" not in str(refused.value)
    monkeypatch.setenv("ROOMTONE_METRICS_TOKEN", "")
    assert env.secret("ROOMTONE_METRICS_TOKEN") == ""


@pytest.mark.parametrize("empty", ["", " "])
def test_an_empty_value_is_an_unset_one(monkeypatch: pytest.MonkeyPatch, empty: str) -> None:
    """Compose hands on as empty what a school did not set."""
    monkeypatch.setenv("ROOMTONE_EMPTY", empty)
    name = "ROOMTONE_EMPTY"
    assert env.text(name, "word") == "word"
    assert env.number(name, 7, low=1) == 7
    assert env.choice(name, ["left", "right"], "left") == "left"
    assert (env.flag(name, default=True), env.flag(name)) == (True, False)
    assert env.names(name, ["a", "b"]) == ["a", "b"]
    assert (env.address(name), env.secret(name)) == ("", "")


def test_a_flag_that_is_off_stays_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROOMTONE_FLAG", "off")
    assert env.flag("ROOMTONE_FLAG", default=True) is False
