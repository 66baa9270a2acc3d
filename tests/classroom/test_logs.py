"""The log's lines: what stands in them, and what never does."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient, Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from classroom import actions, logs
from classroom.models import ClassSession, Participant

log = logging.getLogger("tests.logs")


@pytest.fixture(autouse=True)
def nobody() -> None:
    """Tests that ask classroom.access outside of a request leave their participant behind in this thread."""
    logs.participant.set(None)


@pytest.fixture
def lines() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """What has been logged so far, as a collector reads it."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.Json())
    logging.getLogger().addHandler(handler)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logging.getLogger().removeHandler(handler)


Lines = Callable[[], list[dict[str, Any]]]


def test_a_line_is_one_object(lines: Lines) -> None:
    log.warning("%d frames\nrefused", 3)
    (line,) = lines()
    assert line.keys() == {"time", "level", "logger", "message", "process"}
    assert (line["level"], line["logger"], line["message"]) == ("WARNING", "tests.logs", "3 frames\nrefused")
    assert line["time"].endswith("+00:00")


def test_an_error_stands_in_its_line(lines: Lines) -> None:
    try:
        raise ValueError("expected a number")
    except ValueError:
        log.exception("no")
    assert "ValueError: expected a number" in lines()[0]["error"]


def view_that_logs(request: HttpRequest) -> HttpResponse:
    log.warning("here")
    return HttpResponse()


def test_a_request_has_an_id_in_its_lines_and_in_its_answer(client: Client, lines: Lines, settings: Settings) -> None:
    answer = client.get("/")
    assert len(answer["X-Request-ID"]) == 32
    assert client.get("/")["X-Request-ID"] != answer["X-Request-ID"]
    request = HttpRequest()
    named = logs.request_ids(view_that_logs)(request)
    assert lines()[-1]["request"] == named["X-Request-ID"]
    log.warning("afterwards")
    assert "request" not in lines()[-1]


@pytest.mark.parametrize(
    ("sent", "trusted", "taken"),
    [
        ("0123abcd-ef", True, True),
        ("0123abcd-ef", False, False),
        ("short", True, False),
        ("has a blank in it", True, False),
        ("x" * 65, True, False),
        ("line\nbreak-here", True, False),
    ],
)
def test_only_a_trusted_proxy_names_requests(
    client: Client, settings: Settings, sent: str, trusted: bool, taken: bool
) -> None:
    settings.TRUST_REQUEST_ID = trusted
    answer = client.get("/", headers={"X-Request-ID": sent})
    assert (answer["X-Request-ID"] == sent) is taken


async def test_it_works_under_an_event_loop_too(db: None) -> None:
    answer = await AsyncClient().get("/")
    assert len(answer["X-Request-ID"]) == 32


def test_a_students_request_bears_the_participants_number(
    sam: Participant, student_client: Callable[[Participant], Client], lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(participant: Participant) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr(actions, "leave", fails)
    browser = student_client(sam)
    browser.raise_request_exception = False
    answer = browser.post(reverse("leave", args=[sam.session.public_id]))
    (line,) = [line for line in lines() if line["logger"] == "django.request"]
    assert (line["participant"], line["request"]) == (sam.pk, answer["X-Request-ID"])
    assert logs.participant.get() is None


def test_neither_names_nor_codes_come_in(
    session: ClassSession, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worst case: storing fails, and Postgres quotes the row in its error."""

    def refused(where: ClassSession, name: str, number: object) -> None:
        raise IntegrityError(
            f'duplicate key value violates unique constraint "one"\nDETAIL:  Key (display_name)=({name}) exists.'
        )

    monkeypatch.setattr(actions, "join_once", refused)
    browser = Client(raise_request_exception=False)
    address = reverse("join_session", args=[session.join_code])
    assert browser.post(address, {"display_name": "Wilhelmina"}).status_code == 500
    assert Client().get(f"{address}?again=1").status_code == 200
    text = json.dumps(lines())
    assert "duplicate key value" in text
    assert "Internal Server Error: /join/" in text
    assert session.join_code not in text
    assert "Wilhelmina" not in text


@pytest.mark.parametrize("formatter", [logs.Plain(), logs.Json()], ids=["plain", "json"])
def test_both_formats_leave_the_same_out(formatter: logging.Formatter) -> None:
    record = log.makeRecord("x", logging.ERROR, "", 0, "Not Found: /join/ABC234/ and\nDETAIL: (Mia)", (), None)
    text = formatter.format(record)
    assert "ABC234" not in text
    assert "Mia" not in text
    assert "Not Found: /join/…/ and" in json.loads(text)["message"] if text[0] == "{" else text
