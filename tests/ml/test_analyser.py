from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from ml.labels import LABELS
from ml.lesson import Lesson, lesson_odds
from ml.serving.analyser import FrameAnalyser, brightness
from ml.serving.jpeg import BadJpegError, declared_size
from ml.serving.preprocess import align
from ml.synthetic import SyntheticFaces, compose_frame
from ml.types import ByteArray, FrameAnalysis, UndecodableFrame
from tests.ml.tiny import tiny_probabilities


@pytest.fixture(scope="module")
def analyser(weights: Path) -> FrameAnalyser:
    return FrameAnalyser.load(weights)


@pytest.fixture(scope="module")
def frame() -> ByteArray:
    rng = np.random.default_rng(5)
    return compose_frame(SyntheticFaces.load().face("happy", rng), rng)


def as_jpeg(bgr: ByteArray, quality: int = 80) -> bytes:
    return cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def declaring(jpeg: bytes, width: int, height: int) -> bytes:
    """The same bytes with another size in the frame header."""
    at = jpeg.index(b"\xff\xc0") + 5
    return jpeg[:at] + height.to_bytes(2) + width.to_bytes(2) + jpeg[at + 4 :]


def analysis_of(analyser: FrameAnalyser, jpeg: bytes, *, every_face: bool = False) -> FrameAnalysis:
    [found] = analyser.analyse([jpeg], every_face=every_face)
    assert isinstance(found, FrameAnalysis)
    return found


def test_a_face_becomes_a_reading(analyser: FrameAnalyser, frame: ByteArray) -> None:
    found = analysis_of(analyser, as_jpeg(frame))
    assert (found.width, found.height, found.face_count, len(found.readings)) == (320, 240, 1, 1)
    [reading] = found.readings
    decoded = np.asarray(cv2.imdecode(np.frombuffer(as_jpeg(frame), np.uint8), cv2.IMREAD_COLOR), np.uint8)
    np.testing.assert_allclose(reading.probabilities, tiny_probabilities(align(decoded, reading.face)), atol=1e-4)
    assert reading.label == LABELS[int(reading.probabilities.argmax())]
    assert reading.confidence == pytest.approx(float(reading.probabilities.max()))
    lesson = Lesson(lesson_odds([1 / 7] * 7), 0.4)
    assert reading.uncertain is lesson.is_uncertain(reading.probabilities.tolist(), LABELS.index(reading.label))


@pytest.mark.parametrize("label", ["angry", "happy", "sad", "surprise", "neutral"])
def test_the_served_network_names_the_emotion_of_synthetic_faces(label: str) -> None:
    """With the committed weights. Not fear and disgust: their means look much like surprise and anger."""
    faces, rng = SyntheticFaces.load(), np.random.default_rng(31)
    answers = FrameAnalyser.load().analyse([as_jpeg(compose_frame(faces.face(label, rng), rng)) for _ in range(20)])
    named = [answer.readings[0].label for answer in answers if isinstance(answer, FrameAnalysis)]
    assert named.count(label) >= 14


def test_only_the_largest_face_is_read_unless_all_are_asked_for(analyser: FrameAnalyser, frame: ByteArray) -> None:
    small = cv2.resize(frame, (192, 144), interpolation=cv2.INTER_AREA)
    wide = np.hstack([np.vstack([small, np.full((96, 192, 3), 90, np.uint8)]), frame])
    largest = analysis_of(analyser, as_jpeg(wide))
    assert (largest.face_count, len(largest.readings)) == (2, 1)
    everybody = analysis_of(analyser, as_jpeg(wide), every_face=True)
    assert [reading.face.box.x > 192 for reading in everybody.readings] == [True, False]
    one, same = everybody.readings[0].face.box, largest.readings[0].face.box
    assert same.x == pytest.approx(one.x, abs=10)
    assert same.width == pytest.approx(one.width, rel=0.15)


def test_bad_frames_are_named_in_their_place_and_disturb_no_other(analyser: FrameAnalyser, frame: ByteArray) -> None:
    good = as_jpeg(frame)
    header_only = good[: good.index(b"\xff\xda") + 14]
    broken = header_only + b"\xff\xd9"
    bad = {
        b"": "not_jpeg",
        b"hello": "not_jpeg",
        good[:2]: "not_jpeg",
        good[:60]: "truncated",
        good[: len(good) // 2]: "truncated",
        declaring(good, 20_000, 20_000): "too_large",
        declaring(good, 0, 240): "undecodable",
    }
    mixed = [one for jpeg in bad for one in (jpeg, good)]
    answers = analyser.analyse([*mixed, broken])
    reasons = [answer.reason for answer in answers[:-1:2] if isinstance(answer, UndecodableFrame)]
    assert reasons == list(bad.values())
    assert isinstance(answers[-1], FrameAnalysis)
    assert answers[-1].face_count == 0
    alone = analysis_of(analyser, good)
    for answer in answers[1:-1:2]:
        assert isinstance(answer, FrameAnalysis)
        assert answer.readings[0].face.box == alone.readings[0].face.box


def test_one_pixel_is_a_frame_without_a_face(analyser: FrameAnalyser) -> None:
    found = analysis_of(analyser, as_jpeg(np.full((1, 1, 3), 200, np.uint8)))
    assert (found.width, found.height, found.face_count, found.readings) == (1, 1, 0, ())


def test_no_frames_give_no_answers(analyser: FrameAnalyser) -> None:
    assert analyser.analyse([]) == []


def test_the_same_frame_gives_the_same_answer_alone_and_in_a_batch(analyser: FrameAnalyser, frame: ByteArray) -> None:
    other = np.ascontiguousarray(frame[:, ::-1])
    alone = [analysis_of(analyser, as_jpeg(one)) for one in (frame, other)]
    together = analyser.analyse([as_jpeg(frame), as_jpeg(other)])
    for one, two in zip(alone, together, strict=True):
        assert isinstance(two, FrameAnalysis)
        np.testing.assert_array_equal(one.readings[0].probabilities, two.readings[0].probabilities)


def test_framing_help(analyser: FrameAnalyser, frame: ByteArray) -> None:
    assert not analysis_of(analyser, as_jpeg(frame)).too_far
    assert not analysis_of(analyser, as_jpeg(frame)).too_dark
    far = np.full((240, 320, 3), 140, np.uint8)
    far[90:168, 110:214] = cv2.resize(frame, (104, 78), interpolation=cv2.INTER_AREA)
    distant = analysis_of(analyser, as_jpeg(far, 95))
    assert (distant.face_count, distant.too_far) == (1, True)
    assert analysis_of(analyser, as_jpeg(frame // 6)).too_dark


def test_brightness_is_the_mean_luminance() -> None:
    assert brightness(np.full((4, 4, 3), 255, np.uint8)) == pytest.approx(1)
    blue = np.zeros((4, 4, 3), np.uint8)
    blue[..., 0] = 255
    assert brightness(blue) == pytest.approx(0.114)


@pytest.mark.parametrize("progressive", [0, 1])
def test_the_declared_size_is_read_from_any_kind_of_jpeg(progressive: int) -> None:
    picture = np.zeros((35, 61, 3), np.uint8)
    encoded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_PROGRESSIVE, progressive])[1].tobytes()
    assert declared_size(encoded) == (61, 35)


@pytest.mark.parametrize("cut", range(2, 640, 11))
def test_a_jpeg_cut_anywhere_is_refused(frame: ByteArray, cut: int) -> None:
    with pytest.raises(BadJpegError):
        declared_size(as_jpeg(frame)[:cut])
