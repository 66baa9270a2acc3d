"""The log's lines: for people or, one JSON object each, for a collector; with the request's id where there is one.

What a line may not say is taken out of it here, wherever it came from: join codes in addresses, and the rows that
Postgres quotes in an error (names among them). Frames and what was typed into forms are never logged to begin with.
"""

from __future__ import annotations

import json
import logging
import re
import uuid
from collections.abc import Awaitable, Callable
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
participant: ContextVar[int | None] = ContextVar("participant", default=None)
"""The number of the participant whom the request or socket belongs to, where it is known."""

HEADER = "X-Request-ID"
_ACCEPTED = re.compile(r"[A-Za-z0-9._-]{8,64}")
# An address of the join page, and the lines in which Postgres shows a row.
_CODE = re.compile(r"(/join/)[^/\s\"'?]+")
_ROW = re.compile(r"^(DETAIL|CONTEXT|HINT|LINE \d+): .*$", re.MULTILINE)


def redacted(text: str) -> str:
    """Without what a log may not keep."""
    return _ROW.sub(r"\1: …", _CODE.sub(r"\1…", text))


class Plain(logging.Formatter):
    """For people."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        return _one_line(redacted(super().format(record)))


def _one_line(text: str) -> str:
    """What somebody typed can't pretend to be a line of ours: lines that go on begin with blanks and a bar, and signs
    that would move a terminal's cursor are spelt out."""
    spelt = "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)
    return spelt.replace("\n", "\n    | ")


class Json(logging.Formatter):
    """One object a line: time (UTC), level, logger, message, process; request, participant and error where known."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": redacted(record.getMessage()),
            "process": record.process,
        }
        known = {"request": request_id.get(), "participant": participant.get(), "error": self._error(record)}
        return json.dumps(line | {name: value for name, value in known.items() if value is not None})

    def _error(self, record: logging.LogRecord) -> str | None:
        return redacted(self.formatException(record.exc_info)) if record.exc_info else None


# -- Whose line it is

Answer = HttpResponseBase
Get = Callable[[HttpRequest], Any]


@sync_and_async_middleware
def request_ids(get_response: Get) -> Get:
    """Each request has an id: in its log lines, and given back as X-Request-ID. The proxy's own, where one is trusted
    (see TRUST_REQUEST_ID) and what it sends looks like an id."""
    if not iscoroutinefunction(get_response):

        def answer(request: HttpRequest) -> Answer:
            with _named(request) as name:
                return _marked(get_response(request), name)

        return answer

    async def answer_soon(request: HttpRequest) -> Answer:
        with _named(request) as name:
            response: Awaitable[Answer] = get_response(request)
            return _marked(await response, name)

    return answer_soon


@contextmanager
def _named(request: HttpRequest) -> Any:
    """The next request in this thread or task begins without this one's marks."""
    name = _id_of(request)
    was, holder = request_id.set(name), participant.set(None)
    try:
        yield name
    finally:
        request_id.reset(was)
        participant.reset(holder)


def _id_of(request: HttpRequest) -> str:
    sent = request.headers.get(HEADER, "") if settings.TRUST_REQUEST_ID else ""
    return sent if _ACCEPTED.fullmatch(sent) else uuid.uuid4().hex


def _marked(response: Answer, name: str) -> Answer:
    response.headers[HEADER] = name
    return response
