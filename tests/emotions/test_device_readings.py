"""Readings that a student's own device makes: what is taken, what is refused, and that no worker is needed."""

from __future__ import annotations

import asyncio
import math
import struct
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio
from asgiref.sync import sync_to_async
from django.db import OperationalError
from pytest_django.fixtures import Settings

from classroom import actions
from classroom.models import ClassSession, Participant
from emotions.device_files import Facts
from emotions.frames.device_intake import DeviceIntake
from emotions.frames.frame import FrameHeader
from emotions.frames.reading import READING_BYTES, DeviceReading
from emotions.models import EmotionEvent
from emotions.readings import live, settling
from emotions.store import live_key, sync_redis
from tests.emotions.conftest import Join
from tests.emotions.parts import HAPPY, jpeg
from tests.emotions.sockets import Browser, browser, student_cookies, web_process

pytestmark = pytest.mark.django_db(transaction=True)
FACTS = Facts("runtime", "detector", "roomtone-web-0123456789ab", odds=[1.0] * 7, uncertain_below=0.5)
BOX = (0.25, 0.25, 0.5, 0.5)


@pytest.fixture(autouse=True)
def device(settings: Settings) -> None:
    """A deployment that has the files for browsers."""
    settings.DEVICE = FACTS


@pytest_asyncio.fixture(autouse=True)
async def _process(session: ClassSession, drains: list[int]) -> AsyncIterator[None]:
    async with web_process():
        yield


@pytest.fixture
def drains(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The drains that were asked for: none should be."""
    asked: list[int] = []
    monkeypatch.setattr("emotions.tasks.send_drain", asked.append)
    return asked


def reading(sequence: int = 1, epoch: int = 1, **changes: Any) -> DeviceReading:
    header = FrameHeader(sequence, time.time() * 1000, epoch)
    return replace(DeviceReading(header, HAPPY, BOX, 1, None), **changes)


@asynccontextmanager
async def reads_by_itself(student: Participant, version: str = FACTS.version) -> AsyncIterator[Browser]:
    """A student's tab, welcomed, which has said that it reads its pictures itself."""
    path = f"/ws/camera/{student.session.public_id}/"
    async with browser(path, student_cookies(student)) as tab:
        await tab.hear_type("welcome")
        await tab.say(type="device.began", model_version=version)
        yield tab


def events() -> list[EmotionEvent]:
    return list(EmotionEvent.objects.order_by("sequence"))


async def test_a_reading_is_stored_and_answered_without_a_worker(join: Join, drains: list[int]) -> None:
    sam = await sync_to_async(join)()
    async with reads_by_itself(sam) as tab:
        await tab.show(reading(7, face_count=2, help="too_far").pack())
        own = await tab.hear_type("reading.own")
    [event] = await sync_to_async(events)()
    assert (event.participant_id, event.session_id, event.sequence) == (sam.pk, sam.session_id, 7)
    assert (event.source, event.model_version, event.label) == ("device", FACTS.version, "happy")
    assert event.probabilities == pytest.approx(HAPPY, abs=1e-6)
    assert event.confidence == pytest.approx(0.8, abs=1e-6)
    assert (own["sequence"], own["label"], own["face_count"], own["help"]) == (7, "happy", 2, "too_far")
    assert drains == []


async def test_the_server_says_what_is_unsure(join: Join) -> None:
    sam = await sync_to_async(join)()
    async with reads_by_itself(sam) as tab:
        await tab.show(reading(probabilities=(0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.4)).pack())
        own = await tab.hear_type("reading.own")
    assert (own["label"], own["uncertain"]) == ("neutral", True)


async def test_the_live_state_knows_where_it_was_read(join: Join) -> None:
    sam = await sync_to_async(join)()
    async with reads_by_itself(sam) as tab:
        await tab.show(reading().pack())
        await tab.hear_type("reading.own")
    kept = live.parse(sync_redis().hgetall(live_key(sam.session_id)))[sam.pk]
    assert (kept.source, kept.label, kept.uncertain) == ("device", "happy", False)


async def _refusal(tab: Browser, message: bytes) -> str:
    await tab.show(message)
    return str((await tab.hear_type("frame.rejected"))["reason"])


async def test_what_is_not_a_reading_is_refused(join: Join) -> None:
    sam = await sync_to_async(join)()
    async with reads_by_itself(sam) as tab:
        assert await _refusal(tab, b"") == "bad_reading"
        assert await _refusal(tab, reading().pack() + b"x") == "bad_reading"
        assert await _refusal(tab, reading().header.pack() + jpeg()) == "bad_reading", "one socket, one producer"
    assert await sync_to_async(events)() == []


async def test_a_sequence_counts_once_and_only_upwards(join: Join) -> None:
    sam = await sync_to_async(join)()
    async with reads_by_itself(sam) as tab:
        await tab.show(reading(5).pack())
        await tab.hear_type("reading.own")
        assert await _refusal(tab, reading(5).pack()) == "repeated"
        assert await _refusal(tab, reading(4).pack()) == "repeated"


async def test_who_sends_too_fast_is_held_back(join: Join) -> None:
    sam = await sync_to_async(join)()
    async with reads_by_itself(sam) as tab:
        for sequence in range(12):
            await tab.show(reading(sequence).pack())
        assert (await tab.hear_type("frame.rejected"))["reason"] == "too_fast"


async def test_another_network_is_not_ours(join: Join) -> None:
    sam = await sync_to_async(join)()
    async with reads_by_itself(sam, version="roomtone-web-ffffffffffff") as tab:
        assert (await tab.hear_type("frame.rejected"))["reason"] == "unknown_model"
        assert await _refusal(tab, reading().pack()) == "not_jpeg"
    assert await sync_to_async(events)() == []


@pytest.mark.parametrize("files", [FACTS, None])
async def test_where_the_server_reads_none_is_taken(join: Join, settings: Settings, files: Facts | None) -> None:
    settings.READING_PLACE, settings.DEVICE = "server", files
    sam = await sync_to_async(join)()
    async with reads_by_itself(sam) as tab:
        assert (await tab.hear_type("frame.rejected"))["reason"] == "wrong_place"


async def test_where_devices_read_no_frame_is_taken(join: Join, settings: Settings, drains: list[int]) -> None:
    settings.READING_PLACE = "device"
    sam = await sync_to_async(join)()
    async with browser(f"/ws/camera/{sam.session.public_id}/", student_cookies(sam)) as tab:
        assert (await tab.hear_type("welcome"))["place"] == "device"
        assert await _refusal(tab, reading().header.pack() + jpeg()) == "wrong_place"
    assert drains == []


async def test_of_an_earlier_consent_nothing_is_taken(join: Join) -> None:
    sam = await sync_to_async(join)()
    async with reads_by_itself(sam) as tab:
        assert await _refusal(tab, reading(epoch=0).pack()) == "old_epoch"


async def test_nothing_lands_after_a_withdrawal(join: Join, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the socket has not heard of it: the statement that stores looks at the consent itself."""
    sam = await sync_to_async(join)()
    async with reads_by_itself(sam) as tab:
        monkeypatch.setattr("emotions.receivers.publish.consent_changed", lambda *_: None)
        await sync_to_async(actions.withdraw)(sam)
        await tab.show(reading().pack())
        assert (await tab.hear_type("frame.rejected"))["reason"] == "no_consent"
    assert await sync_to_async(events)() == []


async def test_without_the_database_a_student_is_told_so(join: Join, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(readings: object) -> None:
        raise OperationalError("away")

    sam = await sync_to_async(join)()
    async with reads_by_itself(sam) as tab:
        monkeypatch.setattr(settling, "_record", away)
        assert await _refusal(tab, reading().pack()) == "busy"


async def test_whatever_goes_wrong_every_reading_is_answered_and_counted(
    join: Join, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def unforeseen(readings: object) -> None:
        raise TypeError("nobody thought of this")

    sam = await sync_to_async(join)()
    async with reads_by_itself(sam) as tab:
        monkeypatch.setattr(settling, "_record", unforeseen)
        assert await _refusal(tab, reading().pack()) == "busy"
        monkeypatch.undo()
    assert "nobody thought of this" in caplog.text


# -- The message


def test_a_reading_survives_the_wire() -> None:
    sent = reading(3, help="too_dark", face_count=4)
    got = DeviceReading.unpack(sent.pack())
    assert len(sent.pack()) == READING_BYTES == 62
    assert (got.header, got.box, got.face_count, got.help) == (sent.header, BOX, 4, "too_dark")
    assert sum(got.probabilities) == pytest.approx(1)


@pytest.mark.parametrize(
    "probabilities",
    [
        (0.2,) * 7,
        (-0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2),
        (math.nan, *HAPPY[1:]),
        (math.inf, *HAPPY[1:]),
        (0.0,) * 7,
    ],
)
def test_seven_values_that_are_no_probabilities(probabilities: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="probabilities that sum to 1"):
        DeviceReading.unpack(reading(probabilities=probabilities).pack())


@pytest.mark.parametrize("box", [(0, 0, 0, 1), (0, 0, 1, -1), (math.nan, 0, 1, 1), (0, 3, 1, 1), (0, 0, math.inf, 1)])
def test_a_box_that_is_none(box: tuple[float, float, float, float]) -> None:
    with pytest.raises(ValueError, match="box in fractions"):
        DeviceReading.unpack(reading(box=box).pack())


@pytest.mark.parametrize(("faces", "help_number"), [(0, 0), (1, 3)])
def test_a_reading_is_of_a_face(faces: int, help_number: int) -> None:
    message = reading().pack()[:-2] + struct.pack(">BB", faces, help_number)
    with pytest.raises(ValueError, match="expected a face"):
        DeviceReading.unpack(message)


async def test_a_reading_that_comes_as_the_writer_ends_does_not_wait_for_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    intake, settled = DeviceIntake.here(), list[Any]()

    async def settle(batch: list[Any]) -> None:
        settled.extend(batch)
        if len(settled) == 1:
            asyncio.get_running_loop().call_soon(intake.offer, "second")  # type: ignore[arg-type]

    monkeypatch.setattr(intake, "_settle", settle)
    intake.offer("first")  # type: ignore[arg-type]
    await asyncio.sleep(0.5)
    assert settled == ["first", "second"]
