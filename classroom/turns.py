"""How many pages one web process makes at once.

Django gives every request a thread, and every thread its own connection to the database, which has a hundred for
everybody. A school that opens its join links together would use them up, and students would read of an error. So they
wait in line, which is short: a page takes some hundredths of a second.
"""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable
from typing import Any, ParamSpec, TypeVar

from asgiref.sync import sync_to_async
from django.db import connections
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string

AT_ONCE = 16
STREAMS_AT_ONCE = 2
"""Pieces of what is streamed, also where a whole class downloads together: these are outside of the pages' line."""
PATIENCE_SECONDS = 30.0
# They ask whether this very process still serves, and must not wait for it. What they ask the database is asked once
# at a time (classroom.views.health), or for those alone who bear the token of /metrics.
PASSED = frozenset({"/healthz", "/readyz", "/metrics"})

_GONE = "roomtone.gone"

Answer = Callable[[HttpRequest], HttpResponseBase]
Application = Callable[[Any, Any, Any], Awaitable[None]]

_P = ParamSpec("_P")
_T = TypeVar("_T")
_turns = threading.BoundedSemaphore(AT_ONCE)
_streams = threading.BoundedSemaphore(STREAMS_AT_ONCE)


def in_turn(get_response: Answer) -> Answer:
    """A middleware. After PATIENCE_SECONDS in line the answer is 503, in words. Who has gone meanwhile gets no page
    made: a student who reloads again and again must not fill the line.

    Behind the files' middleware (a file needs no database), before everything that asks the database. What is
    streamed afterwards waits in a line of its own (`streamed`).
    """

    def answer(request: HttpRequest) -> HttpResponseBase:
        if request.path_info in PASSED:
            return get_response(request)
        if not _turns.acquire(timeout=PATIENCE_SECONDS):
            return _too_many(request)
        try:
            return HttpResponse(status=499) if _has_gone(request) else get_response(request)
        finally:
            let_connections_go()
            _turns.release()

    return answer


async def streamed(question: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """The database's answer for a piece of what is streamed, and no connection kept while a browser takes in what
    became of it."""

    def ask() -> _T:
        with _streams:
            try:
                return question(*args, **kwargs)
            finally:
                let_connections_go()

    return await sync_to_async(ask)()


def noting_who_goes(application: Application) -> Application:
    """Tells `in_turn` of browsers that have gone: a thread that waits in line is not stopped by it."""

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        gone = threading.Event()

        async def heard() -> Any:
            message = await receive()
            if message["type"] == "http.disconnect":
                gone.set()
            return message

        await application(scope | {_GONE: gone}, heard, send)

    return answer


def let_connections_go() -> None:
    """Else this thread would keep its own until a slow browser has taken the page in; or, of what is streamed, the
    piece."""
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:  # as a test's
            connection.close()


def _has_gone(request: HttpRequest) -> bool:
    gone = getattr(request, "scope", {}).get(_GONE)
    return gone is not None and gone.is_set()


def _too_many(request: HttpRequest) -> HttpResponse:
    # Without the request: no context processor may ask the database now.
    page = render_to_string("503.html", {"sent": request.method not in {"GET", "HEAD"}})
    return HttpResponse(page, status=503, headers={"Retry-After": "5"})
