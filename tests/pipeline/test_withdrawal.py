"""Many withdraw at once while real workers store: nothing lands after, and all of theirs goes within a second."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from typing import Any

import httpx
import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from websockets.exceptions import ConnectionClosed

from classroom.local.running import RunningProduct
from classroom.models import Participant
from emotions.frames import slots
from emotions.models import EmotionEvent
from emotions.store import live_key, sync_redis
from tests.pipeline.students import (
    Tab,
    camera,
    closing_connections,
    instructor_cookies,
    listen,
    new_session,
    new_student,
    page,
    portrait,
    student_cookies,
    until,
)

pytestmark = [pytest.mark.pipeline, pytest.mark.slow]

STUDENTS = 16
TOKEN = "a" * 32
SECOND = 1.0


def press(product: RunningProduct, student: Participant, what: str) -> float:
    """As the student's page does it; returns when the answer was there. A page's token comes with any page."""
    path, cookies = reverse(what, args=[student.session.public_id]), student_cookies(student)
    form = {"csrfmiddlewaretoken": TOKEN, "everything": "yes"}
    with httpx.Client(base_url=product.base_url, cookies=cookies | {"csrftoken": TOKEN}, timeout=30) as client:
        answer = client.post(path, data=form, headers={"Origin": product.base_url})
    assert answer.status_code == 302, answer.text
    return time.monotonic()


async def stream(tab: Tab, picture: bytes) -> None:
    """Until the socket is closed."""
    with suppress(ConnectionClosed):
        await tab.stream(90, 0.34, picture)


async def closing_time(tab: Tab) -> float:
    await asyncio.wait_for(tab.socket.wait_closed(), 60)
    assert tab.socket.close_code == 4411
    return time.monotonic()


async def gone_time(told: list[dict[str, Any]], student: Participant) -> float:
    """When a dashboard heard that the tile goes."""
    await until(lambda: str(student.public_id) in [gone for one in told for gone in one.get("gone", [])], 60)
    return time.monotonic()


def left_in_redis(student: Participant) -> list[str]:
    slot = sync_redis().exists(slots.slot_key(student.pk))
    reading = sync_redis().hexists(live_key(student.session_id), str(student.pk))
    return [name for name, there in (("slot", slot), ("reading", reading)) if there]


def stored(student: Participant) -> int:
    return EmotionEvent.objects.filter(participant_id=student.pk).count()


@closing_connections
@pytest.mark.parametrize("what", ["withdraw", "erase"])
async def test_all_withdraw_at_once(
    product: RunningProduct, alice: User, what: str, record_property: Callable[[str, object], None]
) -> None:
    session = new_session(alice)
    students = [new_student(session, f"Student {n}") for n in range(STUDENTS)]
    told: list[dict[str, Any]] = []
    async with AsyncExitStack() as stack:
        dashboard = await stack.enter_async_context(
            page(product, f"/ws/dashboard/{session.public_id}/", instructor_cookies(alice))
        )
        listener = asyncio.create_task(listen(dashboard, told))
        tabs = [await stack.enter_async_context(camera(product, student)) for student in students]
        streams = [asyncio.create_task(stream(tab, portrait("happy", n))) for n, tab in enumerate(tabs)]
        await until(lambda: all(tab.readings() for tab in tabs), 40)
        closed = [asyncio.create_task(closing_time(tab)) for tab in tabs]
        gone = [asyncio.create_task(gone_time(told, student)) for student in students]

        async def one(student: Participant) -> tuple[float, int]:
            at = await asyncio.to_thread(press, product, student, what)
            return at, stored(student)

        answers = await asyncio.gather(*(one(student) for student in students))
        delays = [await task - at for task, (at, _count) in zip(closed, answers, strict=True)]
        tiles = [await task - at for task, (at, _count) in zip(gone, answers, strict=True)]
        await asyncio.sleep(SECOND)
        assert [left_in_redis(student) for student in students] == [[]] * STUDENTS
        await asyncio.sleep(2)
        for task in streams:
            task.cancel()
        await asyncio.gather(*streams, return_exceptions=True)
        listener.cancel()
    at_answer = [count for _at, count in answers]
    assert [stored(student) for student in students] == at_answer, "a reading landed after"
    assert min(at_answer) > 0 if what == "withdraw" else at_answer == [0] * STUDENTS
    record_property("socket_closed_after_seconds", round(max(delays), 3))
    record_property("tile_gone_after_seconds", round(max(tiles), 3))
    print(f"{what}: sockets closed within {max(delays):.3f} s, tiles gone within {max(tiles):.3f} s")  # noqa: T201
    assert max(delays) < SECOND
    assert max(tiles) < SECOND
