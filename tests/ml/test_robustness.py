from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from ml import evaluate
from ml.data.dataset import FaceSet, keep
from ml.data.problems import DataError
from ml.labels import LABELS
from ml.measuring.photographs import FRAMINGS, evaluate_photographs, photograph_of
from ml.measuring.robustness import DEGRADATIONS, degraded, robustness
from ml.serving.manifest import WEIGHTS
from ml.synthetic import SyntheticFaces, compose_frame
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


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    """Four pictures of synthetic people, and an empty room among the happy ones."""
    root = tmp_path / "photographs"
    root.mkdir()
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
    found = evaluate_photographs(photographs, _always_happy, progress=counts.append)
    assert counts == [1, 2, 3, 4, 5]
    assert (found["n"], found["faces_found"], found["faces_doubtful"]) == (5, 4, 0)
    assert found["mean_recall"] == pytest.approx((0 + 2 / 3) / 2, abs=1e-4)
    assert found["accuracy"] == pytest.approx(2 / 5)
    assert found["accuracy_of_found"] == pytest.approx(2 / 4)
    assert found["recall"]["surprise"] == 0.0
    assert found["recall"]["happy"] == pytest.approx(2 / 3, abs=1e-4)
    assert (found["missed"]["happy"], sum(found["missed"].values())) == (1, 1)


def test_photographs_without_any_face_give_the_same_figures_as_far_as_they_are_known(
    photographs: Path, tmp_path: Path
) -> None:
    (tmp_path / "none" / "sad").mkdir(parents=True)
    cv2.imwrite(str(tmp_path / "none" / "sad" / "room.png"), np.full((100, 100, 3), 90, np.uint8))
    found = evaluate_photographs(tmp_path / "none", _always_happy)
    assert (found["n"], found["faces_found"], found["accuracy"], found["recall"]["sad"]) == (1, 0, 0.0, 0.0)
    assert found["ece"] is found["accuracy_of_found"] is None
    assert set(found) == set(evaluate_photographs(photographs, _always_happy))


def test_a_file_that_is_no_picture_counts_as_wrong_and_is_named(photographs: Path) -> None:
    (photographs / "happy" / "broken.jpg").write_text("no picture")
    found = evaluate_photographs(photographs, _always_happy)
    assert (found["n"], found["accuracy"]) == (6, pytest.approx(2 / 6, abs=1e-4))
    [unreadable] = found["unreadable"]
    assert "broken.jpg: expected a picture" in unreadable


def test_what_is_no_picture_of_a_label_is_left_out_and_named(photographs: Path) -> None:
    (photographs / ".thumbnails").mkdir()
    (photographs / "contempt").mkdir()
    (photographs / "contempt" / "1.jpg").write_text("not looked at")
    (photographs / "happy" / "scan.tiff").write_text("not looked at")
    (photographs / "happy" / "._0.png").write_text("not looked at")
    found = evaluate_photographs(photographs, _always_happy)
    assert (found["n"], found["left_out"]) == (5, ["contempt", "happy/scan.tiff"])


def test_what_lies_beside_the_usages_is_named_too(photographs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (photographs / "test" / "sad").mkdir(parents=True)
    (photographs / "happy" / "0.png").rename(photographs / "test" / "sad" / "0.png")
    (photographs / "happy" / "1.png").rename(photographs / "1.png")
    found = evaluate_photographs(photographs, _always_happy)
    assert (found["n"], found["left_out"]) == (1, ["happy", "surprise", "1.png"])
    evaluate.main(["--data", str(photographs), "--detect", "--json"])
    assert "left out, since it names no label or is no picture: surprise" in capsys.readouterr().err


def test_only_the_pictures_of_a_usage_are_read_where_one_is_asked_for(photographs: Path, tmp_path: Path) -> None:
    photographs.rename(tmp_path / "train")
    (tmp_path / "val").mkdir()
    (tmp_path / "val" / "happy").mkdir()
    (tmp_path / "train" / "happy" / "0.png").rename(tmp_path / "val" / "happy" / "0.png")
    assert evaluate_photographs(tmp_path, _always_happy, "PublicTest")["n"] == 1
    assert evaluate_photographs(tmp_path, _always_happy)["n"] == 5
    with pytest.raises(DataError, match="expected pictures of usage PrivateTest, found none"):
        evaluate_photographs(tmp_path, _always_happy, "PrivateTest")


def test_what_is_no_folder_and_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"ml\.evaluate: .*nowhere: expected a folder of pictures"):
        evaluate.main(["--data", str(tmp_path / "nowhere"), "--detect"])


def test_the_faces_of_a_file_are_enlarged_to_photographs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Drawn faces look like a blot to the detector, synthetic ones like a face."""
    source, random = SyntheticFaces.load(), np.random.default_rng(3)
    faces = np.stack([source.face(label, random) for label in LABELS])
    photographs = [photograph_of(face, margin) for face in faces for margin in FRAMINGS.values()]
    assert {picture.shape for picture in photographs} == {(350, 350, 3)}
    set_of_faces = FaceSet(faces, np.arange(7), np.full(7, "PublicTest"), np.zeros((7, 7), np.float32))
    data = faces_csv(tmp_path / "faces.csv", set_of_faces)
    evaluate.main(["--data", str(data), "--detect", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert (found["n"], list(found["framings"])) == (7, list(FRAMINGS))
    assert found["framings"]["margin of 7 pixels"]["faces_found"] == 7
    assert 0 < found["directly"]["accuracy"] <= 1


def test_less_or_more_around_a_face_is_shown() -> None:
    face = np.full((48, 48), 100, np.uint8)
    face[:4] = 250
    assert photograph_of(face, -5).max() < 110
    assert photograph_of(face, 0)[:20].min() > 240
    assert photograph_of(face, 19)[:80].min() > 240


def test_the_command_reads_photographs(photographs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evaluate.main(["--data", str(photographs), "--detect", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert (found["n"], found["faces_found"]) == (5, 4)
    assert found["accuracy_of_found"] == 1.0


def test_counting_is_right_where_every_face_is_read_right_and_wrong_where_none_is() -> None:
    labels = np.repeat(np.arange(7), 20)
    right, wrong = (np.eye(7, dtype=np.float32)[(labels + shift) % 7] for shift in (0, 1))
    assert {mood["counting"] for mood in evaluate.class_mood(right, labels, WEIGHTS, 5)["moods"]} == {0.0}
    assert min(mood["counting"] for mood in evaluate.class_mood(wrong, labels, WEIGHTS, 5)["moods"]) > 5


def test_moods_of_faces_without_an_emotion_are_refused(tmp_path: Path) -> None:
    drawn = drawn_faces(per_label=4)
    data = faces_csv(tmp_path / "faces.csv", keep(drawn, np.flatnonzero(drawn.labels != 2)))
    with pytest.raises(SystemExit, match=r"ml\.evaluate: expected faces of every emotion .* found none of fear"):
        evaluate.main(["--data", str(data), "--usage", "Training", "--class-mood"])


def test_weights_that_are_not_there_are_said(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"ml\.evaluate: "):
        evaluate.main(["--data", str(tmp_path), "--weights", str(tmp_path)])


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
