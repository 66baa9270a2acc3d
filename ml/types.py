"""What passes between the stages of the analysis: plain frozen values, no behaviour of a library behind them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
ByteArray = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels of the frame that it was found in; may reach past the frame's edge."""

    x: float
    y: float
    width: float
    height: float

    @property
    def area(self) -> float:
        return self.width * self.height

    def as_fractions(self, frame_width: int, frame_height: int) -> tuple[float, float, float, float]:
        """(x, y, width, height), each as a fraction 0..1 of the frame: what a page draws at any size."""
        return (
            self.x / frame_width,
            self.y / frame_height,
            self.width / frame_width,
            self.height / frame_height,
        )


@dataclass(frozen=True, slots=True)
class Face:
    """A detected face. `landmarks`: (5, 2) float32 pixels - right eye, left eye, nose, right and left mouth corner,
    right and left as the person's own. `score`: the detector's confidence, 0..1."""

    box: Box
    landmarks: FloatArray
    score: float


@dataclass(frozen=True, slots=True)
class Reading:
    """What the network says about one face. `probabilities`: (7,) float32 in the order of `ml.labels.LABELS`,
    calibrated, summing to 1. `uncertain`: in a lesson it would too often be wrong (`ml.lesson`)."""

    face: Face
    probabilities: FloatArray
    label: str
    confidence: float
    uncertain: bool


@dataclass(frozen=True, slots=True)
class FrameAnalysis:
    """One frame's result. `readings`: the largest face first; only that one unless every face was asked for.
    `face_count`: all faces found. `brightness`: mean luminance, 0..1."""

    width: int
    height: int
    readings: tuple[Reading, ...]
    face_count: int
    brightness: float
    too_dark: bool
    too_far: bool


@dataclass(frozen=True, slots=True)
class UndecodableFrame:
    """A frame that could not be read. `reason` is one of: not_jpeg, truncated, too_large, undecodable."""

    reason: str
