"""From slots to observations: the only module that imports ml's inference, inside the worker's processes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import cast

from emotions.frames.frame import SlotFrame
from emotions.messages import Help, Label, RejectReason
from emotions.readings.observations import FaceRead, Observation
from ml.analyser import FrameAnalyser
from ml.types import FrameAnalysis, Reading, UndecodableFrame

_REASONS: dict[str, RejectReason] = {"not_jpeg": "not_jpeg", "truncated": "truncated", "too_large": "dimensions"}


@lru_cache(maxsize=1)
def analyser() -> FrameAnalyser:
    """This process's own, loaded at its first frame: engines do not survive a fork."""
    return FrameAnalyser.load()


def observe(frames: Sequence[SlotFrame], *, every_face: bool = False) -> list[Observation]:
    """One observation per frame, in order; their frames have lost the JPEG. Never raises for a bad frame."""
    engine = analyser()
    results = engine.analyse([frame.jpeg for frame in frames], every_face=every_face)
    pairs = zip(frames, results, strict=True)
    return [_observation(replace(frame, jpeg=b""), result, engine.model_version) for frame, result in pairs]


def _observation(frame: SlotFrame, result: FrameAnalysis | UndecodableFrame, version: str) -> Observation:
    if isinstance(result, UndecodableFrame):
        return Observation(frame, refused=_REASONS.get(result.reason, "undecodable"))
    return Observation(
        frame,
        faces=tuple(_face(reading, result) for reading in result.readings),
        face_count=result.face_count,
        help=_help(result),
        too_dark=result.too_dark,
        model_version=version,
    )


def _face(reading: Reading, result: FrameAnalysis) -> FaceRead:
    return FaceRead(
        box=reading.face.box.as_fractions(result.width, result.height),
        probabilities=tuple(float(share) for share in reading.probabilities),
        label=cast(Label, reading.label),
        confidence=reading.confidence,
        uncertain=reading.uncertain,
    )


def _help(result: FrameAnalysis) -> Help | None:
    """The one thing that the student should change first."""
    if result.too_dark:
        return "too_dark"
    if not result.readings:
        return "no_face"
    return "too_far" if result.too_far else None
