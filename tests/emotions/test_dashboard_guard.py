"""Whoever may no longer watch a class loses its dashboard within seconds, whatever took the right away."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from importlib import import_module

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth.models import User
from django.db import OperationalError
from django.test import Client

from classroom.models import ClassSession, Course
from emotions.consumers import dashboard, guard
from tests.emotions.sockets import browser, instructor_cookies, web_process

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
    cookies = await sync_to_async(instructor_cookies)(alice)
    async with browser(f"/ws/dashboard/{session.public_id}/", cookies) as page:
        await page.hear()
        assert await page.silent(0.5)


async def test_a_database_that_is_away_takes_the_page_from_nobody(
    session: ClassSession, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []

    def away(*arguments: object) -> None:
        asked.append(arguments)
        raise OperationalError("the database is away")

    cookies = await sync_to_async(instructor_cookies)(alice)
    async with browser(f"/ws/dashboard/{session.public_id}/", cookies) as page:
        await page.hear()
        monkeypatch.setattr(dashboard, "admit_instructor_again", away)
        assert await page.silent(0.5)
    assert len(asked) > 1
