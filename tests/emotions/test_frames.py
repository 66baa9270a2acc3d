"""What is refused at the door, the clock of a browser, and the slots: newest wins, nothing queues, nothing stays."""

from __future__ import annotations

import asyncio
import math
import struct
import time
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from emotions.frames import slots
from emotions.frames.frame import HEADER_BYTES, FrameHeader, SlotFrame, fault_of
from emotions.frames.limits import STALE_AFTER_MS, RemoteClock, TokenBucket
from emotions.frames.slots import LEASE_MS, SLOT_MS, TRY_LANE
from emotions.store import async_redis, close_async_redis, sync_redis
from tests.emotions.parts import jpeg, observation, slot_frame

DAY_MS = 24 * 3600 * 1000.0


def put(*frames: SlotFrame) -> slots.PutOutcome:
    async def once() -> slots.PutOutcome:
        try:
            return await slots.put(async_redis(), frames)
        finally:
            await close_async_redis()

    return asyncio.run(once())


def declaring(width: int, height: int) -> bytes:
    """A real JPEG whose header claims another size."""
    data = bytearray(jpeg())
    place = data.index(b"\xff\xc0") + 5
    data[place : place + 4] = struct.pack(">HH", height, width)
    return bytes(data)


# -- Headers


@given(
    st.builds(
        FrameHeader,
        sequence=st.integers(0, 2**32 - 1),
        captured_ms=st.floats(allow_nan=False, allow_infinity=False),
        consent_epoch=st.integers(0, 2**32 - 1),
    )
)
def test_a_header_survives_the_wire(header: FrameHeader) -> None:
    assert FrameHeader.unpack(header.pack() + b"jpeg") == header


@pytest.mark.parametrize("message", [b"", b"\0" * (HEADER_BYTES - 1)])
def test_a_message_shorter_than_a_header_says_so(message: bytes) -> None:
    with pytest.raises(ValueError, match=f"16 bytes of header, received {len(message)} bytes"):
        FrameHeader.unpack(message)


@pytest.mark.parametrize("time_ms", [math.nan, math.inf, -math.inf])
def test_a_time_that_is_no_number_is_refused(time_ms: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        FrameHeader.unpack(FrameHeader(1, time_ms, 1).pack())


def test_a_slot_gives_back_what_was_put() -> None:
    frame = slot_frame(7, 3, sequence=2**32 - 1, consent_epoch=9, scope="aggregate")
    assert SlotFrame.unpack(frame.pack()) == frame


# -- Pictures


@pytest.mark.parametrize(
    ("picture", "fault"),
    [
        (jpeg(), None),
        (b"", "not_jpeg"),
        (b"GIF89a" + b"\0" * 100, "not_jpeg"),
        (b"\xff\xd8\xff\xd9", "not_jpeg"),
        (jpeg()[:-2], "truncated"),
        (jpeg()[:30], "truncated"),
        (jpeg(1, 1), "dimensions"),
        (jpeg(47, 480), "dimensions"),
        (declaring(20_000, 20_000), "dimensions"),
        (declaring(320, 1921), "dimensions"),
        (declaring(320, 0), "dimensions"),
        (declaring(1920, 1920), None),
        (jpeg() + b"\0" * 60_000, "too_large"),
    ],
)
def test_a_picture_is_judged_by_its_header(picture: bytes, fault: str | None) -> None:
    assert fault_of(picture) == fault


@given(st.binary(max_size=400), st.integers(0, 600))
def test_no_bytes_break_the_judgement(garbage: bytes, place: int) -> None:
    picture = jpeg()
    assert fault_of(garbage) in {"not_jpeg", "truncated"}
    faults = {None, "not_jpeg", "truncated", "dimensions", "undecodable"}
    assert fault_of(picture[:place] + garbage + picture[place:]) in faults


# -- Rates and clocks


@pytest.mark.parametrize(("more", "fault"), [(0, None), (2_000, "undecodable")])
def test_a_picture_that_is_drawn_over_and_over_is_refused(more: int, fault: str | None) -> None:
    """What takes the decoder seconds is refused before it comes to one; a usual progressive picture is not."""
    grey = np.full((240, 320, 3), 128, np.uint8)
    picture = bytes(cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1])
    scan, end = picture.rfind(b"\xff\xda"), picture.rfind(b"\xff\xd9")
    assert picture.count(b"\xff\xda") > 4
    assert fault_of(picture[:end] + more * picture[scan:end] + picture[end:]) == fault


def test_a_bucket_lets_its_rate_through() -> None:
    bucket = TokenBucket(rate=3, burst=5)
    passed = sum(bucket.take(n / 100) for n in range(1000))
    assert 5 + 29 <= passed <= 5 + 30


def test_a_bucket_is_not_filled_by_a_clock_that_goes_back() -> None:
    bucket = TokenBucket(rate=1, burst=1)
    assert bucket.take(100.0)
    assert not bucket.take(50.0)


@pytest.mark.parametrize("error_ms", [0.0, DAY_MS, -DAY_MS])
def test_a_clock_a_day_off_is_corrected(error_ms: float) -> None:
    clock, now = RemoteClock(), time.time() * 1000
    clock.anchor(now + error_ms, now)
    assert clock.corrected(now + error_ms + 900, now + 1000) == pytest.approx(now + 900)


def test_nothing_is_captured_after_it_arrived() -> None:
    clock, now = RemoteClock(), time.time() * 1000
    clock.anchor(now, now + 400)  # the hello was on its way for 400 ms
    assert clock.corrected(now + 1000, now + 1005) == now + 1005
    # From then on the delay is out of the offset.
    assert clock.corrected(now + 2000, now + 2080) == pytest.approx(now + 2005)


def test_a_frame_in_words_shows_no_picture() -> None:
    frame = slot_frame(7, jpeg=b"whose picture")
    assert "whose picture" not in repr(frame)
    assert "whose picture" not in repr(observation(frame))


@pytest.mark.parametrize("captured_ms", [1e24, 1e26, 1e28])
def test_no_absurd_time_lies_in_the_future(captured_ms: float) -> None:
    now = 1.7955e12
    assert (RemoteClock().corrected(captured_ms, now) or now) <= now


def test_a_late_frame_is_stale() -> None:
    clock, now = RemoteClock(), 1e12
    clock.anchor(now, now)
    late = STALE_AFTER_MS + 1
    assert clock.corrected(now, now + late) is None
    assert clock.corrected(now + late, now + late + 5) == pytest.approx(now + late)


@pytest.mark.parametrize("step_ms", [2_000, 9_500, DAY_MS])
def test_a_clock_that_is_set_back_is_believed_at_once(step_ms: float) -> None:
    """Also by less than a frame may be old: each reading would bear a wrong time, to the end of the session."""
    clock, now = RemoteClock(), 1e12
    clock.anchor(now, now)
    assert clock.corrected(now + 1000, now + 1040) == pytest.approx(now + 1000)
    for n in (2000, 3000, 4000):
        assert clock.corrected(now + n - step_ms, now + n + 40) == pytest.approx(now + n, abs=40)


def test_a_clock_that_was_set_back_while_nothing_was_sent_is_believed_at_last() -> None:
    clock, now = RemoteClock(), 1e12
    clock.anchor(now, now)
    clock.corrected(now, now)
    answers = [clock.corrected(now + n, now + 60_000 + n) for n in (1000, 2000, 3000, 4000)]
    assert answers[:3] == [None, None, None]
    assert answers[3] == pytest.approx(now + 64_000)


# -- Slots


@pytest.fixture(autouse=True)
def _keys(keys: str) -> None:
    """Redis keys of this test alone."""


def test_the_newest_frame_wins_and_the_other_is_named() -> None:
    older, newer = slot_frame(5, sequence=1), slot_frame(5, sequence=2, jpeg=b"newer")
    assert put(older).replaced == []
    [lost] = put(newer).replaced
    assert (lost.connection, lost.sequence, lost.jpeg) == (older.connection, 1, b"")
    assert slots.take(sync_redis(), slots.lane_of(newer), 64) == ([newer], False)


def test_a_slot_of_another_version_of_the_product_is_nobodys(settings: Settings) -> None:
    """While a new one is brought up, workers and web processes of both write and read."""
    settings.FRAME_SHARDS = 1
    strange = b"of another version"
    sync_redis().set(slots.slot_key(5), strange)
    assert put(slot_frame(5, sequence=1)).replaced == []
    newer = slot_frame(6)
    assert put(newer).replaced == []
    sync_redis().set(slots.slot_key(5), strange)
    assert slots.take(sync_redis(), 0, 64) == ([newer], False)


def test_within_one_batch_the_last_frame_wins() -> None:
    first, second = slot_frame(5, sequence=1), slot_frame(5, sequence=2)
    assert [frame.sequence for frame in put(first, second).replaced] == [1]
    assert slots.take(sync_redis(), slots.lane_of(second), 64)[0] == [second]


def test_a_lane_is_woken_once_until_its_drain_has_taken_everything(settings: Settings) -> None:
    settings.FRAME_SHARDS = 1
    assert put(slot_frame(1), slot_frame(2)).wake == {0}
    assert put(slot_frame(3)).wake == set()
    frames, more = slots.take(sync_redis(), 0, 2)
    assert [frame.participant for frame in frames] == [1, 2]
    assert more
    assert put(slot_frame(4)).wake == set()
    assert not slots.take(sync_redis(), 0, 64)[1]
    assert put(slot_frame(5)).wake == {0}


def test_who_waits_longest_is_first_however_often_they_send(settings: Settings) -> None:
    settings.FRAME_SHARDS = 1
    now = time.time() * 1000
    put(slot_frame(1, received_ms=now), slot_frame(2, received_ms=now + 1), slot_frame(1, received_ms=now + 2))
    assert [frame.participant for frame in slots.take(sync_redis(), 0, 64)[0]] == [1, 2]


def test_a_lane_left_behind_is_found_and_its_lease_taken(settings: Settings) -> None:
    settings.FRAME_SHARDS = 2
    put(slot_frame(2), slot_frame(3))
    assert slots.left_behind(sync_redis(), slots.lanes()) == []
    slots.release(sync_redis(), 1)  # its drain was lost
    assert slots.left_behind(sync_redis(), slots.lanes()) == [1]
    assert slots.left_behind(sync_redis(), slots.lanes()) == []


def test_a_withdrawn_frame_is_not_taken() -> None:
    frame = slot_frame(6)
    put(frame)
    slots.empty(sync_redis(), 6)
    assert slots.take(sync_redis(), slots.lane_of(frame), 64) == ([], False)


def test_visitors_have_a_lane_of_their_own() -> None:
    visitor = slot_frame(0, 0, scope="none")
    assert put(visitor).wake == {TRY_LANE}
    assert not slots.sessions_waiting(sync_redis())
    put(slot_frame(1))
    assert slots.sessions_waiting(sync_redis())
    assert slots.take(sync_redis(), TRY_LANE, 64)[0] == [visitor]


def test_everything_in_redis_has_a_lifetime(keys: str) -> None:
    put(slot_frame(1), slot_frame(0, 0, scope="none"))
    lives: dict[Any, Any] = {key: sync_redis().pttl(key) for key in sync_redis().scan_iter(f"{keys}:*")}
    assert len(lives) == 6
    assert all(0 < life <= slots.READY_MS for life in lives.values())
    assert 0 < lives[slots.slot_key(1).encode()] <= SLOT_MS
    assert 0 < lives[slots.queued_key(1).encode()] <= LEASE_MS


def test_a_redis_that_lost_its_scripts_learns_them_again() -> None:
    put(slot_frame(1))
    sync_redis().script_flush()
    assert put(slot_frame(1, sequence=2)).replaced
    sync_redis().script_flush()
    assert slots.take(sync_redis(), 1, 64)[0]


def test_how_long_frames_wait_can_be_asked() -> None:
    assert slots.oldest_waiting_ms(sync_redis()) == 0
    put(slot_frame(1, received_ms=time.time() * 1000 - 3000))
    assert 3000 <= slots.oldest_waiting_ms(sync_redis()) < 6000
