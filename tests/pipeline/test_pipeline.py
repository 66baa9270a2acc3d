"""The way of a frame through the running product: browser, web, Redis, worker, database, ticker, dashboard."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from typing import Any

import pytest
from django.contrib.auth.models import User
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin

from classroom import actions
from classroom.local.running import RunningProduct
from emotions.frames.frame import FrameHeader
from emotions.messages import MoodSnapshot, MoodTick
from emotions.models import EmotionEvent, MinuteRollup, MoodPoint
from emotions.mood.board import apply_tick
from tests.pipeline.students import (
    camera,
    closing_connections,
    instructor_cookies,
    listen,
    new_session,
    new_student,
    page,
    portrait,
    until,
)

pytestmark = pytest.mark.pipeline


@closing_connections
async def test_a_class_is_measured_and_its_teacher_sees_it(product: RunningProduct, alice: User) -> None:
    session = new_session(alice)
    students = [new_student(session, f"Student {n}", "individual" if n < 3 else "aggregate") for n in range(9)]
    told: list[dict[str, Any]] = []
    async with AsyncExitStack() as stack:
        dashboard = await stack.enter_async_context(
            page(product, f"/ws/dashboard/{session.public_id}/", instructor_cookies(alice))
        )
        listener = asyncio.create_task(listen(dashboard, told))
        tabs = [await stack.enter_async_context(camera(product, student)) for student in students]
        await tabs[0].show(portrait("happy", 0))
        await until(tabs[0].readings, 30)  # the first frame loads the network
        await asyncio.gather(*(tab.stream(4, 0.5, portrait("happy", n)) for n, tab in enumerate(tabs)))
        await until(lambda: all(len(tab.answers) == tab.sent for tab in tabs))

        # Each frame has one answer, and each reading that a student was told is stored.
        for student, tab in zip(students, tabs, strict=True):
            stored = set(EmotionEvent.objects.filter(participant=student).values_list("sequence", flat=True))
            assert tab.readings() == stored
            assert stored
            expected = "individual" if student.scope == "individual" else "aggregate"
            own = [message for message in tab.heard if message["type"] == "reading.own"]
            assert {message["seen_by_teacher"] for message in own} == {expected}

        # The dashboard has seen the class, tile by tile only who shares individually.
        whole = await until(lambda: told and told[-1].get("point", {}).get("measured") == 9 and told[-1])
        assert sum(whole["point"]["shares"]) == pytest.approx(1, abs=0.01)
        ticks = [MoodTick.model_validate(message) for message in told if message["type"] == "mood.tick"]
        assert {tile.id for tick in ticks for tile in tick.tiles} == {student.public_id for student in students[:3]}

        # What it holds now is what a dashboard that opens now is told.
        held = MoodSnapshot.model_validate(told[0])
        for message in [message for message in told if message["type"] == "mood.tick"]:
            held = apply_tick(held, MoodTick.model_validate(message))
        async with page(product, f"/ws/dashboard/{session.public_id}/", instructor_cookies(alice)) as another:
            fresh = MoodSnapshot.model_validate_json(await asyncio.wait_for(another.recv(), 10))
        for message in await _later(told, held.sequence, fresh.sequence):
            held = apply_tick(held, MoodTick.model_validate(message))
        assert held == fresh

        # Withdrawal: the socket closes, the tile goes, nothing more is stored.
        actions.withdraw(students[0])
        assert await tabs[0].closed_with() == 4411
        await until(lambda: str(students[0].public_id) in [gone for one in told for gone in one.get("gone", [])])

        actions.end_session(session)
        assert [await tab.closed_with() for tab in tabs[1:]] == [4410] * 8
        assert tabs[1].heard[-1] == {"type": "session.ended"}
        await until(lambda: told[-1].get("ended"))
        listener.cancel()
    events = EmotionEvent.objects.filter(session=session)
    counted = MinuteRollup.objects.filter(session=session).values_list("readings", flat=True)
    assert sum(counted) == events.count()
    sequences = list(MoodPoint.objects.filter(session=session).values_list("sequence", flat=True))
    assert sequences == list(range(1, len(sequences) + 1))


async def _later(told: list[dict[str, Any]], after: int, upto: int) -> list[dict[str, Any]]:
    """The ticks between two sequences, waited for."""

    def between() -> list[dict[str, Any]]:
        ticks = [message for message in told if message["type"] == "mood.tick"]
        return [tick for tick in ticks if after < tick["point"]["sequence"] <= upto]

    await until(lambda: len(between()) == max(0, upto - after))
    return between()


@closing_connections
async def test_a_visitor_sees_every_face_and_nothing_is_stored(product: RunningProduct) -> None:
    before = EmotionEvent.objects.count()
    async with page(product, "/ws/try/", {}) as visitor:
        await visitor.send(FrameHeader(1, 1e12, 0).pack() + portrait("happy", 3))
        answer = json.loads(await asyncio.wait_for(visitor.recv(), 30))
    assert (answer["type"], answer["sequence"], len(answer["faces"])) == ("try.reading", 1, 1)
    assert sum(answer["faces"][0]["probabilities"]) == pytest.approx(1, abs=0.01)
    assert EmotionEvent.objects.count() == before


@closing_connections
async def test_a_socket_of_another_origin_is_refused(product: RunningProduct, alice: User) -> None:
    session = new_session(alice)
    with pytest.raises(InvalidStatus):
        async with connect(
            f"{product.ws_url}/ws/camera/{session.public_id}/", origin=Origin("https://elsewhere.example")
        ):
            pass
