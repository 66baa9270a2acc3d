"""A picture that declares more than a camera takes is refused before it is decoded, whatever its kind."""

from __future__ import annotations

import resource
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from ml.data.folder import colour_picture
from ml.data.problems import DataError
from ml.predict import PictureError, read_picture
from ml.serving.picture_size import MOST_PIXELS, _declared, too_large


def _encoded(kind: str, width: int = 300, height: int = 200, options: tuple[int, ...] = ()) -> bytes:
    rng = np.random.default_rng(1)
    done, data = cv2.imencode(kind, rng.integers(0, 255, (height, width, 3), np.uint8), options)
    assert done
    return bytes(data)


KINDS = {
    "jpeg": _encoded(".jpg"),
    "png": _encoded(".png"),
    "bmp": _encoded(".bmp"),
    "webp, lossy": _encoded(".webp", options=(cv2.IMWRITE_WEBP_QUALITY, 50)),
    "webp, lossless": _encoded(".webp", options=(cv2.IMWRITE_WEBP_QUALITY, 101)),
}


def _png_bomb(side: int = 30_000) -> bytes:
    """A grey square of 900 million pixels in under a megabyte."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    packer = zlib.compressobj(9)
    rows = b"".join(packer.compress(bytes(side + 1)) for _ in range(side)) + packer.flush()
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_picture_declares_is_read_from_its_header(kind: str) -> None:
    assert _declared(KINDS[kind]) == (300, 200)
    assert not too_large(KINDS[kind])


def test_stray_bytes_hide_no_header() -> None:
    """Decoders pass over them."""
    picture = bytearray(KINDS["jpeg"])
    at = picture.index(b"\xff\xc0")
    picture[at + 5 : at + 9] = struct.pack(">HH", 20_000, 10_000)
    assert too_large(bytes(picture[:at] + b"\0\0" + picture[at:]))
    assert _declared(KINDS["jpeg"][:at] + b"\0\0" + KINDS["jpeg"][at:]) == (300, 200)


def test_a_header_that_no_decoder_takes_is_no_picture(tmp_path: Path) -> None:
    path = tmp_path / "wide.bmp"
    content = bytearray(KINDS["bmp"])
    content[18:26] = struct.pack("<ii", 1_048_580, 1)
    path.write_bytes(content)
    assert not too_large(bytes(content))
    with pytest.raises(DataError, match="does not decode"):
        colour_picture(path)
    with pytest.raises(PictureError, match="expected a picture"):
        read_picture(path)


def test_an_extended_webp_declares_its_canvas() -> None:
    size = (20_000 - 1).to_bytes(3, "little") + (10_000 - 1).to_bytes(3, "little")
    picture = b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0" + bytes(4) + size
    assert _declared(picture) == (20_000, 10_000)
    assert too_large(picture)


@pytest.mark.parametrize("data", [b"", b"RIFF", b"\x89PNG\r\n\x1a\n", b"BM", b"\xff\xd8\xff", b"GIF89a", b"x" * 99])
def test_what_declares_nothing_is_left_to_the_decoder(data: bytes) -> None:
    assert not too_large(data)


def test_a_bomb_is_refused_in_words_and_costs_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(_png_bomb())
    assert path.stat().st_size < 2**20
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(DataError, match=f"at most {MOST_PIXELS:,} pixels"):
        colour_picture(path)
    with pytest.raises(PictureError, match="declares more"):
        read_picture(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000
