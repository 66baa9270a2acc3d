"""Train the emotion network: `python -m ml.train --data FILE|FOLDER [--votes FILE] [--resume]`.

Keras 3, on any of its backends (KERAS_BACKEND=torch is the quickest on a processor with bf16). The learning rate goes
up, stays, and falls to zero at the end; a training that has stopped at any point of the flat part can be resumed and
given fewer or more epochs.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

import keras
import numpy as np
from keras import ops
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from ml import architectures
from ml.data import dataset
from ml.data.dataset import FaceSet
from ml.training import checkpoint
from ml.training.average import WeightAverage
from ml.training.batches import epoch_batches, soft_labels, steps
from ml.training.networks import accuracy, quickened
from ml.training.recipe import RECIPES, Recipe
from ml.training.sharpness import require_support
from ml.training.start import begin_with
from ml.training.step import step_for
from ml.training.teacher import Teachers, read_teachers

CHECKPOINTS = Path("~/.cache/roomtone/training")
PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")

SAVE_EVERY = 30.0
"""Seconds between two checkpoints, at least."""

SEEDS = 1000
"""Between the seeds of two epochs of one training."""


@dataclass(frozen=True, slots=True)
class Data:
    """What to learn from, what to choose on, and the teachers, if there are any."""

    learn: FaceSet
    dev: FaceSet
    teachers: Teachers = field(default_factory=lambda: Teachers([]))


class Training:
    """One training: the model, its average, the data, and the log."""

    def __init__(self, name: str, recipe: Recipe, data: Data, folder: Path) -> None:
        self.recipe, self.folder = recipe, folder
        self.dev = data.dev
        self.pixels = ops.convert_to_tensor(data.learn.pixels)
        self.targets = ops.convert_to_tensor(soft_labels(data.learn, recipe))
        if data.teachers and recipe.small_side != architectures.SIDE:
            whole, received = architectures.SIDE, recipe.small_side
            raise ValueError(f"--teacher: expected --small-side {whole} beside it, received {received}.")
        self.model = compiled(name, recipe)
        self.step = step_for(self.model, data.teachers, recipe)
        self.average = WeightAverage(self.model, recipe.ema)
        self.measured = quickened(architectures.build(name))
        self.epoch = 0
        self._saved = time.monotonic()

    @property
    def checkpoint(self) -> Path:
        return self.folder / "last.npz"

    @property
    def log(self) -> Path:
        return self.folder / "log.jsonl"

    def begin_with(self, start: Path) -> None:
        """Go on from another network's weights. Raises ValueError for a file or a network that doesn't fit."""
        begin_with(self.model, start)
        self.average = WeightAverage(self.model, self.recipe.ema)

    def resume(self) -> None:
        """Go on from the last checkpoint, if there is one; the log forgets what came after it. Raises
        CheckpointError."""
        if self.checkpoint.exists():
            self.epoch = checkpoint.load(self.checkpoint, self.model, self.average)
            lines = self.log.read_text(encoding="utf-8").splitlines(keepends=True)
            self.log.write_text("".join(lines[: self.epoch]), encoding="utf-8")

    def run(self, progress: Progress) -> None:
        """Train until the recipe's last epoch; log each, and now and then measure and save. A new training begins a
        new log, and leaves no checkpoint of another one to be resumed."""
        if not self.epoch:
            for earlier in (self.log, self.checkpoint):
                earlier.unlink(missing_ok=True)
        while self.epoch < self.recipe.epochs:
            began = time.perf_counter()
            loss = self._epoch(progress)
            self.epoch += 1
            self._save()
            self._log(progress, loss, time.perf_counter() - began)

    def _save(self) -> None:
        """Once in a while, and at the end: on a GPU an epoch takes less time than writing it down."""
        if self.epoch == self.recipe.epochs or time.monotonic() - self._saved >= SAVE_EVERY:
            checkpoint.save(self.checkpoint, self.model, self.average, self.epoch)
            self._saved = time.monotonic()

    def averaged(self) -> keras.Model:
        """The network as it is kept: float32, Keras' own layers, the averaged weights."""
        keras.mixed_precision.set_global_policy("float32")
        model = architectures.build(self.model.name)
        model.set_weights(self.average.weights)
        return model

    def _dev_accuracy(self) -> float | None:
        """Of the averaged weights; None between two measurements."""
        if self.epoch % self.recipe.measure and self.epoch < self.recipe.epochs:
            return None
        self.measured.set_weights(self.average.weights)
        return round(accuracy(self.measured, self.dev), 4)

    def _epoch(self, progress: Progress) -> float:
        count = steps(len(self.pixels), self.recipe)
        task = progress.add_task(f"epoch {self.epoch + 1}/{self.recipe.epochs}", total=count)
        # What chance decides outside of numpy (torch's dropout) depends on seed and epoch alone, too, so that a
        # resumed training ends as an uninterrupted one.
        keras.utils.set_random_seed(self.recipe.seed + SEEDS * self.epoch)
        rates = ops.convert_to_tensor(
            [self.recipe.rate(self.epoch + step / count) for step in range(count)], "float32"
        )
        sharp, losses = self.recipe.looks_uphill(self.epoch), []
        batches = epoch_batches(self.pixels, self.targets, self.recipe, self.epoch, architectures.SIDE)
        for step, (faces, targets) in enumerate(batches):
            losses.append(self.step(faces, targets, rates[step], sharp=sharp, turn=step))
            self.average.update(self.epoch * count + step + 1)
            progress.advance(task)
        progress.remove_task(task)
        return float(np.mean([ops.convert_to_numpy(loss) for loss in losses]))

    def _log(self, progress: Progress, loss: float, seconds: float) -> None:
        line = {
            "epoch": self.epoch,
            "rate": round(self.recipe.rate(self.epoch), 6),
            "side": self.recipe.side(self.epoch - 1, architectures.SIDE),
            "loss": round(loss, 4),
            "dev_accuracy": self._dev_accuracy(),
            "seconds": round(seconds, 1),
        }
        with self.log.open("a", encoding="utf-8") as log:
            log.write(json.dumps(line) + "\n")
        progress.console.print(json.dumps(line))


def compiled(name: str, recipe: Recipe) -> keras.Model:
    """The network, ready to be trained at the recipe's sizes of face. Raises ValueError for a size it can't take, and
    where the recipe has sharpness-aware steps and the backend none."""
    if recipe.sharp:
        require_support(recipe)
    if recipe.small_side % architectures.SIDE_STEP:
        step, received = architectures.SIDE_STEP, recipe.small_side
        raise ValueError(f"small_side: expected a multiple of {step}, received {received}.")
    side = architectures.SIDE if recipe.small_side == architectures.SIDE else None
    model = quickened(architectures.build(name, side))
    optimizer = _optimizer(recipe)
    optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
    model.compile(optimizer, keras.losses.CategoricalCrossentropy())
    optimizer.build(model.trainable_variables)
    return model


def _optimizer(recipe: Recipe) -> keras.optimizers.Optimizer:
    if recipe.optimizer == "adam":
        return keras.optimizers.Adam(recipe.peak)
    if recipe.optimizer == "sgd":
        return keras.optimizers.SGD(
            recipe.peak, momentum=recipe.momentum, nesterov=True, weight_decay=recipe.weight_decay
        )
    raise ValueError(f"optimizer: expected adam or sgd, received {recipe.optimizer!r}.")


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m ml.train", description="Train the emotion network.")
    parser.add_argument("--data", type=Path, required=True, help="the challenge's CSV (.gz, .xz, .zip) or a folder")
    parser.add_argument("--votes", type=Path, help="fer2013new.csv, the FER+ votes of the same rows")
    parser.add_argument(
        "--teacher", type=Path, nargs="+", default=[], help="emotion.keras of networks whose answers to learn from"
    )
    parser.add_argument("--start", type=Path, help="an emotion.keras to go on from, instead of random weights")
    parser.add_argument("--architecture", default="roomtone", choices=sorted(architectures.ARCHITECTURES))
    parser.add_argument("--precision", default="float32", choices=PRECISIONS)
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint")
    parser.add_argument("--checkpoints", type=Path, default=CHECKPOINTS, help="folder for the log and the state")
    parser.add_argument("--out", type=Path, help="where to write emotion.keras (default: the checkpoints' folder)")
    for number in fields(Recipe):
        name, kind = "--" + number.name.replace("_", "-"), type(number.default)
        parser.add_argument(name, type=kind, help=f"default {number.default}, or the architecture's own")
    return parser.parse_args(argv)


def chosen_recipe(options: argparse.Namespace) -> Recipe:
    """The architecture's recipe, with what the command line says instead."""
    given = {number.name: getattr(options, number.name) for number in fields(Recipe)}
    recipe = RECIPES.get(options.architecture, Recipe())
    return replace(recipe, **{name: value for name, value in given.items() if value is not None})


def main(argv: list[str] | None = None) -> None:
    options = arguments(argv)
    recipe = chosen_recipe(options)
    keras.utils.set_random_seed(recipe.seed)
    console = Console()
    folder = options.checkpoints.expanduser() / options.architecture
    folder.mkdir(parents=True, exist_ok=True)
    keras.mixed_precision.set_global_policy(options.precision)
    try:
        training = Training(options.architecture, recipe, load_data(options, console), folder)
        if options.start:
            training.begin_with(options.start)
        if options.resume:
            training.resume()
    except ValueError as error:
        raise SystemExit(f"ml.train: {error}") from error
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=console) as progress:
        training.run(progress)
    out = options.out or folder
    out.mkdir(parents=True, exist_ok=True)
    training.averaged().save(out / "emotion.keras")
    console.print(f"Wrote {out / 'emotion.keras'}")


def load_data(options: argparse.Namespace, console: Console) -> Data:
    """Read and divide the faces. Raises ValueError (DataError, VotesError among them)."""
    with console.status("Reading faces") as status:
        faces = dataset.read(
            options.data, options.votes, lambda n: status.update(f"Reading faces: {n:,}") if n % 500 == 0 else None
        )
        split = dataset.divide(faces)
    console.print(f"{len(faces):,} faces: {len(split.learn):,} to learn from, {len(split.dev):,} to choose on")
    return Data(dataset.keep(faces, split.learn), dataset.keep(faces, split.dev), read_teachers(options.teacher))


if __name__ == "__main__":
    main()
