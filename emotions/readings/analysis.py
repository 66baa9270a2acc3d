"""From slots to observations: the only module that imports ml's inference, inside the worker's processes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import cast

from emotions.frames.frame import SlotFrame
from emotions.messages import Help, Label, RejectReason
from emotions.readings.observations import FaceRead, Observation, RoomSums
from ml.labels import LABELS
from ml.quantify import MoodEstimator
from ml.serving.analyser import FrameAnalyser
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


def sum_up(frame: SlotFrame) -> RoomSums:
    """A picture of a room's camera: every face in it is read, and only their sums leave this function."""
    (seen,) = observe([frame], every_face=True)
    if seen.refused is not None:
        return RoomSums(seen.frame, refused=seen.refused)
    unsure = sum(face.uncertain for face in seen.faces)
    sums = _together(seen.faces)
    return RoomSums(seen.frame, len(seen.faces), unsure, sums, seen.model_version, seen.too_dark)


def _together(faces: Sequence[FaceRead]) -> tuple[float, ...]:
    """The estimated mix of the faces, as the class mood has it of students, times their number."""
    if not faces:
        return (0.0,) * len(LABELS)
    mix = _estimator().estimate([face.probabilities for face in faces]).shares
    return tuple(float(share) * len(faces) for share in mix)


@lru_cache(maxsize=1)
def _estimator() -> MoodEstimator:
    return MoodEstimator.load()


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
