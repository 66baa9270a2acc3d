"""Pictures from files: how large one says it is, then its pixels. A PNG of kilobytes can unpack to gigabytes."""

from __future__ import annotations

import re

import cv2
import numpy as np

from ml.serving.jpeg import START, BadJpegError, declared_size
from ml.types import ByteArray

MOST_PIXELS = 64 * 2**20
"""As many as a camera takes; 192 MB once decoded."""


_FRAME_HEADER = re.compile(
    rb"\xff[\xc0-\xc3\xc5-\xc7\xc9-\xcb\xcd-\xcf]\x00[\x08-\x14][\x08\x0c](..)(..)[\x01-\x04]", re.DOTALL
)
"""A JPEG's: length, bits of a sample, height, width, number of components."""


def decoded(data: bytes, mode: int) -> ByteArray | None:
    """The picture as `cv2.imdecode` gives it in this mode; None for what does not decode as one."""
    try:
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), mode) if data else None
    except cv2.error:  # a header that contradicts itself, or sizes past OpenCV's own limits
        return None
    return None if picture is None else np.asarray(picture, np.uint8)


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
    """A picture without its end is still decoded in training; its header counts all the same. So does the largest
    header in a file whose segments make no sense: decoders pass over stray bytes."""
    try:
        return declared_size(data + b"\xff\xd9")
    except BadJpegError:
        sizes = [(_big(width), _big(height)) for height, width in _FRAME_HEADER.findall(data)]
        return max(sizes, key=lambda size: size[0] * size[1], default=(0, 0))


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
