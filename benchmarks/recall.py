"""Does the quick search, which looks at half size first, lose faces? `python -m benchmarks.recall --data FILE`.

Puts faces of the data's `dev` part into drawn frames, so many at each distance, and prints one JSON object: how often
a full search of 320x240 finds a face, how often the quick one does, and the quick one's share of what the full one
finds. The faces are real, the heads and rooms around them drawn. `synthetic` is what `make bench` prints: the same of
faces of nobody, which are easier.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.analysis import median_cpu_seconds
from benchmarks.faces import SIZES, Distance, frame, frames, frames_at
from ml.data import dataset
from ml.serving.analyser import decode
from ml.serving.faces import FaceDetector, Search
from ml.types import ByteArray

SEED = 5
SEARCHES: tuple[Search, ...] = ("full", "quick")


def synthetic(count: int = 400) -> dict[str, Any]:
    """`compared` for faces of nobody, so many at each distance, and for what the simulated class sends."""
    return {distance: compared(frames_at(distance, count)) for distance in SIZES} | {
        "simulated class": compared(frames())
    }


def of_data(data: Path, count: int) -> dict[str, Any]:
    """`compared` for the same `count` faces of this data's `dev` part at each distance. Raises DataError."""
    faces = held_out(data, count)
    found: dict[str, Any] = {distance: compared(_frames_of(faces, distance)) for distance in SIZES}
    return {"data": data.name, "part": "dev", "faces": len(faces)} | found


def held_out(data: Path, count: int) -> npt.NDArray[np.uint8]:
    """(n, 48, 48) faces, at most `count`, drawn evenly from those that training holds out as `dev`.

    Raises DataError for data that can't be read, or has no such part.
    """
    faces = dataset.read(data)
    dev = dataset.divide(faces).dev
    if not len(dev):
        raise dataset.DataError(f"{data}: expected `Training` rows, a tenth of which is `dev`, found none.")
    chosen = np.random.default_rng(SEED).permutation(dev)[:count]
    return dataset.keep(faces, chosen).pixels


def _frames_of(faces: npt.NDArray[np.uint8], distance: Distance) -> list[bytes]:
    rng = np.random.default_rng(SEED)
    return [frame(face, rng, SIZES[distance]) for face in faces]


def compared(jpegs: Sequence[bytes]) -> dict[str, float]:
    """Shares of these frames in which each search finds a face, and processor milliseconds a frame of each.

    `quick_of_full`: the quick search's share of the frames in which the full one finds a face.
    """
    detector = FaceDetector()
    pictures = [np.asarray(decode(jpeg)) for jpeg in jpegs]
    found = {search: np.array([bool(detector.detect(one, search)) for one in pictures]) for search in SEARCHES}
    both = found["full"] & found["quick"]
    return {
        **{f"{search}_finds": round(float(found[search].mean()), 4) for search in SEARCHES},
        "quick_of_full": round(float(both.sum() / max(1, found["full"].sum())), 4),
        **{f"{search}_ms": round(1000 * _cost(detector, pictures, search) / len(jpegs), 3) for search in SEARCHES},
    }


def _cost(detector: FaceDetector, pictures: Sequence[ByteArray], search: Search) -> float:
    """Processor seconds of all these pictures."""
    return median_cpu_seconds(lambda: [detector.detect(one, search) for one in pictures], 1)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recall", description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="FER2013's CSV (plain, .gz, .xz, .zip)")
    parser.add_argument("--faces", type=int, default=500, help="so many at each distance (default 500)")
    options = parser.parse_args(arguments)
    try:
        print(json.dumps(of_data(options.data, options.faces), indent=1))
    except dataset.DataError as error:
        raise SystemExit(f"benchmarks.recall: {error}") from error


if __name__ == "__main__":
    main()
