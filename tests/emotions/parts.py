"""What the tests of emotions are made of: participants, pictures, frames, observations."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from django.contrib.auth.models import User

from classroom import actions, consent, rooms
from classroom.models import ClassSession, Participant
from emotions.frames.frame import FrameHeader, SlotFrame
from emotions.mood.trouble import troubled
from emotions.readings.observations import FaceRead, Observation, RoomSums


def joined(session: ClassSession, name: str, scope: str = "individual") -> Participant:
    """A participant who has answered the consent text; not asked yet for scope ""."""
    participant = actions.join(session, name)
    if scope:
        actions.record_consent(participant, scope, consent.text_for(session).sha256)
    return participant


def jpeg(width: int = 64, height: int = 48) -> bytes:
    """A small grey picture: decodable, without a face."""
    done, data = cv2.imencode(".jpg", np.full((height, width, 3), 128, np.uint8))
    assert done
    return bytes(data)


def message(
    sequence: int = 1, epoch: int = 1, captured_ms: float | None = None, picture: bytes | None = None
) -> bytes:
    """A frame as a browser sends it, captured now by default."""
    header = FrameHeader(sequence, time.time() * 1000 if captured_ms is None else captured_ms, epoch)
    return header.pack() + (jpeg() if picture is None else picture)


def slot_frame(participant: int = 1, session: int = 1, **changes: Any) -> SlotFrame:
    now = time.time() * 1000
    values: dict[str, Any] = {
        "connection": uuid.uuid4(), "participant": participant, "session": session, "sequence": 1,
        "consent_epoch": 1, "scope": "individual", "captured_ms": now, "received_ms": now, "jpeg": b"picture",
    }  # fmt: skip
    return SlotFrame(**(values | changes))


def frame_of(participant: Participant, **changes: Any) -> SlotFrame:
    values: dict[str, Any] = {"consent_epoch": participant.consent_epoch, "scope": participant.scope, "jpeg": b""}
    return slot_frame(participant.pk, **({"session": participant.session_id} | values | changes))


def room_sums(camera: Participant, faces: int = 8, **changes: Any) -> RoomSums:
    """What a worker keeps of one picture of a room: everybody in it is half happy, half neutral."""
    values = {"consent_epoch": camera.consent_epoch, "scope": "room", "jpeg": b""}
    frame = slot_frame(camera.pk, session=camera.session_id, **(values | changes))
    return RoomSums(frame, faces, 1, (0.0, 0.0, 0.0, faces / 2, 0.0, 0.0, faces / 2), "test")


def room_camera(session: ClassSession, by: User) -> Participant:
    """As the instructor declares it."""
    return actions.declare_room(session, by, rooms.declaration(session).sha256).participant


HAPPY = (0.02, 0.01, 0.02, 0.80, 0.05, 0.05, 0.05)


def observation(frame: SlotFrame, probabilities: tuple[float, ...] = HAPPY, **changes: Any) -> Observation:
    """One happy face, unless told otherwise."""
    face = FaceRead((0.1, 0.2, 0.3, 0.4), probabilities, "happy", max(probabilities), uncertain=False)
    values: dict[str, Any] = {"faces": (face,), "face_count": 1, "model_version": "test"}
    return Observation(frame, **(values | changes))


@dataclass(frozen=True, slots=True)
class MeanEstimate:
    shares: npt.NDArray[np.float32]
    low: npt.NDArray[np.float32]
    high: npt.NDArray[np.float32]
    troubled: npt.NDArray[np.float32]


class MeanEstimator:
    """The plainest estimate, whose outcome can be told beforehand: means, with a band of a tenth on both sides."""

    model_version = "means"

    def estimate(self, probabilities: npt.NDArray[np.float32]) -> MeanEstimate:
        shares = probabilities.mean(axis=0)
        ends = np.array(around(troubled(shares.tolist()), 0.1), np.float32)
        return MeanEstimate(shares, np.maximum(shares - 0.1, 0), np.minimum(shares + 0.1, 1), ends)


def around(share: float, half: float) -> tuple[float, float]:
    """A band of `half` on both sides."""
    return max(0.0, share - half), min(1.0, share + half)
