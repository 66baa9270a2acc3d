"""A training that begins with an earlier network's weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from ml.training.start import begin_with

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def _network(*, blocks: int = 1, filters: int = 4) -> keras.Model:
    pixels = keras.Input((12, 12, 1))
    x: Any = layers.ReLU(name="stem_relu")(layers.Conv2D(filters, 3, 2, name="stem")(pixels))
    for number in range(blocks):
        y = layers.Conv2D(filters, 3, padding="same", name=f"block{number}_b_conv")(x)
        y = layers.BatchNormalization(name=f"block{number}_b_norm")(y)
        x = layers.ReLU(name=f"block{number}_relu")(layers.Add(name=f"block{number}_add")([x, y]))
    scores = layers.Dense(7, "softmax", name="scores")(layers.GlobalAveragePooling2D(name="face")(x))
    return keras.Model(pixels, scores)


@pytest.fixture
def start(tmp_path: Path) -> Path:
    keras.utils.set_random_seed(5)
    _network().save(tmp_path / "emotion.keras")
    return tmp_path / "emotion.keras"


def test_a_block_that_is_new_begins_silent(start: Path) -> None:
    pixels = np.random.default_rng(1).uniform(0, 255, (3, 12, 12, 1)).astype(np.float32)
    earlier = keras.models.load_model(start, compile=False).predict_on_batch(pixels)
    deeper = _network(blocks=2)
    assert np.abs(deeper.predict_on_batch(pixels) - earlier).max() > 1e-3
    begin_with(deeper, start)
    np.testing.assert_allclose(deeper.predict_on_batch(pixels), earlier, atol=1e-6)


def test_a_network_of_other_shapes_is_refused(start: Path) -> None:
    with pytest.raises(ValueError, match=r"layer 'stem': expected weights of shape .*5.*, received .*4"):
        begin_with(_network(filters=5), start)


def test_a_file_that_is_no_network_is_refused(tmp_path: Path) -> None:
    (tmp_path / "faces.keras").write_text("no network")
    with pytest.raises(ValueError, match=r"expected a network that ml\.train wrote"):
        begin_with(_network(), tmp_path / "faces.keras")
