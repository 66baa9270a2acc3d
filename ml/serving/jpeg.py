"""What a JPEG says about itself, read without decoding it: a few bytes can declare gigabytes of pixels."""

from __future__ import annotations

START = b"\xff\xd8\xff"
END = b"\xff\xd9"
SCAN = 0xDA
WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})
FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


class BadJpegError(ValueError):
    """Not a whole JPEG. `reason`: not_jpeg or truncated."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def declared_size(data: bytes) -> tuple[int, int]:
    """(width, height) in pixels as the frame header declares them; nothing is decoded.

    Raises BadJpegError: "not_jpeg" when it does not begin as a JPEG or its segments make no sense, "truncated" when
    it stops before its header, its picture or its end marker.
    """
    if not data.startswith(START):
        raise BadJpegError("not_jpeg")
    position, size = 2, None
    while True:
        marker, position = _next_marker(data, position)
        if marker == SCAN:
            break
        length = int.from_bytes(_part(data, position, 2))
        if marker in FRAME_HEADERS:
            size = _frame_size(_part(data, position, 7))
        position += max(length, 2)
    if size is None:
        raise BadJpegError("not_jpeg")
    # A camera's picture ends with the marker; some programs write more after it.
    if not data.endswith(END) and data.find(END, position) < 0:
        raise BadJpegError("truncated")
    return size


def _next_marker(data: bytes, position: int) -> tuple[int, int]:
    """The next segment's marker and where its length stands."""
    while True:
        if _part(data, position, 1) != b"\xff":
            raise BadJpegError("not_jpeg")
        marker = _part(data, position + 1, 1)[0]
        if marker == 0xFF:
            position += 1
        elif marker in WITHOUT_LENGTH:
            position += 2
        elif marker == END[1]:
            raise BadJpegError("not_jpeg")
        else:
            return marker, position + 2


def _frame_size(header: bytes) -> tuple[int, int]:
    return int.from_bytes(header[5:7]), int.from_bytes(header[3:5])


def _part(data: bytes, position: int, length: int) -> bytes:
    part = data[position : position + length]
    if len(part) < length:
        raise BadJpegError("truncated")
    return part
