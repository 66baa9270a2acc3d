"""Every kind of bad input against the running product: a defined answer, and nobody else notices."""

from __future__ import annotations

import asyncio
import struct
import time
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import User
from websockets.exceptions import ConnectionClosed

from classroom import actions
from classroom.local.running import RunningProduct
from classroom.models import ClassSession
from emotions.frames.frame import FrameHeader
from emotions.models import EmotionEvent
from tests.pipeline.students import (
    Tab,
    camera,
    closing_connections,
    new_session,
    new_student,
    page,
    portrait,
    student_cookies,
    until,
)

pytestmark = pytest.mark.pipeline

DAY_MS = 24 * 3600 * 1000
PACE_SECONDS = 0.4


def declaring(width: int, height: int) -> bytes:
    """A picture whose header claims another size."""
    data = bytearray(portrait())
    place = data.index(b"\xff\xc0") + 5
    data[place : place + 4] = struct.pack(">HH", height, width)
    return bytes(data)


def scrambled() -> bytes:
    """Begins and ends as a JPEG does, and is none in between."""
    data = bytearray(portrait())
    start = data.index(b"\xff\xda")
    return bytes(data[: start - 200]) + bytes(200) + bytes(data[start:])


BAD_PICTURES = {
    "too large": (portrait() + b"\0" * 60_000, {"too_large"}),
    "not a JPEG": (b"<html>hello</html>", {"not_jpeg"}),
    "truncated": (portrait()[:-400], {"truncated"}),
    "one pixel": (declaring(1, 1), {"dimensions"}),
    "gigabytes declared": (declaring(20_000, 20_000), {"dimensions"}),
    "scrambled": (scrambled(), {"not_jpeg", "undecodable", "truncated"}),
}


@closing_connections
async def test_bad_pictures_are_answered_and_a_neighbour_is_read_all_the_while(
    product: RunningProduct, alice: User
) -> None:
    session = new_session(alice)
    sam, mia = new_student(session, "Sam"), new_student(session, "Mia")
    async with camera(product, sam) as bad, camera(product, mia) as good:
        neighbour = asyncio.create_task(good.stream(60, PACE_SECONDS, portrait("happy", 2)))
        await until(good.readings, 30)
        for name, (picture, reasons) in BAD_PICTURES.items():
            sequence = await bad.show(picture)
            answer = await until(partial(bad.answer_to, sequence))
            assert answer.get("reason") in reasons, (name, answer)
            await asyncio.sleep(PACE_SECONDS)
        await bad.show(portrait())
        await until(bad.readings)
        neighbour.cancel()
        before = len(good.readings())
        await until(lambda: len(good.answers) == good.sent)
        refused = [one for one in good.answers.values() if one["type"] == "frame.rejected"]
    assert refused == []
    assert before > len(BAD_PICTURES)
    assert EmotionEvent.objects.filter(participant=sam).count() == len(bad.readings()) == 1


async def _reason(tab: Tab, message: bytes) -> Any:
    """The refusal of one raw message."""
    heard = len(tab.heard)
    await tab.socket.send(message)
    return (await until(lambda: tab.heard[heard:]))[0].get("reason")


@closing_connections
async def test_bad_headers_epochs_and_times(product: RunningProduct, alice: User) -> None:
    student = new_student(new_session(alice), "Sam")
    now = time.time() * 1000
    async with camera(product, student) as tab:
        cases = [
            (b"", "bad_header"),
            (b"\0" * 15, "bad_header"),
            (FrameHeader(1, float("inf"), 1).pack() + portrait(), "bad_header"),
            (FrameHeader(2, now, 0).pack() + portrait(), "old_epoch"),
            (FrameHeader(3, now, 7).pack() + portrait(), "old_epoch"),
            (FrameHeader(3, now, 1).pack() + portrait(), "repeated"),
            (FrameHeader(4, now - 60_000, 1).pack() + portrait(), "stale"),
        ]
        for message, reason in cases:
            assert await _reason(tab, message) == reason
            await asyncio.sleep(PACE_SECONDS)
    assert not EmotionEvent.objects.filter(participant=student).exists()


@closing_connections
async def test_a_clock_a_day_off_is_corrected(product: RunningProduct, alice: User) -> None:
    student = new_student(new_session(alice), "Sam")
    async with camera(product, student) as tab:
        await tab.socket.send('{"type": "hello", "client_ms": %f}' % (time.time() * 1000 + DAY_MS))
        await tab.show(portrait(), captured_ms=time.time() * 1000 + DAY_MS)
        await until(tab.readings, 30)
    event = EmotionEvent.objects.get(participant=student)
    assert abs(event.captured_at.timestamp() - time.time()) < 60
    assert event.captured_at <= event.received_at


async def _pour(tab: Tab) -> None:
    for _ in range(3000):
        await tab.show(portrait())
        await asyncio.sleep(0.002)


@closing_connections
async def test_a_flood_is_refused_then_cut_off_and_a_neighbour_is_read(product: RunningProduct, alice: User) -> None:
    session = new_session(alice)
    async with (
        camera(product, new_student(session, "Sam")) as flood,
        camera(product, new_student(session, "Mia")) as good,
    ):
        with pytest.raises(ConnectionClosed):
            await _pour(flood)
        assert await flood.closed_with() == 4429
        assert {one.get("reason") for one in flood.answers.values()} >= {"too_fast"}
        await good.show(portrait())
        await until(good.readings, 30)


@closing_connections
async def test_before_consent_and_after_withdrawal(product: RunningProduct, alice: User) -> None:
    student = new_student(new_session(alice), "Sam", scope="")
    async with camera(product, student) as tab:
        assert await _reason(tab, FrameHeader(1, time.time() * 1000, 0).pack() + portrait()) == "no_consent"
    actions.record_consent(student, "individual", "0" * 64)
    actions.withdraw(student)
    async with camera(product, student) as tab:
        for sequence, epoch in enumerate((1, 2), start=1):
            assert await _reason(tab, FrameHeader(sequence, time.time() * 1000, epoch).pack() + portrait()) == (
                "no_consent"
            )
    assert not EmotionEvent.objects.filter(participant=student).exists()


async def _close_code(product: RunningProduct, session: ClassSession, cookies: dict[str, str]) -> int | None:
    async with page(product, f"/ws/camera/{session.public_id}/", cookies) as socket:
        await asyncio.wait_for(socket.wait_closed(), 15)
        return socket.close_code


@closing_connections
async def test_cookies_of_others_and_text_where_binary_is_due(
    product: RunningProduct, alice: User, bob: User
) -> None:
    session, student = new_session(alice), new_student(new_session(bob), "Tess")
    [value] = student_cookies(student).values()
    assert await _close_code(product, session, {}) == 4401
    assert await _close_code(product, session, {f"participant-{session.public_id.hex}": value}) == 4401
    async with camera(product, student) as tab:
        await tab.socket.send(portrait().hex()[:1000])
        assert await tab.closed_with() == 4400
    async with camera(product, student) as tab:
        await tab.socket.send(b"\0" * 1_500_000)
        assert await tab.closed_with() == 4413
