"""How large a picture says it is, before anything is decoded: a PNG of a few kilobytes can unpack to gigabytes."""

from __future__ import annotations

from ml.jpeg import START, BadJpegError, declared_size

MOST_PIXELS = 64 * 2**20
"""As many as a camera takes; 192 MB once decoded."""


def too_large(data: bytes) -> bool:
    """Whether its header declares more than MOST_PIXELS. What declares nothing that we read is left to the decoder,
    which refuses it, or to its own limits."""
    width, height = _declared(data)
    return width * height > MOST_PIXELS


def _declared(data: bytes) -> tuple[int, int]:
    if data.startswith(START):
        return _jpeg(data)
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return _big(data[16:20]), _big(data[20:24])
    if data.startswith(b"BM"):
        return abs(_signed(data[18:22])), abs(_signed(data[22:26]))
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _webp(data)
    return 0, 0


def _jpeg(data: bytes) -> tuple[int, int]:
    """A picture without its end is still decoded in training; its header counts all the same."""
    try:
        return declared_size(data + b"\xff\xd9")
    except BadJpegError:
        return 0, 0


def _webp(data: bytes) -> tuple[int, int]:
    """Of its three kinds: extended, lossless, lossy."""
    kind, body = data[12:16], data[20:]
    if kind == b"VP8X":
        return _little(body[4:7]) + 1, _little(body[7:10]) + 1
    if kind == b"VP8L":
        bits = _little(body[1:5])
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return _little(body[6:8]) & 0x3FFF, _little(body[8:10]) & 0x3FFF


def _big(part: bytes) -> int:
    return int.from_bytes(part, "big")


def _little(part: bytes) -> int:
    return int.from_bytes(part, "little")


def _signed(part: bytes) -> int:
    return int.from_bytes(part, "little", signed=True)
