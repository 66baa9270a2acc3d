from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from ml.serving.faces import FaceDetector
from ml.serving.preprocess import align, align_photograph, crop_transform, roll_to_remove
from ml.synthetic import SyntheticFaces, compose_frame
from ml.types import Box, ByteArray, Face, FloatArray

UPRIGHT = np.array([[130, 100], [170, 100], [150, 122], [135, 142], [165, 142]], np.float32)


def face_turned_by(degrees: float) -> Face:
    turn = cv2.getRotationMatrix2D((150.0, 120.0), -degrees, 1)
    marks = UPRIGHT @ turn[:, :2].T + turn[:, 2]
    return Face(Box(105, 62, 90, 116), marks.astype(np.float32), 0.9)


def where(transform: npt.NDArray[np.float64], points: FloatArray) -> npt.NDArray[np.float64]:
    return np.asarray(points @ transform[:, :2].T + transform[:, 2])


@pytest.fixture(scope="module")
def frame() -> ByteArray:
    rng = np.random.default_rng(2)
    return compose_frame(SyntheticFaces.load().face("surprise", rng), rng)


def test_the_features_come_to_lie_where_fer2013_has_them() -> None:
    """Medians of YuNet's landmarks on 2,800 training faces, in pixels of their 48x48 pictures."""
    placed = where(crop_transform(face_turned_by(0), 48), UPRIGHT)
    expected = [[14.8, 18.0], [33.0, 18.4], [23.5, 28.0], [16.3, 36.2], [31.2, 36.6]]
    np.testing.assert_allclose(placed, expected, atol=2.5)


@pytest.mark.parametrize("degrees", [-40, -25, -5, 5, 25, 40])
def test_a_leaning_face_is_turned_upright(degrees: float) -> None:
    face = face_turned_by(degrees)
    eyes = where(crop_transform(face, 48), face.landmarks)[:2]
    assert eyes[1, 1] == pytest.approx(eyes[0, 1], abs=0.05)
    assert eyes[1, 0] > eyes[0, 0] + 10


@pytest.mark.parametrize(("degrees", "removed"), [(0, 0), (8, 8), (-30, -30), (60, 0), (-80, 0), (180, 0)])
def test_an_impossible_roll_is_left_alone(degrees: float, removed: float) -> None:
    assert roll_to_remove(face_turned_by(degrees).landmarks) == pytest.approx(removed, abs=0.01)


def test_the_crop_follows_the_face_through_the_frame(frame: ByteArray) -> None:
    detector = FaceDetector()
    shift = np.array([[1, 0, 32], [0, 1, 0]], np.float32)
    moved = np.asarray(cv2.warpAffine(frame, shift, (320, 240), borderMode=cv2.BORDER_REPLICATE), np.uint8)
    [before], [after] = detector.detect(frame), detector.detect(moved)
    here, there, left_behind = align(frame, before), align(moved, after), align(moved, before)
    assert here.shape == (48, 48)
    assert here.dtype == np.uint8
    assert mean_difference(here, there) < mean_difference(here, left_behind) / 4


def mean_difference(one: ByteArray, two: ByteArray) -> float:
    """In grey levels, within the face."""
    return float(np.abs(one.astype(int) - two)[6:42, 6:42].mean())


def test_grey_and_colour_frames_give_the_same_face(frame: ByteArray) -> None:
    [face] = FaceDetector().detect(frame)
    grey = np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), np.uint8)
    assert np.abs(align(frame, face).astype(int) - align(grey, face)).max() <= 2


def test_shrinking_averages_and_does_not_alias() -> None:
    """A checkerboard of single pixels is grey from afar: picking pixels would leave stripes."""
    board = np.asarray((np.indices((480, 480)).sum(axis=0) % 2) * 255, np.uint8)
    face = Face(Box(60, 40, 300, 400), UPRIGHT * 2.2, 0.9)
    assert align(board, face).std() < 12


@pytest.mark.parametrize("size", [100, 400, 1600])
def test_a_photographs_face_is_as_smooth_however_large_it_is(size: int) -> None:
    """Noise of single pixels goes when 48 pixels stand for so many; a plain warp leaves much of it in large faces."""
    noise = np.random.default_rng(3).integers(0, 256, (2 * size, 2 * size), dtype=np.uint8)
    face = Face(Box(size / 2, size / 2, size, size), (UPRIGHT * size / 90 + size / 2).astype(np.float32), 0.9)
    smooth = align_photograph(noise, face)
    assert smooth.std() < 2 * 74 * 48 / size
    if size > 300:
        assert smooth.std() < align(noise, face).std() / 1.5
    else:
        assert (smooth == align(noise, face)).all()


def test_a_large_face_of_a_photograph_is_framed_like_a_small_one(frame: ByteArray) -> None:
    [face] = FaceDetector().detect(frame)
    times = 6
    large = np.asarray(cv2.resize(frame, None, fx=times, fy=times, interpolation=cv2.INTER_CUBIC), np.uint8)
    shift, box = (times - 1) / 2, face.box
    there = Face(
        Box(box.x * times + shift, box.y * times + shift, box.width * times, box.height * times),
        np.asarray(face.landmarks * times + shift, np.float32),
        face.score,
    )
    assert mean_difference(align_photograph(large, there), align(frame, face)) < 3


def test_a_face_at_the_edge_repeats_the_edge(frame: ByteArray) -> None:
    bright = np.full((240, 320), 200, np.uint8)
    face = Face(Box(-40, -30, 90, 116), UPRIGHT - np.array([145, 92], np.float32), 0.9)
    assert (align(bright, face) == 200).all()
