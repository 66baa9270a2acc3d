"""How it is usually done: a Haar cascade on 640x480 and `model.predict` for each face.

`python -m benchmarks.recipes` prints frames per second of processor time for both recipes: the usual one on this
project's starting architecture (`baseline`, fresh weights: they cost the same), and Haar with our own network.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from benchmarks.faces import frames
from ml.serving.classifier import EmotionClassifier

FRAMES = 24
"""A frame of the usual recipe takes a tenth of a second."""

Picture = npt.NDArray[np.uint8]
Read = Callable[[Picture], object]


def measure() -> dict[str, Any]:
    """Frames per second and core of each recipe, and how often its cascade finds a face."""
    cv2.setNumThreads(1)
    cascade = cv2.CascadeClassifier(str(Path(cv2.data.haarcascades) / "haarcascade_frontalface_default.xml"))
    pictures = [_enlarged(jpeg) for jpeg in frames()[:FRAMES]]
    return {
        "haar_and_predict": _per_core(pictures, cascade, _predict()),
        "haar_and_litert": _per_core(pictures, cascade, _litert()),
        "haar_finds": round(float(np.mean([len(_faces(cascade, one)) > 0 for one in pictures])), 3),
    }


def _predict() -> Read:
    """`model.predict` on one thread, as one worker of a core would run it."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    from ml import architectures

    model = architectures.build("baseline")
    return lambda face: model.predict(face[None, ..., None].astype(np.float32), verbose=0)


def _litert() -> Read:
    classifier = EmotionClassifier.load()
    return lambda face: classifier.probabilities(face[None])


def _enlarged(jpeg: bytes) -> bytes:
    """The same picture as a 640x480 JPEG, the size at which the recipe works."""
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    return cv2.imencode(".jpg", cv2.resize(picture, (640, 480), interpolation=cv2.INTER_CUBIC))[1].tobytes()


def _per_core(jpegs: Sequence[bytes], cascade: cv2.CascadeClassifier, read: Read) -> float:
    _read_all(jpegs[:2], cascade, read)
    before = time.process_time()
    _read_all(jpegs, cascade, read)
    return round(len(jpegs) / (time.process_time() - before), 2)


def _read_all(jpegs: Sequence[bytes], cascade: cv2.CascadeClassifier, read: Read) -> None:
    """Every frame is read once, also where the cascade finds nothing: the recipe is not to gain by its misses."""
    for jpeg in jpegs:
        grey = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)
        faces = cascade.detectMultiScale(grey, 1.3, 5)
        x, y, width, height = faces[0] if len(faces) else (200, 120, 240, 240)
        read(cv2.resize(grey[y : y + height, x : x + width], (48, 48)))


def _faces(cascade: cv2.CascadeClassifier, jpeg: bytes) -> Sequence[Any]:
    return cascade.detectMultiScale(cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE), 1.3, 5)


if __name__ == "__main__":
    print(json.dumps(measure()))
