"""What an analysis says about one frame, between the worker's stages: plain values, nothing of ml's libraries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from emotions.frames.frame import SlotFrame
from emotions.messages import Fractions, Help, Label, RejectReason
from ml.labels import LABELS

Source = Literal["server", "device"]
"""Where a picture was read: a value of EmotionEvent.Source."""


@dataclass(frozen=True, slots=True)
class FaceRead:
    """One face. `box`: (x, y, width, height) as fractions of the frame. `probabilities`: (7,), summing to 1."""

    box: Fractions
    probabilities: tuple[float, ...]
    label: Label
    confidence: float
    uncertain: bool


@dataclass(frozen=True, slots=True)
class Observation:
    """One frame's outcome. `faces`: the largest first (only that one on a session's lane); empty where none was
    found, or where the frame was `refused`."""

    frame: SlotFrame
    faces: tuple[FaceRead, ...] = ()
    face_count: int = 0
    help: Help | None = None
    refused: RejectReason | None = None
    too_dark: bool = False
    model_version: str = ""
    source: Source = "server"

    @property
    def face(self) -> FaceRead | None:
        return self.faces[0] if self.faces else None


@dataclass(frozen=True, slots=True)
class RoomSums:
    """What is left of one picture of a room's camera: how many faces, of how many the network was unsure, and (7,)
    how much of each emotion is in them together. `refused`: it could not be read."""

    frame: SlotFrame
    faces: int = 0
    uncertain: int = 0
    sums: tuple[float, ...] = (0.0,) * len(LABELS)
    model_version: str = ""
    too_dark: bool = False
    refused: RejectReason | None = None
