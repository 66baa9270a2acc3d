"""How many pages one web process makes at once.

Django gives every request a thread, and every thread its own connection to the database, which has a hundred for
everybody. A school that opens its join links together would use them up, and students would read of an error. So they
wait in line, which is short: a page takes some hundredths of a second.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from django.db import connections
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string

AT_ONCE = 16
PATIENCE_SECONDS = 30.0
# They ask whether this very process still serves, and must not wait for it.
PASSED = frozenset({"/healthz", "/readyz", "/metrics"})

Answer = Callable[[HttpRequest], HttpResponseBase]

_turns = threading.BoundedSemaphore(AT_ONCE)


def in_turn(get_response: Answer) -> Answer:
    """A middleware. After PATIENCE_SECONDS in line the answer is 503, in words.

    Behind the files' middleware (a file needs no database), before everything that asks the database. What is
    streamed afterwards takes a connection of its own.
    """

    def answer(request: HttpRequest) -> HttpResponseBase:
        if request.path_info in PASSED:
            return get_response(request)
        if not _turns.acquire(timeout=PATIENCE_SECONDS):
            return _too_many(request)
        try:
            return get_response(request)
        finally:
            _let_connections_go()
            _turns.release()

    return answer


def _let_connections_go() -> None:
    """Else this thread would keep its own until a slow browser has taken the page in."""
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:  # as a test's
            connection.close()


def _too_many(request: HttpRequest) -> HttpResponse:
    # Without the request: no context processor may ask the database now.
    return HttpResponse(render_to_string("503.html"), status=503, headers={"Retry-After": "5"})
