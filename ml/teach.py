"""Write a teacher's answers for `ml.train --teacher`: `python -m ml.teach --model FILE... --data FILE --out FILE`.

A network's answers say more than a label: which faces are clear, and which could be taken for something else. One
that learns from them and from the labels gets better than its teacher of the same size (Furlanello et al. 2018,
"Born-Again Neural Networks"). The teacher has seen these very faces, so it is asked about changed views of them, too.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.progress import Progress

from ml import architectures, dataset
from ml.augment import Strength, augment
from ml.train import predict, quickened

VIEWS = 5
"""Changed views of each face."""
AS_IS = 0.3
"""How much the face as it is, and its mirror image, weigh against the changed views."""
STRENGTH = Strength(roll=12.0, scale=0.12, shift=0.07, contrast=0.3, degrade=0.0, erase=0.15, erase_area=(0.02, 0.12))
"""Milder than in training: the teacher is to see each face as it might have been, not to be misled."""
CHUNK = 2048
"""Faces at once: their views are all in memory."""

Pixels = npt.NDArray[np.uint8]
Answers = npt.NDArray[np.float32]


def answers(models: Sequence[keras.Model], pixels: Pixels, views: int = VIEWS, seed: int = 7) -> Answers:
    """(n, 48, 48) uint8 -> (n, 7): the mean over models and views. The same seed gives the same views."""
    random = np.random.default_rng(seed)
    plain = [pixels, np.ascontiguousarray(pixels[:, :, ::-1])]
    changed = [_changed(pixels, random) for _ in range(views)]
    if not changed:
        return _mean(models, plain)
    return np.asarray(AS_IS * _mean(models, plain) + (1 - AS_IS) * _mean(models, changed), np.float32)


def _changed(pixels: Pixels, random: np.random.Generator) -> Pixels:
    return np.asarray(augment(pixels, random, architectures.SIDE, STRENGTH)[..., 0].round(), np.uint8)


def _mean(models: Sequence[keras.Model], views: Sequence[Pixels]) -> Answers:
    return np.asarray(np.mean([predict(model, view) for model in models for view in views], axis=0), np.float32)


def load(path: Path) -> keras.Model:
    """A saved network, in the backend's quickest layers; its blocks are its own, whatever `architectures` has now."""
    saved = keras.models.load_model(path, compile=False)
    model = quickened(saved)
    model.set_weights(saved.get_weights())
    return model


def write(
    models: Sequence[keras.Model],
    faces: dataset.FaceSet,
    rows: npt.NDArray[np.int64],
    out: Path,
    done: Callable[[int], None] = lambda count: None,
) -> None:
    """The answers for these rows of the data; `done` is told how many faces were answered."""
    parts = []
    for start in range(0, len(rows), CHUNK):
        chosen = rows[start : start + CHUNK]
        parts.append(answers(models, faces.pixels[chosen], seed=start))
        done(len(chosen))
    np.savez(out, row=rows, probabilities=np.concatenate(parts))


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m ml.teach", description="Write a teacher's answers.")
    parser.add_argument("--model", type=Path, nargs="+", required=True, help="emotion.keras of one or more trainings")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="the .npz for ml.train --teacher")
    options = parser.parse_args(argv)
    console = Console()
    try:
        with console.status("Reading faces"):
            faces = dataset.read(options.data)
            learn = dataset.divide(faces).learn
    except dataset.DataError as error:
        raise SystemExit(f"ml.teach: {error}") from error
    with Progress(console=console) as progress:
        task = progress.add_task("Asking the teacher", total=len(learn))
        models = [load(path) for path in options.model]
        write(models, faces, learn, options.out, lambda count: progress.advance(task, count))
    console.print(f"Wrote {options.out}: answers for {len(learn):,} faces")


if __name__ == "__main__":
    main()
