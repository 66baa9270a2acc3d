from __future__ import annotations

import keras
import numpy as np
import numpy.typing as npt
import pytest
from keras import layers

from ml.training.recipe import RECIPES, Recipe
from ml.training.sharpness import require_support, sharpness_aware_step

Floats = npt.NDArray[np.float32]

RANDOM = np.random.default_rng(3)
INPUTS = RANDOM.normal(size=(12, 4)).astype(np.float32)
TARGETS = RANDOM.dirichlet(np.ones(7), 12).astype(np.float32)


def _compiled(*inner: layers.Layer) -> keras.Model:
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((4,)), *inner, layers.Dense(7, "softmax", use_bias=False)])
    model.compile(keras.optimizers.SGD(0.5), keras.losses.CategoricalCrossentropy())
    return model


def _slope(weights: Floats) -> Floats:
    """Of the mean cross-entropy of a softmax of `INPUTS @ weights`."""
    powers = np.exp(INPUTS @ weights)
    shares = powers / powers.sum(axis=1, keepdims=True)
    return np.asarray(INPUTS.T @ (shares - TARGETS) / len(INPUTS), np.float32)


def test_a_step_follows_the_slope_that_it_finds_uphill() -> None:
    model = _compiled()
    before = model.get_weights()[0]
    sharpness_aware_step(model, INPUTS, TARGETS, reach=0.3)
    uphill = before + 0.3 * _slope(before) / np.linalg.norm(_slope(before))
    np.testing.assert_allclose(model.get_weights()[0], before - 0.5 * _slope(uphill), atol=1e-5)
    assert np.abs(_slope(uphill) - _slope(before)).max() > 1e-3, "the two slopes must differ to tell them apart"


def test_a_step_without_reach_is_the_optimizers_own() -> None:
    plain, aware = _compiled(), _compiled()
    told = plain.train_on_batch(INPUTS, TARGETS)
    assert float(sharpness_aware_step(aware, INPUTS, TARGETS, reach=0.0)) == pytest.approx(told, abs=1e-6)
    np.testing.assert_allclose(plain.get_weights()[0], aware.get_weights()[0], atol=1e-6)


def test_what_is_uphill_leaves_no_trace_in_batch_norms_statistics() -> None:
    plain, aware = (
        _compiled(layers.Dense(5), layers.BatchNormalization(momentum=0.8, name="norm")) for _ in range(2)
    )
    plain.train_on_batch(INPUTS, TARGETS)
    sharpness_aware_step(aware, INPUTS, TARGETS, reach=2.0)
    norms = [model.get_layer("norm") for model in (plain, aware)]
    for name in ("moving_mean", "moving_variance"):
        ours, theirs = (np.asarray(getattr(norm, name)) for norm in norms)
        np.testing.assert_allclose(ours, theirs, atol=1e-6)
    assert norms[1].momentum == 0.8


def test_a_backend_without_slopes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keras.config, "backend", lambda: "jax")
    with pytest.raises(ValueError, match=r"\['tensorflow', 'torch'\] as KERAS_BACKEND, received 'jax'"):
        require_support(Recipe())


def test_on_torch_another_optimizer_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keras.config, "backend", lambda: "torch")
    with pytest.raises(ValueError, match="expected sgd with momentum as optimizer on torch"):
        require_support(RECIPES["baseline"])
    require_support(RECIPES["roomtone"])


def test_float16_is_refused_since_its_optimizer_expects_scaled_slopes() -> None:
    keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        with pytest.raises(ValueError, match="received mixed_float16"):
            require_support(Recipe())
    finally:
        keras.mixed_precision.set_global_policy("float32")
