"""A room's camera against the product's own processes: many faces in, sums out, off within a second."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User

from classroom import actions, rooms
from classroom.local.running import RunningProduct
from classroom.models import ClassSession, Participant
from emotions.actions import record_room
from emotions.models import EmotionEvent, RoomReading
from emotions.mood.rooms import BLOCK_MS, LATE_MS
from ml.synthetic import SyntheticFaces, compose_frame
from tests.emotions.parts import room_sums
from tests.pipeline.students import (
    Tab,
    closing_connections,
    instructor_cookies,
    listen,
    new_session,
    page,
    until,
)

pytestmark = pytest.mark.pipeline


@lru_cache(maxsize=4)
def room_picture(people: int) -> bytes:
    """1280 x 720, in places for twelve: the first `people` are taken, by faces of nobody who look happy."""
    faces, rng = SyntheticFaces.load(), np.random.default_rng(3)
    shown = [compose_frame(faces.face("happy", rng), rng) for _ in range(people)]
    empty = [np.full((240, 320, 3), 150, np.uint8)] * (12 - people)
    places = [*shown, *empty]
    rows = [np.hstack(places[start : start + 4]) for start in (0, 4, 8)]
    done, data = cv2.imencode(".jpg", np.vstack(rows), [cv2.IMWRITE_JPEG_QUALITY, 70])
    assert done
    return bytes(data)


def declared(session: ClassSession, by: User) -> Participant:
    return actions.declare_room(session, by, rooms.declaration(session).sha256).participant


@asynccontextmanager
async def room_page(product: RunningProduct, session: ClassSession, owner: User) -> AsyncIterator[Tab]:
    """The instructor's page after its welcome."""
    async with page(product, f"/ws/room/{session.public_id}/", instructor_cookies(owner)) as socket:
        welcome = json.loads(await asyncio.wait_for(socket.recv(), 15))
        assert welcome["type"] == "welcome", welcome
        await socket.send(json.dumps({"type": "hello", "client_ms": time.time() * 1000}))
        tab = Tab(socket, welcome["consent_epoch"])
        listener = asyncio.create_task(listen(socket, tab.heard))
        try:
            yield tab
        finally:
            listener.cancel()


async def answer(tab: Tab, picture: bytes) -> dict[str, Any]:
    sequence = await tab.show(picture)
    told = await until(lambda: next((one for one in tab.heard if one.get("sequence") == sequence), None), 30)
    await asyncio.sleep(1.0)  # a room's pictures come slowly
    return dict(told)


def stored(session: ClassSession) -> list[RoomReading]:
    return list(RoomReading.objects.filter(session=session).order_by("sequence"))


@closing_connections
async def test_a_room_is_summed_up_and_nobody_kept(product: RunningProduct, alice: User) -> None:
    session = new_session(alice)
    camera = declared(session, alice)
    async with room_page(product, session, alice) as tab:
        full = await answer(tab, room_picture(12))
        assert full["type"] == "room.read"
        assert full["faces"] == 12
        few = await answer(tab, room_picture(3))
        assert (few["type"], few["faces"], few["uncertain"], few["needed"]) == ("room.read", None, None, 5)
        assert (await answer(tab, b"\xff\xd8 no picture"))["reason"] == "not_jpeg"
        (row,) = stored(session)
        assert (row.faces, row.participant, row.sequence) == (12, camera, full["sequence"])
        assert sum(row.sums) == pytest.approx(12, abs=0.01)
        assert max(row.sums) == row.sums[3] > 6, "they look happy"

        # Taken back: the socket closes, and what is on its way is not stored.
        await tab.show(room_picture(12))
        actions.withdraw_room(session, alice)
        at_withdrawal, begun = len(stored(session)), time.monotonic()
        assert await tab.closed_with() == 4411
        assert time.monotonic() - begun < 1
    await asyncio.sleep(2)
    assert len(stored(session)) == at_withdrawal
    assert not EmotionEvent.objects.filter(session=session).exists()
    actions.end_session(session)


@closing_connections
async def test_a_dashboard_is_told_of_a_room_in_which_nobody_has_joined(product: RunningProduct, alice: User) -> None:
    session = new_session(alice)
    camera = declared(session, alice)
    told: list[dict[str, Any]] = []
    async with page(product, f"/ws/dashboard/{session.public_id}/", instructor_cookies(alice)) as dashboard:
        listener = asyncio.create_task(listen(dashboard, told))
        await sync_to_async(fill_blocks)(camera)
        tick = await until(lambda: next((one for one in told if one.get("room")), None))
        assert (tick["room"]["faces"], tick["room"]["uncertain"]) == (8, 1)
        assert (tick["point"]["joined"], tick["point"]["measured"], tick["point"]["shares"]) == (0, 0, None)
        actions.withdraw_room(session, alice)
        begun = time.monotonic()
        await until(lambda: told[-1]["type"] == "mood.tick" and told[-1]["room"] is None, 5)
        assert time.monotonic() - begun < 2
        listener.cancel()
    actions.end_session(session)


def fill_blocks(camera: Participant) -> None:
    """As if the camera had been on for the last minutes; also for the half minute that ends meanwhile."""
    first = (time.time() * 1000 - LATE_MS) // BLOCK_MS * BLOCK_MS - BLOCK_MS
    for n in range(30):
        record_room(room_sums(camera, sequence=n, captured_ms=first + 2_000 * n))
