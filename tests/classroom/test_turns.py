"""However many people come at once, a process makes a few pages at a time."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from asgiref.sync import ThreadSensitiveContext
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.test import RequestFactory

from classroom import turns


class Pages:
    """Takes its time over each, and notes how many it made at once."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._lock = seconds, threading.Lock()
        self.now = self.most = 0

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
        time.sleep(self._seconds)
        with self._lock:
            self.now -= 1
        if request.path == "/broken/":
            raise ValueError("broken")
        return HttpResponse("a page")


def ask(answer: turns.Answer, path: str = "/") -> HttpResponseBase:
    return answer(RequestFactory().get(path))


def test_the_others_wait_in_line() -> None:
    pages = Pages(0.02)
    answer = turns.in_turn(pages)
    with ThreadPoolExecutor(4 * turns.AT_ONCE) as crowd:
        answers = list(crowd.map(lambda _: ask(answer), range(4 * turns.AT_ONCE)))
    assert {each.status_code for each in answers} == {200}
    assert 1 < pages.most <= turns.AT_ONCE


def test_whoever_asks_after_our_health_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "PATIENCE_SECONDS", 0.05)
    pages = Pages(0.5)
    answer = turns.in_turn(pages)
    with ThreadPoolExecutor(turns.AT_ONCE) as crowd:
        busy = [crowd.submit(ask, answer) for _ in range(turns.AT_ONCE)]
        while pages.now < turns.AT_ONCE:
            time.sleep(0.005)
        late = ask(answer)
        assert ask(answer, "/healthz").status_code == 200
    assert (late.status_code, late["Retry-After"]) == (503, "5")
    assert isinstance(late, HttpResponse)
    assert "Try again in a moment" in late.content.decode()
    assert {each.result().status_code for each in busy} == {200}


async def test_what_is_streamed_waits_in_a_short_line_and_keeps_no_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    let_go: list[bool] = []
    monkeypatch.setattr(turns, "let_connections_go", lambda: let_go.append(True))
    pieces, request = Pages(0.02), RequestFactory().get("/")

    async def stream() -> None:
        async with ThreadSensitiveContext():  # as each request has
            for _ in range(3):
                await turns.streamed(pieces, request)

    await asyncio.gather(*(stream() for _ in range(4 * turns.STREAMS_AT_ONCE)))
    assert 1 < pieces.most <= turns.STREAMS_AT_ONCE
    assert len(let_go) == 12 * turns.STREAMS_AT_ONCE


async def test_a_piece_that_breaks_gives_its_turn_back() -> None:
    for _ in range(turns.STREAMS_AT_ONCE + 1):
        with pytest.raises(ValueError, match="broken"):
            await turns.streamed(Pages(0), RequestFactory().get("/broken/"))


def test_a_page_that_breaks_gives_its_turn_back() -> None:
    answer = turns.in_turn(Pages(0))
    for _ in range(2 * turns.AT_ONCE):
        with pytest.raises(ValueError, match="broken"):
            ask(answer, "/broken/")
    assert ask(answer).status_code == 200


def test_whoever_has_gone_gets_no_page_made(monkeypatch: pytest.MonkeyPatch) -> None:
    pages = Pages(0)
    answer = turns.in_turn(pages)
    left = RequestFactory().get("/")
    left.scope = {"roomtone.gone": threading.Event()}  # type: ignore[attr-defined]
    assert answer(left).status_code == 200
    left.scope["roomtone.gone"].set()  # type: ignore[attr-defined]
    assert answer(left).status_code == 499
    assert pages.most == 1


async def test_a_browser_that_goes_is_noted() -> None:
    seen: list[bool] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        for _ in range(2):
            await receive()
            seen.append(scope["roomtone.gone"].is_set())

    messages = iter([{"type": "http.request"}, {"type": "http.disconnect"}])

    async def receive() -> Any:
        return next(messages)

    await turns.noting_who_goes(application)({"type": "http"}, receive, None)
    assert seen == [False, True]


def test_what_was_sent_in_vain_is_not_called_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "PATIENCE_SECONDS", 0.01)
    monkeypatch.setattr(turns, "_turns", threading.BoundedSemaphore(1))
    turns._turns.acquire()
    answer = turns.in_turn(Pages(0))
    (asked, sent) = (answer(RequestFactory().generic(method, "/")) for method in ("GET", "POST"))
    assert isinstance(asked, HttpResponse)
    assert isinstance(sent, HttpResponse)
    assert "Try again</a>" in asked.content.decode()
    assert "Try again</a>" not in sent.content.decode()
    assert "What you sent was not taken" in sent.content.decode()
