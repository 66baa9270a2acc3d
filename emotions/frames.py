"""A frame on its way: the header on the wire. (The newest-frame slots stand below it.)"""

from __future__ import annotations

import struct
from dataclasses import dataclass

_HEADER = struct.Struct(">IdI")
HEADER_BYTES = _HEADER.size


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
        """Raises ValueError for a message shorter than a header."""
        if len(message) < HEADER_BYTES:
            raise ValueError(f"a frame begins with {HEADER_BYTES} bytes of header, received {len(message)} bytes")
        return cls(*_HEADER.unpack_from(message))
