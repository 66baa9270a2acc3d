from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from ml import evaluate
from ml.photographs import evaluate_photographs
from ml.robustness import DEGRADATIONS, degraded, robustness
from ml.synthetic import SyntheticFaces, compose_frame
from ml.training.problems import DataError
from tests.ml.drawn import drawn_faces, faces_csv

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

FACES = drawn_faces(per_label=3)


@pytest.mark.parametrize("name", DEGRADATIONS)
def test_each_degradation_changes_faces_and_always_alike(name: str) -> None:
    found = degraded(FACES.pixels, DEGRADATIONS[name])
    assert found.shape == FACES.pixels.shape
    assert found.dtype == np.uint8
    assert np.abs(found.astype(int) - FACES.pixels).mean() > 1
    np.testing.assert_array_equal(found, degraded(FACES.pixels, DEGRADATIONS[name]))


def _bright_is_happy(faces: np.ndarray) -> np.ndarray:
    """A classifier that says happy (3) of faces brighter than 60, angry (0) of all others."""
    return np.eye(7, dtype=np.float32)[np.where(faces.mean(axis=(1, 2)) > 60, 3, 0)]


def test_the_drop_is_the_mean_over_the_degradations() -> None:
    faces = np.full((10, 48, 48), 100, np.uint8)
    found = robustness(faces, np.full(10, 3), _bright_is_happy)
    assert found["accuracy"] == 1.0
    assert found["degraded"] == dict.fromkeys(DEGRADATIONS, 1.0) | {"low light": 0.0}
    assert found["mean_drop_points"] == pytest.approx(100 / len(DEGRADATIONS), abs=0.01)


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four pictures of synthetic people, and an empty room among the happy ones."""
    root = tmp_path_factory.mktemp("photographs")
    random, source = np.random.default_rng(2), SyntheticFaces.load()
    for label in ("happy", "surprise"):
        (root / label).mkdir()
        for number in range(2):
            frame = compose_frame(source.face(label, random, 1.0), random)
            cv2.imwrite(str(root / label / f"{number}.png"), frame)
    cv2.imwrite(str(root / "happy" / "room.png"), np.full((240, 320, 3), 90, np.uint8))
    return root


def _always_happy(faces: np.ndarray) -> np.ndarray:
    return np.tile(np.eye(7, dtype=np.float32)[3], (len(faces), 1))


def test_a_picture_without_a_found_face_counts_as_wrong(photographs: Path) -> None:
    counts: list[int] = []
    found = evaluate_photographs(photographs, _always_happy, counts.append)
    assert counts == [1, 2, 3, 4, 5]
    assert (found["n"], found["faces_found"]) == (5, 4)
    assert found["accuracy"] == pytest.approx(2 / 5)
    assert found["accuracy_of_found"] == pytest.approx(2 / 4)
    assert found["recall"]["surprise"] == 0.0


def test_photographs_without_any_face_give_no_accuracy(tmp_path: Path) -> None:
    (tmp_path / "sad").mkdir()
    cv2.imwrite(str(tmp_path / "sad" / "room.png"), np.full((100, 100, 3), 90, np.uint8))
    assert evaluate_photographs(tmp_path, _always_happy) == {"n": 1, "faces_found": 0, "accuracy": 0.0}


def test_a_file_that_is_no_picture_is_named(tmp_path: Path) -> None:
    (tmp_path / "sad").mkdir()
    (tmp_path / "sad" / "1.jpg").write_text("no picture")
    with pytest.raises(DataError, match=r"1\.jpg: expected a picture"):
        evaluate_photographs(tmp_path, _always_happy)


def test_the_command_reads_photographs(photographs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evaluate.main(["--data", str(photographs), "--detect", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert (found["n"], found["faces_found"]) == (5, 4)
    assert found["accuracy"] >= 0.4


@pytest.mark.parametrize("what", ["--robustness", "--class-mood"])
def test_the_command_measures_robustness_and_moods(
    what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = faces_csv(tmp_path / "faces.csv", drawn_faces(per_label=4))
    evaluate.main(["--data", str(data), "--usage", "Training", what, "--classes", "2", "--json"])
    found = json.loads(capsys.readouterr().out)
    if what == "--robustness":
        assert set(found["degraded"]) == set(DEGRADATIONS)
    else:
        assert {(mood["mix"], mood["faces"]) for mood in found["moods"]} >= {
            ("dirichlet 1", 30),
            ("dirichlet 0.3", 500),
        }
        assert all(0 <= mood["coverage"] <= 1 and mood["estimate"] >= 0 for mood in found["moods"])
