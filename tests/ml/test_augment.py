from __future__ import annotations

import numpy as np
import pytest

from ml.augment import DEGRADATIONS, Strength, augment
from tests.ml.drawn import drawn_faces

NONE = Strength(roll=0, scale=0, shift=0, contrast=0, brightness=0, degrade=0, erase=0)
FACES = drawn_faces(per_label=4).pixels


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
def test_each_degradation_changes_a_face_a_little(degrade: type) -> None:
    face = FACES[0]
    found = degrade(face, _random())
    assert found.shape == face.shape
    assert found.dtype == np.uint8
    assert 0.5 < np.abs(found.astype(int) - face).mean() < 30


def test_the_faces_given_are_left_as_they_are() -> None:
    before = FACES.copy()
    augment(FACES, _random(), 48)
    np.testing.assert_array_equal(FACES, before)
