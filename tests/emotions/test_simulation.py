"""The synthetic class: its moods, its counting, its sockets (against a real server that answers as told)."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import pairwise

import cv2
import numpy as np
import pytest
from websockets.asyncio.server import ServerConnection, serve

from emotions.frames.frame import HEADER_BYTES, FrameHeader
from emotions.simulation.joining import NAMES, Ticket, _Form, display_name
from emotions.simulation.moods import PERIOD_S, DriftingMood, SteadyMood, class_mix, counts_of, shown_by
from emotions.simulation.pictures import Picture, PictureBank, synthetic_bank
from emotions.simulation.student import Schedule, ShufflingCamera, Student
from emotions.simulation.tally import LOST_AFTER_S, Outstanding, Tally
from ml.labels import INDEX, LABELS


def test_the_class_is_calm_then_lost_then_relieved() -> None:
    calm, lost, relieved = (class_mix(share * PERIOD_S) for share in (0.1, 0.5, 0.7))
    for mix in (calm, lost, relieved):
        assert mix.sum() == pytest.approx(1)
    assert calm[INDEX["neutral"]] > lost[INDEX["neutral"]]
    assert lost[INDEX["sad"]] > 3 * calm[INDEX["sad"]]
    assert relieved[INDEX["happy"]] > calm[INDEX["happy"]]


def test_known_faces_are_shown_by_as_many_as_were_asked_for() -> None:
    counts = counts_of("happy=2,sad=1")
    assert [shown_by(counts, number) for number in range(3)] == ["happy", "happy", "sad"]
    mood = SteadyMood("sad")
    assert {mood.label(second) for second in range(200)} == {"sad"}
    assert {mood.says(second) for second in range(200)} == {None}


@pytest.mark.parametrize("text", ["", "happy", "happy=", "happy=0", "merry=3", "happy=-1", "happy=2;sad=1"])
def test_faces_that_nobody_can_show_are_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match="expected how many show each of angry"):
        counts_of(text)


def test_a_mood_is_kept_for_a_while_and_changes_in_the_end() -> None:
    mood = DriftingMood(np.random.default_rng(3))
    shown = [mood.label(float(second)) for second in range(200)]
    changes = sum(a != b for a, b in pairwise(shown))
    assert 5 < changes < 60


def test_names_are_numbered_when_they_come_round_again() -> None:
    assert display_name(0) == NAMES[0]
    assert display_name(len(NAMES)) == f"{NAMES[0]} 2"


def test_hidden_fields_of_a_form_are_sent_back() -> None:
    form = _Form()
    form.feed('<form><input type="hidden" name="csrfmiddlewaretoken" value="abc"><input name="display_name"></form>')
    assert form.hidden == {"csrfmiddlewaretoken": "abc"}


def test_synthetic_pictures_show_every_emotion_as_a_frame() -> None:
    steps: list[int] = []
    bank = synthetic_bank(1, lambda done, total: steps.append(total - done))
    assert {picture.label for picture in bank.all} == set(LABELS)
    assert steps[-1] == 0
    frame = cv2.imdecode(np.frombuffer(bank.showing("happy", np.random.default_rng(0)).jpeg, np.uint8), 1)
    assert frame is not None
    assert frame.shape == (240, 320, 3)


def test_a_bank_without_pictures_says_so() -> None:
    with pytest.raises(ValueError, match="no labelled face"):
        PictureBank([])


def test_every_frame_is_counted_once() -> None:
    tally = Tally()
    frames = Outstanding(tally)
    for sequence in range(6):
        frames.sent(sequence, 100.0 + sequence, "happy")
    frames.result(0, "happy", 100.2)
    frames.result(0, "happy", 100.3)  # said twice, counted once
    frames.result(1, None, 101.5)
    frames.replaced(2)
    frames.rejected(3, "too_fast")
    frames.give_up(104.0 + LOST_AFTER_S + 0.5)
    summary = tally.summary(students=1, seconds=6, cpu_seconds=0)
    assert (summary["frames_sent"], summary["results_received"], summary["lost"], summary["pending"]) == (6, 2, 1, 1)
    assert (summary["frames_replaced"], summary["rejected"], summary["label_agreement"]) == (1, 1, 1.0)
    assert summary["latency_ms"] == {"p50": 500.0, "p95": 500.0, "p99": 500.0}


Answer = Callable[[FrameHeader], dict[str, object] | None]


@asynccontextmanager
async def server(answer: Answer, close_after: int | None = None, code: int = 1001) -> AsyncIterator[str]:
    """A socket server that greets and answers each frame with `answer`."""

    async def handle(socket: ServerConnection) -> None:
        await socket.send(json.dumps({"type": "welcome", "consent_epoch": 7}))
        frames = 0
        async for message in socket:
            if isinstance(message, str):
                continue
            frames += 1
            assert message[HEADER_BYTES:] == b"jpeg"
            if reply := answer(FrameHeader.unpack(message)):
                await socket.send(json.dumps(reply))
            if frames == close_after:
                await socket.close(code)

    async with serve(handle, "127.0.0.1", 0) as running:
        yield f"ws://127.0.0.1:{next(iter(running.sockets)).getsockname()[1]}"


def student(url: str, tally: Tally, seconds: float) -> Student:
    camera = ShufflingCamera([Picture(b"jpeg", "happy")], np.random.default_rng(0))
    schedule = Schedule(time.monotonic(), 0.1, 0.1, seconds)
    return Student(url, Ticket("Ada", "some-session", "participant-x=y"), camera, schedule, tally)


async def test_frames_leave_on_schedule_and_carry_the_consent_epoch() -> None:
    tally, epochs = Tally(), set()

    def answer(header: FrameHeader) -> dict[str, object]:
        epochs.add(header.consent_epoch)
        return {"type": "reading.own", "sequence": header.sequence, "label": "happy"}

    async with server(answer) as url:
        await student(url, tally, 1.05).run(None)
    assert epochs == {7}
    assert tally.sent == tally.results == tally.agreeing
    assert 7 <= tally.sent <= 10


async def test_a_student_comes_back_after_an_interruption() -> None:
    tally = Tally()
    async with server(lambda header: None, close_after=2) as url:
        await asyncio.wait_for(student(url, tally, 2.5).run(None), 20)
    assert tally.sent > 2


async def test_a_final_code_ends_the_student() -> None:
    tally = Tally()
    async with server(lambda header: None, close_after=1, code=4410) as url:
        await asyncio.wait_for(student(url, tally, 0).run(None), 5)
    assert dict(tally.closed) == {4410: 1}
