from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ml import evaluate
from ml.data.dataset import FaceSet
from ml.labels import LABELS
from ml.measuring import measures
from ml.serving.manifest import WEIGHTS, Manifest
from tests.ml.drawn import drawn_faces, faces_csv

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def test_confusion_counts_true_rows_and_read_columns() -> None:
    table = measures.confusion(np.array([3, 3, 6]), np.array([3, 0, 6]))
    assert table.sum() == 3
    assert table[3, 3] == table[0, 3] == table[6, 6] == 1


def test_recall_and_f1_by_hand() -> None:
    table = np.zeros((7, 7), np.int64)
    table[0, :2] = 3, 1
    table[1, :2] = 2, 4
    found = measures.recalls(table)
    np.testing.assert_allclose(found[:2], [3 / 4, 4 / 6])
    assert np.isnan(found[2:]).all()
    assert measures.macro_f1(table) == pytest.approx((6 / 9 + 8 / 11) / 2)


def _sure(confidence: float, count: int) -> np.ndarray:
    rows = np.full((count, 7), (1 - confidence) / 6)
    rows[:, 3] = confidence
    return rows


def test_cross_entropy_is_how_little_the_labels_were_expected() -> None:
    certain, even = np.eye(7)[[3]], np.full((1, 7), 1 / 7)
    labels = np.array([3])
    assert measures.cross_entropy(certain, labels) == pytest.approx(0)
    assert measures.cross_entropy(even, labels) == pytest.approx(np.log(7))
    assert measures.cross_entropy(np.concatenate([certain, even]), np.array([3, 3])) == pytest.approx(np.log(7) / 2)
    assert np.isfinite(measures.cross_entropy(certain, np.array([0])))


def test_calibration_error_is_the_distance_of_confidence_and_accuracy() -> None:
    labels = np.array([3] * 6 + [0] * 4)
    assert measures.calibration_error(_sure(0.6, 10), labels) == pytest.approx(0)
    assert measures.calibration_error(_sure(0.9, 10), labels) == pytest.approx(0.3)
    assert measures.calibration_error(_sure(1.0, 10), labels) == pytest.approx(0.4)


def test_the_coverage_curve_leaves_out_the_least_confident_first() -> None:
    right = np.array([False, True, True])
    thresholds, coverage, accuracy = measures.coverage_curve(np.array([0.4, 0.9, 0.6]), right, np.array([2.0, 1, 1]))
    np.testing.assert_allclose(thresholds, [0.9, 0.6, 0.4])
    np.testing.assert_allclose(coverage, [1 / 4, 1 / 2, 1])
    np.testing.assert_allclose(accuracy, [1, 1, 1 / 2])


def _always_happy(faces: np.ndarray) -> np.ndarray:
    return _sure(0.94, len(faces)).astype(np.float32)


def _public() -> FaceSet:
    """Twenty different random faces as PublicTest, then the first as itself again, the second as Training."""
    random = np.random.default_rng(0)
    pixels = random.integers(0, 255, (20, 48, 48), np.uint8)
    pixels = np.concatenate([pixels, pixels[:2]])
    labels = np.array([3] * 5 + [0] * 15 + [3, 3])
    usage = np.array(["PublicTest"] * 21 + ["Training"])
    return FaceSet(pixels, labels, usage, np.zeros((22, 7), np.float32))


def test_figures_raw_and_without_repeats(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluate, "TIMED", 3)
    found = evaluate.evaluate(_public(), "PublicTest", _always_happy)
    assert found["n"] == 21
    assert found["accuracy"] == pytest.approx(6 / 21, abs=1e-4)
    assert found["accuracy_deduplicated"] == pytest.approx(4 / 19, abs=1e-4)
    assert found["recall"] == dict.fromkeys(LABELS) | {"angry": 0.0, "happy": 1.0}
    assert found["confusion"][3][3] == 6
    assert found["ece"] == pytest.approx(0.94 - 6 / 21, abs=1e-3)
    assert found["ms_per_face"] > 0


def test_dev_is_the_part_that_training_held_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluate, "TIMED", 3)
    assert evaluate.evaluate(drawn_faces(per_label=20), "dev", _always_happy)["n"] == 14


def test_an_engine_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match=r"expected one of \('litert', 'keras'\), received 'torch'"):
        evaluate.engine("torch")


@pytest.mark.parametrize("engine", evaluate.ENGINES)
def test_the_command_prints_one_object(
    engine: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluate, "TIMED_SECONDS", 0.2)
    faces = drawn_faces(per_label=2)
    data = faces_csv(tmp_path / "faces.csv", replace(faces, usage=np.full(14, "PublicTest")))
    evaluate.main(["--data", str(data), "--engine", engine, "--json"])
    found = json.loads(capsys.readouterr().out)
    assert {"n", "accuracy", "accuracy_deduplicated", "macro_f1", "recall", "ece", "confusion", "ms_per_face"} <= set(
        found
    )
    assert found["n"] == 14
    assert 0 < found["parameters"] <= 2_000_000
    assert found["model_version"] == Manifest.load(WEIGHTS).model_version


def test_the_command_shows_a_table_to_a_person(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = faces_csv(tmp_path / "faces.csv", drawn_faces(per_label=1))
    evaluate.main(["--data", str(data), "--usage", "Training"])
    shown = capsys.readouterr().out
    assert "accuracy_deduplicated" in shown
    assert all(label in shown for label in LABELS)


def test_a_manifest_without_its_parameters_is_said_so_before_anything_is_read(tmp_path: Path) -> None:
    known = json.loads((WEIGHTS / "manifest.json").read_text())
    (tmp_path / "manifest.json").write_text(json.dumps(known | {"parameters": None}))
    with pytest.raises(SystemExit, match="expected a whole number of parameters, received None"):
        evaluate.main(["--data", str(tmp_path / "none.csv"), "--weights", str(tmp_path)])


def test_the_command_says_which_usages_there_are(tmp_path: Path) -> None:
    data = faces_csv(tmp_path / "faces.csv", drawn_faces(per_label=1))
    with pytest.raises(
        SystemExit, match=r"ml\.evaluate: usage: expected one of \['Training'\], received 'PublicTest'"
    ):
        evaluate.main(["--data", str(data)])
