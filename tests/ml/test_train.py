from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers, ops
from rich.console import Console
from rich.progress import Progress

from ml import architectures, train
from ml.data.dataset import FaceSet
from ml.labels import LABELS
from ml.training import step
from ml.training.average import WeightAverage
from ml.training.batches import epoch_batches, mix, soft_labels, translated
from ml.training.checkpoint import CheckpointError
from ml.training.networks import accuracy
from ml.training.recipe import RECIPES, Recipe
from ml.training.sharpness import sharpness_aware_step
from ml.training.teacher import read_teachers
from tests.ml.drawn import drawn_faces, faces_csv

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

QUICK = Recipe(epochs=4, batch=16, peak=0.05, warm_up=1, decay=2, weight_decay=1e-4, small_side=48, full=0, measure=1)


def _small(x: Any) -> Any:
    x = layers.Conv2D(8, 5, 4, "same", use_bias=False, name="conv")(x)
    x = layers.ReLU(name="relu")(layers.BatchNormalization(momentum=0.8, name="norm")(x))
    x = layers.Dropout(0.1, seed=1, name="dropout")(layers.Flatten(name="face")(x))
    return layers.Dense(len(LABELS), name="scores")(x)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One more architecture, `small`, that learns the drawn faces in seconds."""
    monkeypatch.setitem(architectures.ARCHITECTURES, "small", _small)
    yield
    keras.mixed_precision.set_global_policy("float32")


def _data() -> train.Data:
    return train.Data(drawn_faces(per_label=24, seed=1), drawn_faces(per_label=6, seed=2))


def _run(recipe: Recipe, folder: Path, *, resume: bool = False) -> train.Training:
    folder.mkdir(exist_ok=True)
    keras.utils.set_random_seed(recipe.seed)
    training = train.Training("small", recipe, _data(), folder)
    if resume:
        training.resume()
    with Progress(console=Console(quiet=True)) as progress:
        training.run(progress)
    return training


def _log(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def test_a_short_training_learns_a_tiny_set(tmp_path: Path) -> None:
    recipe = replace(QUICK, epochs=12, augment=0)
    training = _run(recipe, tmp_path)
    lines = _log(tmp_path)
    assert [line["epoch"] for line in lines] == list(range(1, 13))
    assert lines[-1]["loss"] < lines[0]["loss"] / 2
    assert lines[-1]["dev_accuracy"] > 0.9
    assert accuracy(training.averaged(), training.dev) == pytest.approx(lines[-1]["dev_accuracy"], abs=1e-4)


def test_an_interrupted_training_ends_as_an_uninterrupted_one(tmp_path: Path) -> None:
    whole = _run(QUICK, tmp_path / "whole")
    interrupted = replace(QUICK, epochs=2, decay=0)
    half = tmp_path / "half"
    _run(interrupted, half)
    keras.utils.set_random_seed(99)
    resumed = _run(QUICK, half, resume=True)
    assert [line["loss"] for line in _log(half)] == [line["loss"] for line in _log(tmp_path / "whole")]
    for one, other in zip(whole.model.get_weights(), resumed.model.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
    for one, other in zip(whole.average.weights, resumed.average.weights, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


@pytest.mark.parametrize("save_every", [0.0, 1e9], ids=["each-epoch-saved", "none-saved"])
def test_a_training_that_broke_off_goes_on_from_what_it_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, save_every: float
) -> None:
    whole = _run(QUICK, tmp_path / "whole")
    monkeypatch.setattr(train, "SAVE_EVERY", save_every)
    _run(replace(QUICK, seed=7, epochs=1), tmp_path / "broken")
    plain = train.Training._epoch

    def breaks_off(training: train.Training, progress: Progress) -> float:
        if training.epoch == 2:
            raise KeyboardInterrupt
        return plain(training, progress)

    monkeypatch.setattr(train.Training, "_epoch", breaks_off)
    with pytest.raises(KeyboardInterrupt):
        _run(QUICK, tmp_path / "broken")
    monkeypatch.setattr(train.Training, "_epoch", plain)
    resumed = _run(QUICK, tmp_path / "broken", resume=True)
    assert [line["epoch"] for line in _log(tmp_path / "broken")] == [1, 2, 3, 4]
    for one, other in zip(whole.model.get_weights(), resumed.model.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_another_networks_checkpoint_is_refused(tmp_path: Path) -> None:
    _run(replace(QUICK, epochs=1), tmp_path)
    other = train.Training("roomtone", QUICK, _data(), tmp_path)
    with pytest.raises(CheckpointError, match="expected the state of 'roomtone'"):
        other.resume()


def test_the_command_trains_logs_and_writes_the_network(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = faces_csv(tmp_path / "faces.csv", drawn_faces(per_label=20))
    options = ["--epochs", "1", "--batch", "16", "--small-side", "48", "--out", str(tmp_path / "out")]
    train.main(["--data", str(data), "--architecture", "small", "--checkpoints", str(tmp_path), *options])
    written = keras.models.load_model(tmp_path / "out" / "emotion.keras", compile=False)
    assert np.asarray(written(np.zeros((1, 48, 48, 1)))).shape == (1, 7)
    assert len(_log(tmp_path / "small")) == 1
    assert "140 faces: 126 to learn from, 14 to choose on" in capsys.readouterr().out


def test_the_command_goes_on_from_a_network_with_sharpness_aware_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = faces_csv(tmp_path / "faces.csv", drawn_faces(per_label=20))
    given = ["--data", str(data), "--architecture", "small", "--batch", "16", "--small-side", "48", "--ema", "0"]
    train.main([*given, "--epochs", "1", "--checkpoints", str(tmp_path / "first")])
    start = tmp_path / "first" / "small" / "emotion.keras"
    steps: list[float] = []

    def counted(*arguments: Any) -> float:
        steps.append(float(sharpness_aware_step(*arguments)))
        return steps[-1]

    monkeypatch.setattr(step, "sharpness_aware_step", counted)
    more = ["--start", str(start), "--peak", "0.001", "--decay", "0", "--epochs", "2", "--sharp", "1"]
    train.main([*given, *more, "--checkpoints", str(tmp_path / "second")])
    first, second = (_log(tmp_path / name / "small") for name in ("first", "second"))
    assert second[0]["loss"] < first[0]["loss"]
    assert len(steps) == 126 // 16
    assert second[1]["loss"] == pytest.approx(np.mean(steps), abs=1e-4)


def test_a_network_teaches_after_its_architecture_has_grown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    earlier = architectures.build("small")
    earlier.save(tmp_path / "emotion.keras")
    monkeypatch.setitem(architectures.ARCHITECTURES, "small", lambda x: _small(layers.Conv2D(2, 3, name="new")(x)))
    faces = drawn_faces(per_label=1).pixels[..., None].astype(np.float32)
    answers = read_teachers([tmp_path / "emotion.keras"]).join(faces, np.zeros((7, 7), np.float32), 1.0, 0)
    np.testing.assert_allclose(answers, earlier.predict_on_batch(faces), atol=1e-6)


def test_the_command_says_what_is_wrong_with_the_data(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"ml\.train: .*found nothing there"):
        train.main(["--data", str(tmp_path / "none.csv"), "--checkpoints", str(tmp_path)])


def test_the_command_line_changes_the_architectures_own_recipe() -> None:
    options = train.arguments(["--data", "x.csv", "--architecture", "baseline", "--epochs", "3"])
    assert train.chosen_recipe(options) == replace(RECIPES["baseline"], epochs=3)
    assert train.chosen_recipe(options).batch == 64


def test_the_rate_rises_stays_and_falls_to_nothing() -> None:
    recipe = Recipe(epochs=10, peak=0.2, warm_up=2, decay=4)
    rates = [recipe.rate(epoch) for epoch in (0, 1, 2, 6, 7, 8, 10)]
    np.testing.assert_allclose(rates, [0.001, 0.101, 0.2, 0.2, 0.1 + 0.1 * 0.5**0.5, 0.1, 0], atol=1e-9)


def test_faces_are_small_until_the_last_epochs() -> None:
    recipe = Recipe(epochs=10, small_side=32, full=3)
    assert [recipe.side(epoch, 48) for epoch in (0, 6, 7, 9)] == [32, 32, 48, 48]


def test_a_size_that_the_network_cannot_halve_is_refused() -> None:
    with pytest.raises(ValueError, match="small_side: expected a multiple of 16, received 40"):
        train.compiled("roomtone", replace(QUICK, small_side=40))


def _one_face(votes: list[float]) -> FaceSet:
    return replace(drawn_faces(1, labels=1), votes=np.array([votes], np.float32))


def test_soft_labels_mix_label_votes_and_smoothing() -> None:
    recipe = Recipe(votes_weight=0.4, smoothing=0.07)
    # A single face, so every vote goes with its label.
    voted = soft_labels(_one_face([0.5, 0, 0, 0, 0, 0, 0.5]), recipe)[0]
    np.testing.assert_allclose(voted, [0.94, *[0.01] * 6], atol=1e-6)
    unvoted = soft_labels(_one_face([0] * 7), recipe)[0]
    np.testing.assert_allclose(unvoted, [0.94, *[0.01] * 6], atol=1e-6)


def test_votes_count_as_the_labels_that_such_votes_go_with() -> None:
    """Fear is seldom voted for: as votes say it, a face of fear is mostly surprise; as labels, half fear."""
    labels = np.eye(7, dtype=np.float32)[[2, 5, 2, 5]]
    votes = np.eye(7, dtype=np.float32)[[5, 5, 2, 5]]
    said = translated(votes, labels)
    np.testing.assert_allclose(said[0, [2, 5]], [1 / 3, 2 / 3], atol=1e-6)
    np.testing.assert_allclose(said[2, 2], 1.0, atol=1e-6)
    np.testing.assert_allclose(said.mean(axis=0), labels.mean(axis=0), atol=1e-6)
    assert not translated(np.zeros((1, 7), np.float32), labels[:1]).any()


def test_an_epochs_batches_depend_on_seed_and_epoch_alone() -> None:
    faces = drawn_faces(6)
    targets = soft_labels(faces, QUICK)

    def batches(epoch: int) -> list[Any]:
        batches = epoch_batches(faces.pixels, targets, QUICK, epoch, 48)
        return [ops.convert_to_numpy(pixels) for pixels, _ in batches]

    assert len(batches(0)) == 2
    np.testing.assert_array_equal(batches(3), batches(3))
    assert not np.array_equal(batches(3), batches(4))


def test_without_augmentation_a_batch_is_the_faces_and_their_own_targets() -> None:
    faces = drawn_faces(6)
    recipe = replace(QUICK, augment=0, smoothing=0.0)
    for batch in epoch_batches(faces.pixels, soft_labels(faces, recipe), recipe, 0, 48):
        for face, target in zip(*map(ops.convert_to_numpy, batch), strict=True):
            match = (faces.pixels == face[..., 0]).all(axis=(1, 2))
            assert faces.labels[match].tolist() == [int(target.argmax())]


def _one_weight() -> tuple[keras.Model, keras.Variable]:
    """A model whose only weight is zero."""
    model = keras.Sequential([keras.Input((1,)), layers.Dense(1, use_bias=False, kernel_initializer="zeros")])
    return model, model.weights[0]


def test_the_average_lags_behind_the_weights_and_reaches_them() -> None:
    model, weight = _one_weight()
    average = WeightAverage(model, decay=0.9)
    weight.assign([[1.0]])
    average.update(1)
    assert average.weights[0] == 0
    for number in range(8, 400, 8):
        average.update(number)
    assert average.weights[0] == pytest.approx(1, abs=1e-3)


def test_without_decay_the_average_is_the_weights() -> None:
    model, weight = _one_weight()
    average = WeightAverage(model, decay=0.0)
    weight.assign([[3.0]])
    average.update(1)
    assert average.weights[0] == 3


def test_mixed_faces_have_targets_mixed_alike() -> None:
    faces = np.arange(8, dtype=np.float32).reshape(8, 1, 1, 1) * np.ones((8, 48, 48, 1), np.float32)
    targets = np.stack([np.arange(8, dtype=np.float32)] * 7, axis=1)
    mixed, answers = map(ops.convert_to_numpy, mix(faces, targets, 0.5, np.random.default_rng(3)))
    np.testing.assert_allclose(mixed.mean(axis=(1, 2, 3)), answers[:, 0], atol=1e-6)
    changed = np.abs(answers[:, 0] - targets[:, 0]) > 1e-6
    assert 0 < changed.sum() < 8
    assert (np.abs(answers - targets).max(axis=1) <= 3.5).all()


def test_teachers_take_turns_and_their_answers_weigh_as_told(tmp_path: Path) -> None:
    faces, targets = drawn_faces(1).pixels[..., None].astype(np.float32), np.eye(7, dtype=np.float32)
    models = []
    for number in (1, 2):
        keras.utils.set_random_seed(number)
        models.append(architectures.build("small"))
        models[-1].save(tmp_path / f"{number}.keras")
    teachers = read_teachers([tmp_path / "1.keras", tmp_path / "2.keras"])
    for turn, model in enumerate([*models, models[0]]):
        expected = 0.75 * targets + 0.25 * model.predict_on_batch(faces)
        np.testing.assert_allclose(teachers.join(faces, targets, 0.25, turn), expected, atol=1e-6)
    assert read_teachers([]).join(faces, targets, 0.25, 0) is targets


def test_a_network_learns_what_its_teacher_says_of_faces_without_a_label(tmp_path: Path) -> None:
    """Taught by answers alone: the labels, which are all wrong here, weigh nothing."""
    _run(replace(QUICK, epochs=12, augment=0), tmp_path / "first").averaged().save(tmp_path / "first.keras")
    data = _data()
    wrong = replace(data.learn, labels=(data.learn.labels + 1) % 7)
    taught = train.Data(wrong, data.dev, read_teachers([tmp_path / "first.keras"]))
    training = train.Training("small", replace(QUICK, epochs=12, augment=0, teacher_weight=1.0), taught, tmp_path)
    with Progress(console=Console(quiet=True)) as progress:
        training.run(progress)
    assert _log(tmp_path)[-1]["dev_accuracy"] > 0.9


def test_teachers_see_whole_faces(tmp_path: Path) -> None:
    architectures.build("small").save(tmp_path / "first.keras")
    data = replace(_data(), teachers=read_teachers([tmp_path / "first.keras"]))
    with pytest.raises(ValueError, match="--teacher: expected --small-side 48 beside it, received 32"):
        train.Training("roomtone", replace(QUICK, small_side=32), data, tmp_path)


def test_a_teacher_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    keras.Sequential([keras.Input((48, 48, 1)), layers.Flatten(), layers.Dense(8)]).save(tmp_path / "eight.keras")
    with pytest.raises(ValueError, match=r"--teacher .*eight.keras: expected .* to \(7,\), received .* to \(8,\)"):
        read_teachers([tmp_path / "eight.keras"])
    data = faces_csv(tmp_path / "faces.csv", drawn_faces(per_label=20))
    with pytest.raises(SystemExit, match=r"ml\.train: --teacher .*none.keras: expected a network"):
        train.main(["--data", str(data), "--teacher", str(tmp_path / "none.keras"), "--checkpoints", str(tmp_path)])
