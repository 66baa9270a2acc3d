from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ml.serving.classifier import EmotionClassifier, calibrated
from ml.serving.manifest import Manifest, ModelFileError
from ml.types import ByteArray
from tests.ml.tiny import tiny_network, tiny_probabilities, write_weights


@pytest.fixture
def grey_faces() -> ByteArray:
    faces = np.random.default_rng(3).integers(0, 256, (5, 48, 48), np.uint8)
    return faces // np.arange(1, 6, dtype=np.uint8)[:, None, None]


def test_a_float_network_gives_what_its_arithmetic_says(weights: Path, grey_faces: ByteArray) -> None:
    found = EmotionClassifier.load(weights).probabilities(grey_faces)
    assert found.shape == (5, 7)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, [tiny_probabilities(face) for face in grey_faces], atol=1e-4)


@pytest.mark.filterwarnings("ignore:Statistics for quantized inputs:UserWarning")
def test_a_network_with_byte_tensors_is_scaled_in_and_out(tmp_path: Path, grey_faces: ByteArray) -> None:
    folder = write_weights(tmp_path, tiny_network(as_bytes=True))
    found = EmotionClassifier.load(folder).probabilities(grey_faces)
    np.testing.assert_allclose(found, [tiny_probabilities(face) for face in grey_faces], atol=0.02)


def test_the_temperature_of_the_manifest_is_applied(network: bytes, tmp_path: Path, grey_faces: ByteArray) -> None:
    folder = write_weights(tmp_path, network, temperature=2.0)
    found = EmotionClassifier.load(folder).probabilities(grey_faces[:1])[0]
    expected = np.sqrt(tiny_probabilities(grey_faces[0]))
    np.testing.assert_allclose(found, expected / expected.sum(), atol=1e-4)


def test_the_biases_of_the_manifest_are_applied(network: bytes, tmp_path: Path, grey_faces: ByteArray) -> None:
    biases = [0.5, 0, 0, -1, 0, 0, 0]
    folder = write_weights(tmp_path, network, biases=biases)
    found = EmotionClassifier.load(folder).probabilities(grey_faces[:1])[0]
    expected = tiny_probabilities(grey_faces[0]) * np.exp(biases)
    np.testing.assert_allclose(found, expected / expected.sum(), atol=1e-4)


def test_calibration_keeps_the_order_and_the_sum() -> None:
    sharp = np.array([[0.7, 0.2, 0.1, 0, 0, 0, 0]], np.float32)
    soft = calibrated(sharp, 3.0)
    assert soft.sum() == pytest.approx(1)
    assert soft[0, 3] < soft[0, 2] < soft[0, 1] < soft[0, 0] < 0.7
    np.testing.assert_allclose(calibrated(sharp, 1.0), sharp, atol=1e-5)


def test_no_faces_give_no_rows(weights: Path) -> None:
    assert EmotionClassifier.load(weights).probabilities(np.zeros((0, 48, 48), np.uint8)).shape == (0, 7)


@pytest.mark.parametrize(
    "faces",
    [np.zeros((2, 64, 64), np.uint8), np.zeros((48, 48), np.uint8), np.zeros((1, 48, 48), np.float32)],
    ids=["side", "axes", "type"],
)
def test_wrong_faces_are_refused_with_what_was_expected_and_received(weights: Path, faces: Any) -> None:
    with pytest.raises(ValueError, match=r"expected \(n, 48, 48\) uint8, received") as caught:
        EmotionClassifier.load(weights).probabilities(faces)
    assert str(faces.shape) in str(caught.value)


def test_a_changed_network_file_is_refused(network: bytes, tmp_path: Path) -> None:
    folder = write_weights(tmp_path, network)
    (folder / "emotion.tflite").write_bytes(network[:-1] + b"\x99")
    with pytest.raises(ModelFileError, match=r"emotion\.tflite: expected sha256 \w{64}, received \w{64}"):
        EmotionClassifier.load(folder)


def test_a_missing_network_or_manifest_is_named(network: bytes, tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"No manifest\.json"):
        EmotionClassifier.load(tmp_path)
    folder = write_weights(tmp_path / "w", network)
    (folder / "emotion.tflite").unlink()
    with pytest.raises(ModelFileError, match=r"emotion\.tflite are missing"):
        EmotionClassifier.load(folder)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"temperature": 0}, "temperature: expected a number above 0"),
        ({"confusion": [[1.0] * 7] * 6}, r"confusion: expected .* of shape \(7, 7\), received shape \(6, 7\)"),
        ({"priors": [0.5] * 7}, "priors: expected shares that sum to 1"),
        ({"files": {}}, r"not 'emotion\.tflite'"),
    ],
)
def test_a_wrong_manifest_says_what_is_wrong(
    network: bytes, tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    folder = write_weights(tmp_path, network, **changes)
    with pytest.raises(ModelFileError, match=words):
        EmotionClassifier.load(folder)


def test_a_manifest_that_is_not_json_is_refused(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(ModelFileError, match="is not JSON"):
        Manifest.load(tmp_path)


def test_a_network_for_another_size_of_face_is_refused(tmp_path: Path) -> None:
    folder = write_weights(tmp_path, tiny_network(side=64))
    with pytest.raises(
        ModelFileError, match=r"input tensor: expected shape \(1, 48, 48, 1\), received \(1, 64, 64, 1\)"
    ):
        EmotionClassifier.load(folder)
