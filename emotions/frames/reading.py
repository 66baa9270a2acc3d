"""A reading on its way from a student's own device: 62 bytes, no picture."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass

from emotions.frames.frame import HEADER_BYTES, FrameHeader
from emotions.messages import Fractions, Help
from ml.labels import LABELS

BODY_FORMAT = f">{len(LABELS)}f4fBB"
_BODY = struct.Struct(BODY_FORMAT)
READING_BYTES = HEADER_BYTES + _BODY.size
HELPS: tuple[Help | None, ...] = (None, "too_far", "too_dark")
"""By number on the wire. Without a face nothing is sent."""
ROUNDING = 0.001
"""How far float32 may take the sum of the seven from 1."""
FARTHEST = 2.0
"""A box may reach past the frame's edge, in frames."""


@dataclass(frozen=True, slots=True)
class DeviceReading:
    """What the browser says of one frame, under the header that a frame has. `probabilities`: seven, summing to 1."""

    header: FrameHeader
    probabilities: tuple[float, ...]
    box: Fractions
    face_count: int
    help: Help | None

    def pack(self) -> bytes:
        return self.header.pack() + _BODY.pack(
            *self.probabilities, *self.box, self.face_count, HELPS.index(self.help)
        )

    @classmethod
    def unpack(cls, message: bytes) -> DeviceReading:
        """Raises ValueError for another length, values that are no probabilities, or a box that is none."""
        if len(message) != READING_BYTES:
            raise ValueError(f"a reading has {READING_BYTES} bytes, received {len(message)}")
        *values, face_count, number = _BODY.unpack_from(message, HEADER_BYTES)
        probabilities, box = tuple(values[: len(LABELS)]), tuple(values[len(LABELS) :])
        if not face_count or number >= len(HELPS):
            raise ValueError(f"expected a face and a help below {len(HELPS)}, received {face_count} and {number}")
        header = FrameHeader.unpack(message)
        return cls(header, _normal(probabilities), _inside(box), face_count, HELPS[number])


def _normal(values: tuple[float, ...]) -> tuple[float, ...]:
    total = sum(values)
    # Written so that what is no number fails, too.
    if not (all(value >= 0 for value in values) and abs(total - 1) <= ROUNDING):
        raise ValueError(f"expected probabilities that sum to 1, received {values}")
    return tuple(value / total for value in values)


def _inside(box: tuple[float, ...]) -> Fractions:
    x, y, width, height = box
    if not all(math.isfinite(value) and abs(value) <= FARTHEST for value in box) or width <= 0 or height <= 0:
        raise ValueError(f"expected a box in fractions of the frame, received {box}")
    return x, y, width, height
