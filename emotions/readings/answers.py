"""What a socket hears about its frame: exactly one answer, written here as finished JSON."""

from __future__ import annotations

from typing import Literal

from emotions.frames.frame import SlotFrame
from emotions.messages import (
    FrameRejected,
    FrameReplaced,
    Label,
    OwnReading,
    RejectReason,
    TryBusy,
    TryFace,
    TryReading,
)
from emotions.publish import Answer
from emotions.readings.observations import Observation


def of_observation(observation: Observation) -> Answer:
    """To a student, or to a visitor of the try page."""
    if observation.refused is not None:
        return rejected(observation.frame, observation.refused)
    return _try_reading(observation) if observation.frame.participant == 0 else _own_reading(observation)


def rejected(frame: SlotFrame, reason: RejectReason) -> Answer:
    return Answer(frame.connection, FrameRejected(sequence=frame.sequence, reason=reason).to_json())


def replaced(frame: SlotFrame) -> Answer:
    return Answer(frame.connection, FrameReplaced(sequence=frame.sequence).to_json())


def busy(frame: SlotFrame) -> Answer:
    """Sessions come first: a visitor's frame was not analysed."""
    return Answer(frame.connection, TryBusy(sequence=frame.sequence).to_json())


def _own_reading(observation: Observation) -> Answer:
    frame, face = observation.frame, observation.face
    seen: Literal["individual", "aggregate"] = "individual" if frame.scope == "individual" else "aggregate"
    label: Label | None = face.label if face else None
    message = OwnReading(
        sequence=frame.sequence,
        box=face.box if face else None,
        label=label,
        uncertain=face.uncertain if face else False,
        face_count=observation.face_count,
        help=observation.help,
        seen_by_teacher=seen,
    )
    return Answer(frame.connection, message.to_json())


def _try_reading(observation: Observation) -> Answer:
    faces = [
        TryFace(
            box=face.box,
            label=face.label,
            confidence=face.confidence,
            uncertain=face.uncertain,
            probabilities=[min(1.0, max(0.0, share)) for share in face.probabilities],
        )
        for face in observation.faces
    ]
    sequence = observation.frame.sequence
    return Answer(
        observation.frame.connection,
        TryReading(sequence=sequence, faces=faces, too_dark=observation.too_dark).to_json(),
    )
