"""The network for browsers says what the served one says; and the crop that both are given is the same everywhere."""

from __future__ import annotations

import numpy as np
import pytest

from ml.labels import LABELS
from ml.serving.classifier import NETWORK_NAME, EmotionClassifier
from ml.serving.device import DeviceNetwork
from ml.serving.manifest import DEVICE_NAME, Manifest
from ml.serving.preprocess import align
from ml.synthetic import SyntheticFaces
from ml.training import onnx_writer
from ml.types import ByteArray
from tests.ml.golden_crops import face, golden, picture


@pytest.fixture(scope="module")
def faces() -> ByteArray:
    """(210, 48, 48): every emotion, plain and faint."""
    made, rng = SyntheticFaces.load(), np.random.default_rng(11)
    return np.stack([made.face(LABELS[n % 7], rng, float(rng.uniform(0.2, 1.3))) for n in range(210)])


def test_the_same_labels_and_nearly_the_same_probabilities(faces: ByteArray) -> None:
    served, browsers = EmotionClassifier.load().probabilities(faces), DeviceNetwork.load().probabilities(faces)
    assert (served.argmax(1) == browsers.argmax(1)).mean() >= 0.99
    assert np.abs(served - browsers).mean() < 0.002
    np.testing.assert_allclose(browsers.sum(axis=1), 1, atol=1e-5)


def test_the_file_is_written_from_the_served_network_and_its_calibration() -> None:
    manifest = Manifest.load()
    made = onnx_writer.to_onnx(manifest.read(NETWORK_NAME), manifest.temperature, manifest.biases)
    assert made == manifest.read(DEVICE_NAME), "python -m ml.export --only-device writes it anew"
    assert manifest.device_version.startswith("roomtone-web-")
    assert len(made) < 2_500_000, "a first visit stays under 6 MB"


def test_another_calibration_is_another_file(faces: ByteArray) -> None:
    network = Manifest.load().read(NETWORK_NAME)
    plain, warm = (onnx_writer.to_onnx(network, heat, np.zeros(7)) for heat in (1.0, 4.0))
    assert _confidence(plain, faces) > _confidence(warm, faces)


def _confidence(network: bytes, faces: ByteArray) -> float:
    import onnxruntime

    session = onnxruntime.InferenceSession(network, providers=["CPUExecutionProvider"])
    return float(session.run(None, {"pixels": faces[:, None].astype(np.float32)})[0].max(axis=1).mean())


def test_a_step_that_is_not_known_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(onnx_writer._STEPS, "LOGISTIC")
    with pytest.raises(onnx_writer.UnknownStepError, match="received LOGISTIC"):
        onnx_writer.to_onnx(Manifest.load().read(NETWORK_NAME), 1.0, np.zeros(7))


@pytest.mark.parametrize("case", golden(), ids=lambda case: str(case["name"]))
def test_the_crop_is_the_golden_one(case: dict[str, object]) -> None:
    crop = align(picture(), face(tuple(case["box"]), tuple(case["landmarks"])))  # type: ignore[arg-type]
    assert crop.tobytes().hex() == case["crop"]
