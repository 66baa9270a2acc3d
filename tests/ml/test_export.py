from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from ml import architectures, export
from ml.data import dataset
from ml.data.dataset import FaceSet
from ml.evaluate import engine
from ml.labels import LABELS
from ml.serving.classifier import EmotionClassifier, calibrated
from ml.serving.manifest import WEIGHTS, Manifest, ModelFileError
from ml.synthetic import SyntheticFaces
from ml.training.calibration import LEAST_FOUND, fit_calibration, fit_so_that_all_are_found, uncertain_below
from tests.ml.drawn import drawn_faces

pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning",
    "ignore:Statistics for quantized inputs",
    "ignore:.*tf.lite.Interpreter is deprecated",
)


@pytest.fixture(scope="module")
def faces() -> FaceSet:
    return drawn_faces(per_label=60)


@pytest.fixture(scope="module")
def exported(faces: FaceSet, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """An untrained network of ours, exported with drawn faces: the folder and its manifest."""
    folder = tmp_path_factory.mktemp("exported")
    keras.utils.set_random_seed(5)
    architectures.build("roomtone").save(folder / "trained.keras")
    return folder, export.export(folder / "trained.keras", faces, folder)


def test_the_folder_serves_and_the_manifest_holds_its_checksums(exported: tuple[Path, dict[str, Any]]) -> None:
    folder, manifest = exported
    assert json.loads((folder / "manifest.json").read_text()) == manifest
    assert manifest["model_version"] == f"roomtone-{manifest['files']['emotion.tflite']['sha256'][:12]}"
    assert manifest["dev"]["n"] == 42
    assert EmotionClassifier.load(folder).model_version == manifest["model_version"]
    for name, entry in manifest["files"].items():
        assert len(Manifest.load(folder).read(name)) == entry["bytes"]


def test_how_a_class_is_read_is_fitted_on_dev(exported: tuple[Path, dict[str, Any]]) -> None:
    folder, manifest = exported
    np.testing.assert_allclose(Manifest.load(folder).mood.prior, np.full(7, 1 / 7), atol=1e-5)
    assert np.shape(manifest["mood"]["matrix"]) == (7, 7)


def test_without_five_faces_of_each_emotion_a_class_is_read_as_it_is(faces: FaceSet) -> None:
    few = dataset.keep(faces, np.flatnonzero(faces.labels != 3))
    assert export._mood(np.full((len(few), 7), 1 / 7, np.float32), few.labels) == {}


def test_without_an_emotion_the_manifest_loads_all_the_same(
    exported: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    _folder, manifest = exported
    known = {name: value for name, value in manifest.items() if name != "mood"}
    (tmp_path / "manifest.json").write_text(json.dumps(known | {"priors": [0.2, 0.0, 0.2, 0.2, 0.2, 0.1, 0.1]}))
    prior = Manifest.load(tmp_path).mood.prior
    assert prior.sum() == pytest.approx(1)
    assert 0 < prior[1] < 0.01


def test_a_changed_byte_is_noticed(exported: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    folder, _ = exported
    for name in ("manifest.json", "emotion.tflite"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    content = bytearray((tmp_path / "emotion.tflite").read_bytes())
    content[-1] ^= 1
    (tmp_path / "emotion.tflite").write_bytes(content)
    with pytest.raises(ModelFileError, match="expected sha256"):
        EmotionClassifier.load(tmp_path)


def test_the_quantised_network_is_a_quarter_of_the_float_one(exported: tuple[Path, dict[str, Any]]) -> None:
    files = exported[1]["files"]
    assert files["emotion.tflite"]["bytes"] < files["emotion.keras"]["bytes"] / 3


def test_what_dev_says_is_in_the_manifest(exported: tuple[Path, dict[str, Any]], faces: FaceSet) -> None:
    folder, manifest = exported
    dev = dataset.keep(faces, dataset.divide(faces).dev)
    probabilities = EmotionClassifier.load(folder).probabilities(dev.pixels)
    right = probabilities.argmax(axis=1) == dev.labels
    assert manifest["dev"]["accuracy"] == pytest.approx(right.mean(), abs=1e-3)
    soft = [probabilities[dev.labels == label].mean(axis=0) for label in range(len(LABELS))]
    np.testing.assert_allclose(manifest["soft_confusion"], soft, atol=1e-4)


def _synthetic() -> np.ndarray:
    random = np.random.default_rng(11)
    source = SyntheticFaces.load()
    return np.stack([source.face(label, random, 1.0) for label in LABELS for _ in range(6)])


def test_the_committed_network_is_alike_in_both_engines() -> None:
    faces = _synthetic()
    served, trained = (engine(name, WEIGHTS)(faces) for name in ("litert", "keras"))
    assert (served.argmax(axis=1) == trained.argmax(axis=1)).mean() >= 0.95
    assert np.abs(served - trained).mean() < 0.02


def test_the_committed_network_reads_the_emotion_of_most_synthetic_faces() -> None:
    truth = np.repeat(np.arange(len(LABELS)), 6)
    assert (engine("litert")(_synthetic()).argmax(axis=1) == truth).mean() > 0.7


def _overconfident(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities, and labels drawn from them at a temperature of 2."""
    random = np.random.default_rng(seed)
    raw = random.dirichlet(np.full(7, 0.2), 6000).astype(np.float32)
    labels = np.array([random.choice(7, p=row / row.sum()) for row in calibrated(raw, 2.0).astype(float)])
    return raw, labels


def test_the_temperature_that_made_the_labels_is_found() -> None:
    temperature, biases = fit_calibration(*_overconfident())
    assert temperature == pytest.approx(2.0, rel=0.1)
    np.testing.assert_allclose(biases, 0, atol=0.15)


def test_the_biases_that_made_the_labels_are_found() -> None:
    random = np.random.default_rng(3)
    raw = random.dirichlet(np.full(7, 0.5), 6000).astype(np.float32)
    made = np.array([1.0, -0.5, 0, 0, 0, 0, -0.5])
    rows = calibrated(raw, 1.0, made).astype(float)
    labels = np.array([random.choice(7, p=row / row.sum()) for row in rows])
    temperature, biases = fit_calibration(raw, labels)
    assert temperature == pytest.approx(1.0, rel=0.1)
    np.testing.assert_allclose(biases, made, atol=0.15)


def test_a_label_without_a_face_keeps_a_finite_bias() -> None:
    raw = np.full((40, 7), 1 / 7, np.float32)
    _, biases = fit_calibration(raw, np.zeros(40, np.int64))
    assert np.abs(biases).max() < 5


def _alike(rare: int, frequent: int, share: float) -> tuple[np.ndarray, np.ndarray]:
    """Faces of two labels that look more or less like each other, `share` of them of the rarer label; as well
    calibrated as can be."""
    random = np.random.default_rng(5)
    labels = np.where(random.random(6000) < share, rare, frequent)
    looks = random.normal(np.where(labels == rare, 0.7, -0.7), 1.0)
    raw = np.full((len(labels), 7), 1e-4, np.float32)
    raw[:, rare] = 1 / (1 + np.exp(-1.4 * looks - np.log(share / (1 - share))))
    raw[:, frequent] = 1 - raw[:, rare]
    return raw, labels


def test_a_label_that_is_hardly_ever_said_is_assumed_to_be_more_frequent_until_it_is() -> None:
    raw, labels = _alike(rare=1, frequent=4, share=0.2)
    shares = np.bincount(labels, minlength=7) / len(labels)
    found = fit_so_that_all_are_found(raw, labels, shares)
    before, after = (
        calibrated(raw, *numbers).argmax(axis=1)
        for numbers in (fit_calibration(raw, labels), (found.temperature, found.biases))
    )
    assert (before[labels == 1] == 1).mean() < LEAST_FOUND - 0.1
    assert LEAST_FOUND <= (after[labels == 1] == 1).mean() < LEAST_FOUND + 0.05
    assert found.assumed.sum() == pytest.approx(1)
    # What is assumed is what the biases say: as much more of one label as its odds have risen.
    risen = np.log(found.assumed[1] / found.assumed[4]) - np.log(shares[1] / shares[4])
    assert found.biases[1] - found.biases[4] == pytest.approx(risen, abs=0.1)


def test_where_all_labels_are_found_nothing_else_is_assumed() -> None:
    raw, labels = _alike(rare=1, frequent=4, share=0.5)
    shares = np.bincount(labels, minlength=7) / len(labels)
    found = fit_so_that_all_are_found(raw, labels, shares)
    np.testing.assert_allclose(found.assumed, shares)
    temperature, biases = fit_calibration(raw, labels)
    assert found.temperature == temperature
    np.testing.assert_array_equal(found.biases, biases)


def test_a_reading_is_uncertain_where_it_is_more_often_wrong_than_right() -> None:
    raw, labels = _overconfident()
    assert threshold(calibrated(raw, 2.0), labels) == pytest.approx(0.5, abs=0.05)


def test_a_low_confidence_that_is_right_by_chance_is_none_below_one_that_is_wrong() -> None:
    confidence = np.repeat([0.3, 0.5, 0.7], 100)
    right = np.repeat([True, False, True], 100)
    assert uncertain_below(confidence, right, np.ones(300)) == pytest.approx(0.65, abs=0.011)


def test_readings_that_weigh_more_move_the_threshold() -> None:
    """Where wrong readings are three times as frequent, one has to be three times as sure: 0.75."""
    raw, labels = _overconfident()
    probabilities = calibrated(raw, 2.0)
    weights = np.where(probabilities.argmax(axis=1) == labels, 1.0, 3.0)
    assert threshold(probabilities, labels, weights) == pytest.approx(0.75, abs=0.05)


def threshold(probabilities: np.ndarray, labels: np.ndarray, weights: np.ndarray | None = None) -> float:
    right = probabilities.argmax(axis=1) == labels
    return uncertain_below(probabilities.max(axis=1), right, np.ones(len(labels)) if weights is None else weights)


def test_a_single_lucky_guess_makes_no_low_confidence_certain() -> None:
    raw, labels = _overconfident()
    raw[0], labels[0] = (0.2, 0.16, 0.16, 0.12, 0.12, 0.12, 0.12), 0
    assert threshold(calibrated(raw, 2.0), labels) > 0.4


def test_a_network_that_is_never_right_is_uncertain_throughout() -> None:
    raw, _ = _overconfident()
    assert threshold(raw, (raw.argmax(axis=1) + 1) % 7) == 0.9


def test_the_command_says_which_file_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        export.main(["--model", str(tmp_path / "none.keras"), "--data", str(tmp_path)])
    assert "expected an emotion.keras, found no such file" in capsys.readouterr().err
    with pytest.raises(SystemExit, match=r"ml\.export: No manifest\.json"):
        export.main(["--only-device", "--out", str(tmp_path)])


def test_the_command_says_what_is_wrong_with_the_data(tmp_path: Path) -> None:
    (tmp_path / "x.keras").touch()
    with pytest.raises(SystemExit, match=r"ml\.export: .*found nothing there"):
        export.main(
            ["--model", str(tmp_path / "x.keras"), "--data", str(tmp_path / "none.csv"), "--out", str(tmp_path)]
        )
