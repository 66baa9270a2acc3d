"""The short form of `make fuzz`: a few thousand malformed messages on every socket of the running product, and many
more on what looks at them first."""

from __future__ import annotations

from collections import Counter
from typing import get_args
from urllib.parse import quote_from_bytes

import pytest
from django.conf import settings as project
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from classroom.local.running import RunningProduct
from emotions.consumers.dashboard import _after
from emotions.frames.frame import HEADER_BYTES, FrameHeader, fault_of
from emotions.frames.reading import FARTHEST, DeviceReading
from emotions.messages import FromStudent, RejectReason
from ml.serving.analyser import FrameAnalyser
from ml.types import UndecodableFrame
from tests.security.fuzz.messages import Fuzzer
from tests.security.fuzz.stage import played

REASONS = {None, *get_args(RejectReason)}


@pytest.mark.pipeline
@pytest.mark.slow
def test_three_thousand_malformed_messages_disturb_nobody(product: RunningProduct) -> None:
    outcome = played(product, 3_000)
    assert outcome.faults() == [], outcome.as_json() + "\n".join(outcome.unforeseen)
    assert outcome.total >= 3_000
    assert set(outcome.sent) == {"camera", "device", "dashboard", "room", "try", "raw bytes"}
    known = {"bad_reading"} if project.DEVICE else {"unknown_model"}
    assert {"bad_header", "too_fast"} | known <= set(outcome.refusals)
    assert {"4400"} <= set(outcome.closed)


def _looked_at(message: bytes) -> str | None:
    try:
        FrameHeader.unpack(message)
    except ValueError:
        return "bad_header"
    return fault_of(message[HEADER_BYTES:])


@pytest.mark.parametrize("seed", range(4))
def test_every_binary_message_is_a_frame_or_has_a_reason(seed: int) -> None:
    fuzzer = Fuzzer(seed)
    reasons = {_looked_at(fuzzer.frame()) for _ in range(2_500)}
    assert reasons <= REASONS
    assert {None, "bad_header", "not_jpeg", "truncated", "dimensions", "undecodable"} <= reasons


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=200), st.sampled_from([b"", b"\xff\xd8\xff", b"\xff\xd8\xff\xe0\x00\x10"]))
def test_any_bytes_are_a_frame_or_have_a_reason(data: bytes, start: bytes) -> None:
    assert _looked_at(bytes(HEADER_BYTES) + start + data) in REASONS
    assert _looked_at(data) in REASONS


@pytest.mark.parametrize("seed", range(4))
def test_every_reading_is_one_or_is_none(seed: int) -> None:
    """What is let through are seven shares and a box, whatever was sent."""
    fuzzer, kinds = Fuzzer(seed), Counter[bool]()
    for _ in range(2_500):
        reading = _read(fuzzer.reading())
        kinds[reading is None] += 1
        if reading is not None:
            assert sum(reading.probabilities) == pytest.approx(1)
            assert all(0 <= share <= 1 for share in reading.probabilities)
            assert all(abs(side) <= FARTHEST for side in reading.box)
            assert reading.face_count > 0
    assert min(kinds[True], kinds[False]) > 250


def _read(message: bytes) -> DeviceReading | None:
    try:
        return DeviceReading.unpack(message)
    except ValueError:
        return None


def test_what_passes_the_door_does_not_break_the_worker() -> None:
    """The faults that only decoding shows: each frame gets a result of its own."""
    fuzzer, engine = Fuzzer(9), FrameAnalyser.load()
    passed = [frame[HEADER_BYTES:] for frame in (fuzzer.frame() for _ in range(900)) if _looked_at(frame) is None]
    results = [result for start in range(0, len(passed), 32) for result in engine.analyse(passed[start : start + 32])]
    assert len(results) == len(passed) > 100
    assert any(isinstance(result, UndecodableFrame) for result in results)


@settings(max_examples=400, deadline=None)
@given(st.one_of(st.text(max_size=100), st.builds(lambda seed: Fuzzer(seed).text(), st.integers(0, 10**6))))
def test_any_text_is_a_message_or_is_refused(text: str) -> None:
    try:
        FromStudent.validate_json(text)
    except ValidationError:
        return


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=60))
def test_any_query_is_a_sequence_or_none(query: bytes) -> None:
    found = _after(query)
    assert found is None or 0 <= found < 10**16


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=20) | st.integers(0, 10**17).map(lambda number: str(number).encode()))
def test_only_a_short_row_of_digits_is_a_sequence(value: bytes) -> None:
    """Quoted, so that the value is one, whatever its bytes would mean in a query. Without one it is the beginning."""
    expected = int(value) if value.isdigit() and len(value) < 16 else None
    assert _after(b"after=" + quote_from_bytes(value).encode()) == (expected if value else 0)
