"""A frame on its way: the header on the wire, the header in its slot, and what is refused at the door."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass, field
from uuid import UUID

from django.conf import settings

from emotions.messages import RejectReason
from ml.serving.jpeg import BadJpegError, declared_size

HEADER_FORMAT = ">IdI"
_HEADER = struct.Struct(HEADER_FORMAT)
HEADER_BYTES = _HEADER.size

# Pixels. Below the network's own input there is no face to read; above, a few bytes would declare gigabytes.
SMALLEST_SIDE = 48
LARGEST_SIDE = 1920
# Each scan of a progressive picture goes over all its pixels: thousands fit into 60 kB, and take a worker seconds.
# Encoders write one, progressive ones about ten.
MOST_SCANS = 16
_SCAN = b"\xff\xda"
_LARGEST_MESSAGE = 1_000_000
"""Unless the settings take larger frames."""


@dataclass(frozen=True, slots=True)
class FrameHeader:
    """What the browser writes before each JPEG. `captured_ms`: its own clock, Unix milliseconds."""

    sequence: int
    captured_ms: float
    consent_epoch: int

    def pack(self) -> bytes:
        return _HEADER.pack(self.sequence, self.captured_ms, self.consent_epoch)

    @classmethod
    def unpack(cls, message: bytes) -> FrameHeader:
        """Raises ValueError for a message shorter than a header, or a time that is no number."""
        if len(message) < HEADER_BYTES:
            raise ValueError(f"a frame begins with {HEADER_BYTES} bytes of header, received {len(message)} bytes")
        header = cls(*_HEADER.unpack_from(message))
        if not math.isfinite(header.captured_ms):
            raise ValueError(f"captured_ms: expected a finite number, received {header.captured_ms}")
        return header


def fault_of(jpeg: bytes, largest: int = 0) -> RejectReason | None:
    """What is wrong with a picture, as far as its header and its end tell; None if it may be decoded.

    `largest`: bytes, by default as the settings say."""
    if len(jpeg) > (largest or settings.FRAME_MAX_BYTES):
        return "too_large"
    try:
        width, height = declared_size(jpeg)
    except BadJpegError as error:
        return "truncated" if error.reason == "truncated" else "not_jpeg"
    if min(width, height) < SMALLEST_SIDE or max(width, height) > LARGEST_SIDE:
        return "dimensions"
    return "undecodable" if jpeg.count(_SCAN) > MOST_SCANS else None


def largest_message() -> int:
    """Bytes. Up to it a frame that is too large is answered; beyond it a message is no frame, and its socket closes.
    The server itself lets two million through (classroom.local.services)."""
    return max(_LARGEST_MESSAGE, HEADER_BYTES + settings.FRAME_MAX_BYTES * 3 // 2)


_SLOT = struct.Struct(">16sQQIIBdd")
SLOT_HEADER_BYTES = _SLOT.size
# By number in the slot's header. NONE: nobody's, a visitor of the try page. ROOM: of a room's camera.
SCOPES = ("none", "aggregate", "individual", "room")


@dataclass(frozen=True, slots=True)
class SlotFrame:
    """A frame in Redis: whose it is, under which consent, and its JPEG.

    `captured_ms`, `received_ms`: the server's clock. A visitor of the try page is participant 0 of session 0.
    """

    connection: UUID
    participant: int
    session: int
    sequence: int
    consent_epoch: int
    scope: str
    captured_ms: float
    received_ms: float
    # Never in words: a log or an error that shows a frame must not show its picture.
    jpeg: bytes = field(default=b"", repr=False)

    def pack(self) -> bytes:
        header = _SLOT.pack(
            self.connection.bytes,
            self.participant,
            self.session,
            self.sequence,
            self.consent_epoch,
            SCOPES.index(self.scope),
            self.captured_ms,
            self.received_ms,
        )
        return header + self.jpeg

    @classmethod
    def unpack(cls, value: bytes) -> SlotFrame:
        """A slot's value, or only its first SLOT_HEADER_BYTES (then without the JPEG)."""
        connection, participant, session, sequence, epoch, scope, captured, received = _SLOT.unpack_from(value)
        return cls(
            UUID(bytes=connection),
            participant,
            session,
            sequence,
            epoch,
            SCOPES[scope],
            captured,
            received,
            value[SLOT_HEADER_BYTES:],
        )
