"""Whoever may no longer watch a class loses its dashboard within seconds, whatever took the right away."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from importlib import import_module
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from classroom import actions
from classroom.models import ClassSession, Course
from emotions import publish
from emotions.consumers import dashboard, guard
from emotions.consumers.base import TRY_AGAIN_LATER
from emotions.messages import SessionChanged, StillHere
from emotions.store import sync_redis
from tests.emotions.conftest import Join
from tests.emotions.sockets import APPLICATION, browser, camera, instructor_cookies, student_cookies, web_process

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
async def _own_loop(keys: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    monkeypatch.setattr(guard, "ASKED_AGAIN_SECONDS", 0.1)
    async with web_process():
        yield


def _sign_out(cookies: dict[str, str], session: ClassSession) -> None:
    client = Client()
    client.cookies.load(cookies)
    client.post("/accounts/logout/")


def _forget_the_sign_in(cookies: dict[str, str], session: ClassSession) -> None:
    import_module(settings.SESSION_ENGINE).SessionStore(cookies["sessionid"]).delete()


def _lock_the_account(cookies: dict[str, str], session: ClassSession) -> None:
    User.objects.filter(username="alice").update(is_active=False)


def _set_a_password(cookies: dict[str, str], session: ClassSession) -> None:
    alice = User.objects.get(username="alice")
    alice.set_password("another long password")
    alice.save()


def _hand_the_course_over(cookies: dict[str, str], session: ClassSession) -> None:
    Course.objects.filter(pk=session.course_id).update(instructor=User.objects.create_user("dora"))


@pytest.mark.parametrize(
    ("happens", "code"),
    [
        (_sign_out, 4401),
        (_forget_the_sign_in, 4401),
        (_lock_the_account, 4401),
        (_set_a_password, 4401),
        (_hand_the_course_over, 4404),
    ],
)
async def test_the_socket_closes(
    session: ClassSession,
    alice: User,
    pages: None,
    happens: Callable[[dict[str, str], ClassSession], None],
    code: int,
) -> None:
    cookies = await sync_to_async(instructor_cookies)(alice)
    async with browser(f"/ws/dashboard/{session.public_id}/", cookies) as page:
        assert (await page.hear())["type"] == "mood.snapshot"
        await sync_to_async(happens)(cookies, session)
        assert await page.close_code() == code


async def test_who_still_may_goes_on_watching(session: ClassSession, alice: User) -> None:
    """And hears now and then that the line lives: of an empty room there is no other news."""
    cookies = await sync_to_async(instructor_cookies)(alice)
    async with browser(f"/ws/dashboard/{session.public_id}/", cookies) as page:
        await page.hear_type("session.changed")
        told = [await page.hear() for _ in range(3)]
    assert {one["type"] for one in told} == {"still.here"}
    assert told[0]["now_ms"] < told[2]["now_ms"] == pytest.approx(time.time() * 1000, abs=5000)


@pytest.mark.parametrize("error", [OperationalError("the database is away"), ValueError("a fault of ours")])
async def test_a_question_that_fails_takes_the_page_from_nobody(
    session: ClassSession, alice: User, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    asked: list[object] = []

    def away(*arguments: object) -> None:
        asked.append(arguments)
        raise error

    cookies = await sync_to_async(instructor_cookies)(alice)
    async with browser(f"/ws/dashboard/{session.public_id}/", cookies) as page:
        await page.hear_type("session.changed")
        monkeypatch.setattr(dashboard, "admit_instructor", away)
        told = [await page.hear() for _ in range(4)]
    assert {one["type"] for one in told} == {"still.here"}
    assert len(asked) > 1


async def test_a_sign_in_that_cannot_be_read_keeps_no_student_out(
    session: ClassSession, alice: User, join: Join, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who signed in is asked after the handshake, and of an instructor's socket alone: whoever teaches with a browser
    may sit in another class with it. A page then hears that it may come back."""
    cookies, sam = await sync_to_async(instructor_cookies)(alice), await sync_to_async(join)("Sam")

    def away(store: SessionStore) -> None:
        raise OperationalError("the database is away")

    monkeypatch.setattr(SessionStore, "load", away)
    async with camera(sam, cookies | student_cookies(sam)) as tab:
        assert await tab.silent()
    for path in (f"/ws/dashboard/{session.public_id}/", f"/ws/room/{session.public_id}/"):
        async with browser(path, cookies) as page:
            assert await page.close_code() == TRY_AGAIN_LATER


async def test_a_word_that_could_not_be_said_ends_no_guard(
    session: ClassSession, alice: User, pages: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults = [RuntimeError("a fault of ours"), OSError("the line hangs")]

    def here(now_ms: float) -> StillHere:
        if faults:
            raise faults.pop()
        return StillHere(now_ms=now_ms)

    cookies = await sync_to_async(instructor_cookies)(alice)
    async with browser(f"/ws/dashboard/{session.public_id}/", cookies) as page:
        monkeypatch.setattr(guard, "StillHere", here)
        await page.hear_type("still.here")
        await sync_to_async(_sign_out)(cookies, session)
        assert await page.close_code() == 4401
    assert not faults


async def test_a_dashboard_that_comes_back_after_the_end_hears_of_it(alice: User, session: ClassSession) -> None:
    """After what it has missed: a laptop may have slept through the end."""
    cookies = await sync_to_async(instructor_cookies)(alice)
    await sync_to_async(actions.end_session)(session)
    async with browser(f"/ws/dashboard/{session.public_id}/?after=3", cookies) as page:
        assert (await page.hear())["type"] == "mood.snapshot"
        assert await page.close_code() == 4410


async def test_a_dashboard_hears_of_an_end_that_was_not_told(alice: User, session: ClassSession) -> None:
    """Redis was away in that moment."""
    cookies = await sync_to_async(instructor_cookies)(alice)
    async with browser(f"/ws/dashboard/{session.public_id}/", cookies) as page:
        await page.hear_type("mood.snapshot")
        await sync_to_async(ClassSession.objects.filter(pk=session.pk).update)(ended_at=timezone.now())
        assert await page.close_code() == 4410


async def test_a_dashboard_whose_browser_hangs_leaves_nothing_behind(alice: User, session: ClassSession) -> None:
    """It stops in the middle of a message that it does not take in, not while it waits for one."""
    cookies = await sync_to_async(instructor_cookies)(alice)
    header = "; ".join(f"{name}={value}" for name, value in cookies.items()).encode()
    inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    full, gone, sent = asyncio.Event(), asyncio.Event(), 0

    async def send(message: dict[str, Any]) -> None:
        nonlocal sent
        sent += message["type"] == "websocket.send"
        if sent == 2:
            full.set()
            await gone.wait()
            raise OSError("the browser went")

    path = f"/ws/dashboard/{session.public_id}/"
    scope = {"type": "websocket", "path": path, "query_string": b"", "headers": [(b"cookie", header)]}
    open_socket = asyncio.create_task(APPLICATION(scope | {"subprotocols": []}, inbox.get, send))
    await inbox.put({"type": "websocket.connect"})
    changed = SessionChanged(join_code="A", code_shown="A", join_path="/join/A/", joining_locked=False, ended=False)
    while not full.is_set():
        await sync_to_async(publish.session_changed)(sync_redis(), session.pk, changed)
        await asyncio.sleep(0.05)
    assert get_channel_layer().channels
    await inbox.put({"type": "websocket.disconnect", "code": 1006})
    await asyncio.sleep(0.1)
    gone.set()
    await asyncio.gather(open_socket, return_exceptions=True)
    layer = get_channel_layer()
    assert (layer.channels, layer.groups) == ({}, {})
    assert not layer._shards[0]._subscribed_to
