"""Settings that a person only notices when something is wrong: a database that is gone, a log that says too much."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator

import pytest
import redis
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import get_connection
from django.db import OperationalError
from django.db.utils import ConnectionHandler
from django.test import Client
from django.urls import reverse
from kombu import Connection

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


def test_tls_to_the_databases_is_taken_from_their_addresses() -> None:
    wanted = env.database("postgres://db.school.example/x?sslmode=verify-full&sslrootcert=%2Fetc%2Fca.pem")
    assert isinstance(options := wanted["OPTIONS"], dict)
    assert (options["sslmode"], options["sslrootcert"]) == ("verify-full", "/etc/ca.pem")


@pytest.mark.parametrize("given", ["", "?ssl_cert_reqs=required", "?ssl_ca_certs=/etc/ca.pem"])
def test_every_client_of_redis_checks_its_certificate(given: str) -> None:
    """Celery's own would check nothing, where the address does not ask for it."""
    url = env.verified(f"rediss://:word@redis.school.example:6380/0{given}")
    asked = Connection(url).info()["ssl"]
    assert asked["ssl_cert_reqs"] == ssl.CERT_REQUIRED
    authority = asked.get("ssl_ca_certs")
    kwargs = redis.connection.parse_url(url)
    assert (kwargs["ssl_cert_reqs"], kwargs.get("ssl_ca_certs")) == ("required", authority)
    made = redis.SSLConnection(**{name: value for name, value in kwargs.items() if name.startswith("ssl_")})
    assert (made.cert_reqs, made.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert env.listening_host(url)["address"] == url


def test_an_address_without_tls_or_with_a_word_of_its_own_stays() -> None:
    for url in ("redis://localhost:6379/0", "unix:///run/redis.sock", "rediss://r/0?ssl_cert_reqs=none"):
        assert env.verified(url) == url


def test_a_mail_server_that_says_nothing_is_given_up(mute: int) -> None:
    """Django's limit is none; ours reaches the connection."""
    assert 0 < settings.EMAIL_TIMEOUT <= 15
    backend = "django.core.mail.backends.smtp.EmailBackend"
    letters = get_connection(backend, host="127.0.0.1", port=mute, timeout=0.2, use_tls=False)
    with pytest.raises(OSError, match="timed out"):
        letters.open()
    assert vars(get_connection(backend))["timeout"] == settings.EMAIL_TIMEOUT
