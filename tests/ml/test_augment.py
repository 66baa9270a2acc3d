from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from keras import ops

from ml.training import augment as on_device
from ml.training.augment import DEGRADATIONS, Strength
from tests.ml.drawn import drawn_faces

NONE = Strength(roll=0, scale=0, shift=0, contrast=0, brightness=0, degrade=0, erase=0)
FACES = drawn_faces(per_label=4).pixels


def augment(faces: np.ndarray, random: np.random.Generator, side: int, *strength: Strength) -> np.ndarray:
    """What `ml.training` changes on the device, as an array."""
    return np.asarray(ops.convert_to_numpy(on_device.augment(ops.convert_to_tensor(faces), random, side, *strength)))


def _random() -> np.random.Generator:
    return np.random.default_rng(8)


@pytest.mark.parametrize("side", [40, 48])
def test_faces_come_back_in_the_size_asked_for_and_in_range(side: int) -> None:
    found = augment(FACES, _random(), side)
    assert found.shape == (len(FACES), side, side, 1)
    assert found.dtype == np.float32
    assert 0 <= found.min() < found.max() <= 255


def test_one_seed_gives_one_batch_and_another_another() -> None:
    one, again, other = (augment(FACES, np.random.default_rng(seed), 48) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert (one != other).any()


def test_without_strength_a_face_is_itself_or_its_mirror_image() -> None:
    found = augment(FACES, _random(), 48, NONE)[..., 0]
    itself = np.array([(a == b).all() for a, b in zip(found, FACES, strict=True)])
    mirrored = np.array([(a == b[:, ::-1]).all() for a, b in zip(found, FACES, strict=True)])
    assert (itself ^ mirrored).all()
    assert itself.any()
    assert mirrored.any()


class _Drawn:
    """Draws what the test chose: mirrored or not, then roll, zoom and shifts as shares of what they may be."""

    def __init__(self, mirrored: bool, shares: list[float]) -> None:
        self._mirrored, self._shares = mirrored, shares

    def random(self, count: int) -> np.ndarray:
        return np.full(count, 0.0 if self._mirrored else 1.0)

    def uniform(self, low: float, high: float, shape: Any) -> np.ndarray:
        rows = [self._shares.pop(0) for _ in range(shape[0] if isinstance(shape, tuple) else 1)]
        return (low + (high - low) * np.array(rows)[:, None] * np.ones(np.atleast_1d(shape)[-1])).reshape(shape)


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("side", [32, 48])
def test_faces_are_turned_scaled_and_shifted_as_opencv_would(side: int, mirrored: bool) -> None:
    roll, zoom, down, right = (0.9, 0.2, 0.75, 0.1)
    drawn: Any = _Drawn(mirrored, [roll, zoom, down, right])
    found = ops.convert_to_numpy(on_device._move(ops.cast(FACES, "float32"), drawn, side, Strength()))
    scale = side / 48 * (1 - 0.15 + 0.3 * zoom)
    turn = cv2.getRotationMatrix2D((0, 0), -(-15 + 30 * roll), scale)[:, :2] @ np.diag([-1 if mirrored else 1, 1])
    shift = (np.array([right, down]) * 0.16 - 0.08) * side
    matrix = np.column_stack([turn, (side - 1) / 2 + shift - turn @ [23.5, 23.5]])
    for face, moved in zip(FACES, found, strict=True):
        expected = cv2.warpAffine(
            face.astype(np.float32), matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        # OpenCV looks between pixels in steps of a 32nd.
        assert np.abs(expected - moved).mean() < 1.0
        assert np.abs(face.mean() - moved).mean() > 5, "a flat picture would tell nothing"


def test_a_smaller_face_keeps_its_middle() -> None:
    found = augment(FACES, _random(), 40, NONE)[..., 0]
    for small, face in zip(found, FACES, strict=True):
        assert abs(small[18:22].mean() - face[21:27].mean()) < 12


def test_contrast_turns_about_each_faces_own_mean() -> None:
    faces = np.clip(FACES, 60, 160)
    found = augment(faces, _random(), 48, Strength(0, 0, 0, 0.3, 0, 0, 0))[..., 0]
    np.testing.assert_allclose(found.mean(axis=(1, 2)), faces.mean(axis=(1, 2)), atol=0.6)
    assert found.std(axis=(1, 2)).max() > 1.1 * faces.std(axis=(1, 2)).max()


def test_erasing_covers_the_share_of_the_face_that_was_asked_for() -> None:
    strength = Strength(0, 0, 0, 0, 0, 0, erase=1.0, erase_area=(0.1, 0.1))
    black = np.zeros((30, 48, 48), np.uint8)
    found = augment(black, _random(), 48, strength)[..., 0]
    covered = (found > 0).mean(axis=(1, 2))
    assert ((covered > 0.07) & (covered < 0.13)).all()


@pytest.mark.parametrize("degrade", DEGRADATIONS, ids=lambda function: function.__name__)
def test_each_degradation_changes_each_face_a_little(degrade: Any) -> None:
    faces = FACES.astype(np.float32)
    found = np.asarray(ops.convert_to_numpy(degrade(ops.convert_to_tensor(faces), _random())))
    assert found.shape == faces.shape
    changes = np.abs(found - faces).mean(axis=(1, 2))
    assert ((changes > 0.5) & (changes < 30)).all()


def test_some_faces_are_degraded_and_the_others_are_left() -> None:
    many = np.concatenate([FACES] * 8)
    found = augment(many, _random(), 48, Strength(0, 0, 0, 0, 0, degrade=0.25, erase=0))[..., 0]
    itself = [(a == b).all() or (a == b[:, ::-1]).all() for a, b in zip(found, many, strict=True)]
    assert 0.6 < np.mean(itself) < 0.9


class _Quality:
    """Draws the same quality for every face."""

    def __init__(self, quality: int) -> None:
        self._quality = quality

    def integers(self, low: int, high: int) -> int:
        assert low <= self._quality < high
        return self._quality


@pytest.mark.parametrize("quality", [20, 36, 55])
def test_faces_lose_what_jpeg_would_take_from_them(quality: int) -> None:
    face = FACES[3]
    _, data = cv2.imencode(".jpg", face, [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)
    assert decoded is not None
    expected = decoded.astype(float)
    jpeg: Any = DEGRADATIONS[2]
    ours = jpeg(ops.convert_to_tensor(face[None].astype(np.float32)), _Quality(quality))
    found = np.clip(ops.convert_to_numpy(ours)[0], 0, 255)
    assert np.abs(expected - face).mean() > 3 * np.abs(expected - found).mean()
