"""The way of a frame through the running product: browser, web, Redis, worker, database, ticker, dashboard."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib.auth.models import User
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin

from classroom import actions
from classroom.local.running import RunningProduct
from classroom.models import ClassSession, Participant
from emotions.frames.frame import FrameHeader
from emotions.messages import MoodSnapshot, MoodTick
from emotions.models import EmotionEvent, MinuteRollup, MoodPoint
from tests.emotions.ticks import apply_tick
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
    until,
)

pytestmark = pytest.mark.pipeline


@dataclass
class Measured:
    """A class of nine whose pictures were read, three by name, and what its open dashboard was told."""

    session: ClassSession
    students: list[Participant]
    tabs: list[Tab]
    told: list[dict[str, Any]]

    @property
    def ticks(self) -> list[MoodTick]:
        return [MoodTick.model_validate(message) for message in self.told if message["type"] == "mood.tick"]


@asynccontextmanager
async def measured_class(product: RunningProduct, owner: User) -> AsyncIterator[Measured]:
    session = new_session(owner)
    students = [new_student(session, f"Student {n}", "individual" if n < 3 else "aggregate") for n in range(9)]
    told: list[dict[str, Any]] = []
    async with AsyncExitStack() as stack:
        dashboard = await stack.enter_async_context(
            page(product, f"/ws/dashboard/{session.public_id}/", instructor_cookies(owner))
        )
        listener = asyncio.create_task(listen(dashboard, told))
        tabs = [await stack.enter_async_context(camera(product, student)) for student in students]
        await tabs[0].show(portrait("happy", 0))
        await until(tabs[0].readings, 30)  # the first frame loads the network
        await asyncio.gather(*(tab.stream(4, 0.5, portrait("happy", n)) for n, tab in enumerate(tabs)))
        await until(lambda: all(len(tab.answers) == tab.sent for tab in tabs))
        yield Measured(session, students, tabs, told)
        listener.cancel()


@closing_connections
async def test_a_class_is_measured_and_its_teacher_sees_it(product: RunningProduct, alice: User) -> None:
    async with measured_class(product, alice) as lecture:
        what_was_told_is_stored(lecture)
        await the_dashboard_shows_it(lecture)
        await a_new_dashboard_is_told_the_same(product, alice, lecture)
        await who_withdraws_is_gone(lecture)
        await the_end_is_told_to_everybody(lecture)
    all_of_it_is_counted(lecture.session)


def what_was_told_is_stored(lecture: Measured) -> None:
    """Each frame has one answer, and each reading that a student was told is stored."""
    for student, tab in zip(lecture.students, lecture.tabs, strict=True):
        stored = set(EmotionEvent.objects.filter(participant=student).values_list("sequence", flat=True))
        assert tab.readings() == stored
        assert stored
        expected = "individual" if student.scope == "individual" else "aggregate"
        own = [message for message in tab.heard if message["type"] == "reading.own"]
        assert {message["seen_by_teacher"] for message in own} == {expected}


async def the_dashboard_shows_it(lecture: Measured) -> None:
    """Tile by tile only who shares individually."""
    told = lecture.told
    whole = await until(lambda: told and told[-1].get("point", {}).get("measured") == 9 and told[-1])
    assert sum(whole["point"]["shares"]) == pytest.approx(1, abs=0.01)
    tiles = {tile.id for tick in lecture.ticks for tile in tick.tiles}
    assert tiles == {student.public_id for student in lecture.students[:3]}


async def a_new_dashboard_is_told_the_same(product: RunningProduct, owner: User, lecture: Measured) -> None:
    """As another holds by now."""
    held = MoodSnapshot.model_validate(lecture.told[0])
    for tick in lecture.ticks:
        held = apply_tick(held, tick)
    address = f"/ws/dashboard/{lecture.session.public_id}/"
    async with page(product, address, instructor_cookies(owner)) as another:
        fresh = MoodSnapshot.model_validate_json(await asyncio.wait_for(another.recv(), 10))
    for tick in await _later(lecture, held.sequence, fresh.sequence):
        held = apply_tick(held, tick)
    assert held == fresh


async def who_withdraws_is_gone(lecture: Measured) -> None:
    """The socket closes, the tile goes, nothing more is stored."""
    student, told = lecture.students[0], lecture.told
    actions.withdraw(student)
    assert await lecture.tabs[0].closed_with() == 4411
    await until(lambda: str(student.public_id) in [gone for one in told for gone in one.get("gone", [])])


async def the_end_is_told_to_everybody(lecture: Measured) -> None:
    actions.end_session(lecture.session)
    assert [await tab.closed_with() for tab in lecture.tabs[1:]] == [4410] * 8
    assert lecture.tabs[1].heard[-1] == {"type": "session.ended"}
    await until(lambda: lecture.told[-1].get("ended"))


def all_of_it_is_counted(session: ClassSession) -> None:
    events = EmotionEvent.objects.filter(session=session)
    counted = MinuteRollup.objects.filter(session=session).values_list("readings", flat=True)
    assert sum(counted) == events.count()
    sequences = list(MoodPoint.objects.filter(session=session).values_list("sequence", flat=True))
    assert sequences == list(range(1, len(sequences) + 1))


async def _later(lecture: Measured, after: int, upto: int) -> list[MoodTick]:
    """The ticks between two sequences, waited for."""

    def between() -> list[MoodTick]:
        return [tick for tick in lecture.ticks if after < tick.point.sequence <= upto]

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
