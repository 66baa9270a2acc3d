"""For those who have torch, which no file of requirements has: run it with KERAS_BACKEND=torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import pytest

from ml import architectures, train
from ml.training.recipe import Recipe
from ml.training.sharpness import statistics_kept
from ml.training.step import KerasStep, step_for
from ml.training.teacher import Teachers

if keras.config.backend() != "torch":
    pytest.skip("for KERAS_BACKEND=torch", allow_module_level=True)

RECIPE = Recipe(batch=16, small_side=48, reach=0.3, teacher_weight=0.5)
RANDOM = np.random.default_rng(3)
FACES = RANDOM.uniform(0, 255, (16, 48, 48, 1)).astype(np.float32)
TARGETS = RANDOM.dirichlet(np.ones(7), 16).astype(np.float32)


def _after(
    make: Callable[[keras.Model, Teachers, Recipe], Any], recipe: Recipe, *, sharp: bool = False, steps: int = 3
) -> tuple[list[float], npt.NDArray[np.float32]]:
    """The losses of some steps at a rising rate, and all weights after them, in one row."""
    keras.utils.set_random_seed(1)
    model = train.compiled("roomtone", recipe)
    step = make(model, Teachers([architectures.build("roomtone")]), recipe)
    losses = []
    for number in range(steps):
        keras.utils.set_random_seed(number)
        faces, targets, rate = map(keras.ops.convert_to_tensor, (FACES, TARGETS, np.float32(0.01 * (number + 1))))
        losses.append(float(step(faces, targets, rate, sharp=sharp, turn=number)))
    return losses, np.concatenate([weight.ravel() for weight in model.get_weights()])


def test_its_steps_are_those_of_keras_own_optimizer() -> None:
    (losses, weights), (expected_losses, expected) = (_after(make, RECIPE) for make in (step_for, KerasStep))
    np.testing.assert_allclose(losses, expected_losses, rtol=1e-3)
    moved = np.linalg.norm(expected - _after(step_for, RECIPE, steps=0)[1])
    assert np.linalg.norm(weights - expected) < 0.01 * moved


def test_a_sharpness_aware_step_follows_the_slope_that_it_finds_uphill(monkeypatch: pytest.MonkeyPatch) -> None:
    """A step is the rate times a slope, and nearly one more for momentum: so two steps tell two slopes."""
    from ml.training.torch_speed import NativeDropout

    monkeypatch.setattr(NativeDropout, "call", lambda _, inputs, training=False: inputs)
    keras.utils.set_random_seed(1)
    model = train.compiled("roomtone", RECIPE)
    step: Any = step_for(model, Teachers([]), RECIPE)
    faces, targets = map(keras.ops.convert_to_tensor, (FACES, TARGETS))
    with statistics_kept(model):
        here = step._slopes(faces, targets)[1]
        length = sum(float((slope**2).sum()) for slope in here) ** 0.5
        before = [variable.numpy() for variable in model.trainable_variables]
        for variable, slope in zip(model.trainable_variables, here, strict=True):
            variable.assign(variable.numpy() + RECIPE.reach / length * slope.numpy())
        expected = [slope.numpy() for slope in step._slopes(faces, targets)[1]]
        for variable, value in zip(model.trainable_variables, before, strict=True):
            variable.assign(value)
        found = [slope.numpy() for slope in step._slopes_uphill(here, faces, targets)]
    for one, other, kept, value in zip(found, expected, model.trainable_variables, before, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4 + 0.01 * np.abs(other).max())
        np.testing.assert_allclose(kept.numpy(), value, atol=1e-6)
    apart = sum(float(((one - there.numpy()) ** 2).sum()) for one, there in zip(found, here, strict=True)) ** 0.5
    assert apart > 0.05 * length, "the two slopes must differ to tell them apart"


def test_a_sharpness_aware_step_without_reach_is_a_plain_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batch norm's statistics included: the second look, uphill, leaves no trace in them."""
    from ml.training.torch_speed import NativeDropout

    monkeypatch.setattr(NativeDropout, "call", lambda _, inputs, training=False: inputs)
    still = replace(RECIPE, reach=0.0)
    (losses, weights), (expected_losses, expected) = (_after(step_for, still, sharp=sharp) for sharp in (True, False))
    np.testing.assert_allclose(losses, expected_losses, rtol=1e-4)
    moved = np.linalg.norm(expected - _after(step_for, still, steps=0)[1])
    assert np.linalg.norm(weights - expected) < 0.001 * moved
    assert np.linalg.norm(_after(step_for, RECIPE, sharp=True)[1] - weights) > 0.02 * moved
