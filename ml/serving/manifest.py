"""The manifest beside the weights: which files belong to a model, their checksums, and how to read its output."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ml.labels import LABELS
from ml.lesson import RAREST, Lesson, lesson_odds

WEIGHTS = Path(__file__).parent.parent / "weights"
MANIFEST_NAME = "manifest.json"
DEVICE_NAME, DETECTOR_NAME = "emotion.onnx", "yunet.onnx"
"""The networks as browsers load them."""
KERAS_NAME = "emotion.keras"
"""The network as it was trained, in floats."""


class ModelFileError(RuntimeError):
    """A model's file is missing, damaged, or not what the manifest describes."""


@dataclass(frozen=True, slots=True)
class MoodModel:
    """How `ml.quantify` reads the probabilities of a whole class (fitted by `ml.training.mood`).

    `matrix` (7, 7) and `bias` (7,): logits = matrix @ centred logarithms + bias, which makes the probabilities honest
    for every emotion on its own. `prior`: (7,) shares of the labels that these assume. `model_error`: standard error
    of a share that more faces don't take away, as a fraction of sqrt(share * (1 - share)).
    """

    matrix: npt.NDArray[np.float64]
    bias: npt.NDArray[np.float64]
    prior: npt.NDArray[np.float64]
    model_error: float


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is known about the served network. All figures come from held-out training rows (`dev`).

    `temperature`, `biases` (7,): probabilities are raised to the temperature's inverse, each label's is multiplied by
    the exponential of its bias, and all are normalised. Without biases in the file they are zeros.
    `lesson`: how a single reading is seen, and when it counts as uncertain.
    `confusion`: (7, 7), row i = P(predicted label | true label i).
    `soft_confusion`: (7, 7), row i = mean calibrated probabilities of the faces of label i.
    `priors`: (7,) shares of the labels that the calibrated probabilities assume.
    `mood`: how a whole class is read; where the file has none, the probabilities are taken as they are.
    `device_version`: names the same network as browsers run it; empty where none was written.
    """

    directory: Path
    model_version: str
    checksums: dict[str, str]
    temperature: float
    biases: npt.NDArray[np.float64]
    lesson: Lesson
    confusion: npt.NDArray[np.float64]
    soft_confusion: npt.NDArray[np.float64]
    priors: npt.NDArray[np.float64]
    mood: MoodModel
    device_version: str = ""

    @classmethod
    def load(cls, directory: Path | str | None = None) -> Manifest:
        """Read `manifest.json` from a folder (default: the weights in this package).

        Raises ModelFileError when it is missing, is not JSON, lacks a field, or holds figures of a wrong shape.
        """
        folder = WEIGHTS if directory is None else Path(directory)
        data = _read_json(folder / MANIFEST_NAME)
        try:
            return cls._from_json(folder, data)
        except (KeyError, TypeError, ValueError) as error:
            raise ModelFileError(f"{MANIFEST_NAME}: {type(error).__name__}: {error}") from error

    @classmethod
    def _from_json(cls, folder: Path, data: dict[str, Any]) -> Manifest:
        priors = _shares(data, "priors", (len(LABELS),))
        return cls(
            directory=folder,
            model_version=str(data["model_version"]),
            checksums={name: str(entry["sha256"]) for name, entry in data["files"].items()},
            temperature=_positive(data, "temperature"),
            biases=_numbers(data, "biases", (len(LABELS),)) if "biases" in data else np.zeros(len(LABELS)),
            lesson=Lesson(lesson_odds(priors.tolist()), float(data["uncertain_below"])),
            confusion=_shares(data, "confusion", (len(LABELS), len(LABELS))),
            soft_confusion=_shares(data, "soft_confusion", (len(LABELS), len(LABELS))),
            priors=priors,
            mood=_mood(data["mood"] if "mood" in data else _plain_mood(data)),
            device_version=str(data.get("device_version", "")),
        )

    def read(self, name: str) -> bytes:
        """The content of one of the model's files, after its sha256 was compared with the manifest.

        Raises ModelFileError when the manifest does not know the file, or it is missing or another one.
        """
        if name not in self.checksums:
            raise ModelFileError(f"{MANIFEST_NAME} lists {sorted(self.checksums)}, not {name!r}.")
        path = self.directory / name
        if not path.is_file():
            raise ModelFileError(f"The weights {name} are missing beside {MANIFEST_NAME}.")
        content = path.read_bytes()
        found = hashlib.sha256(content).hexdigest()
        if found != self.checksums[name]:
            raise ModelFileError(f"{name}: expected sha256 {self.checksums[name]}, received {found}.")
        return content


def _read_json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise ModelFileError(f"No {MANIFEST_NAME} in the weights folder: train and export a network first.")
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise ModelFileError(f"{MANIFEST_NAME} is not JSON: {error}") from error
    if not isinstance(data, dict):
        raise ModelFileError(f"{MANIFEST_NAME}: expected an object, received {type(data).__name__}.")
    return data


def _plain_mood(data: dict[str, Any]) -> dict[str, Any]:
    """An emotion that no face showed is taken for a rare one: nothing can be divided by a prior of nought."""
    count, prior = len(LABELS), np.maximum(np.asarray(data["priors"], np.float64), RAREST)
    return {"matrix": np.eye(count), "bias": np.zeros(count), "prior": prior / prior.sum(), "model_error": 0.0}


def _mood(data: dict[str, Any]) -> MoodModel:
    count = len(LABELS)
    prior = _shares(data, "prior", (count,))
    error = float(data["model_error"])
    if not (prior > 0).all() or not 0 <= error < 1:
        raise ValueError(f"mood: expected a prior above 0 and 0 <= model_error < 1, received {prior} and {error}")
    return MoodModel(_numbers(data, "matrix", (count, count)), _numbers(data, "bias", (count,)), prior, error)


def _positive(data: dict[str, Any], name: str) -> float:
    value = float(data[name])
    if not value > 0:
        raise ValueError(f"{name}: expected a number above 0, received {value}")
    return value


def _shares(data: dict[str, Any], name: str, shape: tuple[int, ...]) -> npt.NDArray[np.float64]:
    """An array whose last axis sums to 1."""
    values = _numbers(data, name, shape)
    if (values < 0).any() or not np.allclose(values.sum(axis=-1), 1, atol=1e-3):
        raise ValueError(f"{name}: expected shares that sum to 1, received rows summing to {values.sum(axis=-1)}")
    return np.asarray(values / values.sum(axis=-1, keepdims=True))


def _numbers(data: dict[str, Any], name: str, shape: tuple[int, ...]) -> npt.NDArray[np.float64]:
    values = np.asarray(data[name], np.float64)
    if values.shape != shape or not np.isfinite(values).all():
        raise ValueError(f"{name}: expected finite numbers of shape {shape}, received shape {values.shape}")
    return values
