from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ml.data.dataset import FaceSet
from ml.drawn.eigenfaces import build
from ml.labels import LABELS
from ml.serving.faces import FaceDetector
from ml.serving.manifest import WEIGHTS, ModelFileError
from ml.synthetic import COMPONENTS_NAME, Look, SyntheticFaces, compose_frame, main


@pytest.fixture(scope="module")
def faces() -> SyntheticFaces:
    return SyntheticFaces.load()


def test_the_same_generator_makes_the_same_face_and_another_makes_another(faces: SyntheticFaces) -> None:
    once, again, other = (faces.face("happy", np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert once.shape == (48, 48)
    assert once.dtype == np.uint8
    np.testing.assert_array_equal(once, again)
    assert np.abs(once.astype(int) - other).mean() > 4


def test_intensity_leads_from_neutral_to_the_emotion() -> None:
    means = np.zeros((7, 48, 48), np.float32)
    means[LABELS.index("happy")] = 1
    faces = SyntheticFaces(means, np.zeros((7, 4, 48, 48), np.float32))
    levels = [faces.face("happy", np.random.default_rng(0), intensity).mean() for intensity in (0, 0.5, 1, 1.5)]
    assert levels == [128, 152, 176, 200]


def test_an_unknown_label_is_refused(faces: SyntheticFaces) -> None:
    with pytest.raises(ValueError, match=r"label: expected one of .*'happy'.* received 'bored'"):
        faces.face("bored", np.random.default_rng(0))


def test_the_detector_finds_every_synthetic_face_once(faces: SyntheticFaces) -> None:
    detector, rng = FaceDetector(), np.random.default_rng(17)
    found = [len(detector.detect(compose_frame(faces.face(label, rng), rng))) for label in LABELS for _ in range(12)]
    assert found == [1] * 84


def test_frames_of_one_look_differ_a_little_and_of_two_looks_a_lot(faces: SyntheticFaces) -> None:
    face, rng = faces.face("neutral", np.random.default_rng(4)), np.random.default_rng(5)
    one, two = Look.random(rng), Look.random(rng)
    first, second, other = (compose_frame(face, rng, look=look).astype(int) for look in (one, one, two))
    assert 0.5 < np.abs(first - second).mean() < 15 < np.abs(first - other).mean()


@pytest.mark.parametrize(("width", "height"), [(320, 240), (160, 120), (641, 359), (240, 320)])
def test_a_frame_has_the_size_that_was_asked_for(faces: SyntheticFaces, width: int, height: int) -> None:
    rng = np.random.default_rng(6)
    assert compose_frame(faces.face("sad", rng), rng, width, height).shape == (height, width, 3)


def test_the_committed_components_stay_small_and_rest_on_hundreds_of_faces() -> None:
    path = WEIGHTS / COMPONENTS_NAME
    assert path.stat().st_size < 500_000
    with np.load(path) as stored:
        assert stored["components"].shape[1] <= 24
        assert (stored["faces"] >= 300).all()


def test_missing_or_misshapen_components_are_named(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"none\.npz is missing: make it with python -m ml\.synthetic"):
        SyntheticFaces.load(tmp_path / "none.npz")
    with pytest.raises(ModelFileError, match=r"expected means \(7, 48, 48\).*received \(6, 48, 48\)"):
        SyntheticFaces(np.zeros((6, 48, 48), np.float32), np.zeros((6, 4, 48, 48), np.float32))


@pytest.mark.slow
def test_components_can_be_built_and_faces_of_them_are_found(faces: SyntheticFaces, tmp_path: Path) -> None:
    rng = np.random.default_rng(8)
    labels = np.repeat(np.arange(7), 90)
    pixels = np.stack([faces.face(LABELS[label], rng) for label in labels])
    votes = np.eye(7, dtype=np.float32)[labels]
    packed = build(FaceSet(pixels, labels, np.full(len(labels), "Training"), votes))
    np.savez_compressed(tmp_path / "made.npz", **packed)
    made, detector = SyntheticFaces.load(tmp_path / "made.npz"), FaceDetector()
    assert all(detector.detect(compose_frame(made.face(label, rng), rng)) for label in LABELS)


def test_the_command_says_what_is_wrong_with_the_data(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"ml\.synthetic: .*found nothing there"):
        main(["--data", str(tmp_path / "none.csv")])


def test_too_few_faces_of_an_emotion_are_refused(faces: SyntheticFaces) -> None:
    rng = np.random.default_rng(9)
    labels = np.arange(7)
    pixels = np.stack([faces.face(label, rng) for label in LABELS])
    few = FaceSet(pixels, labels, np.full(7, "Training"), np.eye(7, dtype=np.float32))
    with pytest.raises(ValueError, match="angry: expected 100 usable faces or more, received"):
        build(few)
