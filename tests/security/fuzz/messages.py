"""Malformed messages for every socket, from a seed: the same seed gives the same messages."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from random import Random
from typing import Any

from tests.pipeline.students import portrait

Message = bytes | str
HEADER = struct.Struct(">IdI")
BODY = struct.Struct(">7f4fBB")
TIMES = [0.0, -1.0, 1e300, -1e300, float("nan"), float("inf"), float("-inf"), 5e-324, 1.8e12]
TYPES = [
    "hello", "camera.state", "check_in", "hand", "device.began", "welcome", "mood.tick", "websocket.close",
    "taken_over", "",
]  # fmt: skip
NUMBERS = [-1.0, -0.0, 5e-39, 0.5, 1.0, 3.4e38, float("nan"), float("inf"), float("-inf")]
VALUES: list[Any] = [
    None, True, -1, 0, 1e308, 10**40, "", "on", "lost", "x" * 300, "\x00", "\ud7ff\u202e", [], {}, [[]] * 20,
    {"type": "hello"}, "<script>", "' OR 1=1 --", "../../etc/passwd",
]  # fmt: skip
FIELDS = ["type", "client_ms", "state", "word", "up", "model_version", "extra", "__class__", "place", "scope"]


class Fuzzer:
    """Makes messages that no page of ours sends. Few are so wrong that they close the socket at once: most must go
    through as many checks as possible."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._sequence = 0

    def frame(self, epoch: int = 1) -> bytes:
        """A binary message: noise, or a real picture with a fault somewhere."""
        return self._random.choice(self._frames())(epoch)

    def text(self) -> str:
        """A text message: no JSON, or JSON that is no message."""
        kinds: list[Callable[[], str]] = [self._noise_text, self._wrong_fields, self._deep, self._cut]
        return self._random.choice(kinds)()

    def frames_then_text(self, frames: int) -> list[Message]:
        """What one connection sends: as many frames as pass the rate first, and a text that ends it."""
        return [*(self.frame() for _ in range(frames)), self.text()]

    def reading(self, epoch: int = 1) -> bytes:
        """A binary message of a socket that reads on its device: a reading with a fault somewhere, or none at all."""
        return self._random.choice(self._readings())(epoch)

    def readings_then_text(self, readings: int, version: str) -> list[Message]:
        """What one connection sends that reads on its device, by the network of this `version` or by no such one."""
        version = self._random.choice([version, version, version, version[:-1], "", "x" * 40])
        began = json.dumps({"type": "device.began", "model_version": version})
        return [began, *(self.reading() for _ in range(readings)), self.text()]

    def raw(self) -> bytes:
        """Bytes behind the handshake that are no WebSocket frames."""
        pick = self._random.randrange(6)
        body = self._random.randbytes(self._random.randrange(60))
        header = [
            bytes([0x83 + self._random.randrange(5), 0x80 | len(body) & 0x3F]),  # an opcode that is reserved
            b"\x82\x05",  # not masked
            b"\x82\xff" + struct.pack(">Q", 2**63 + self._random.randrange(2**20)),  # longer than anything
            b"\x81\xfe\xff\xff" + bytes(4) + b"\xff\xfe\xfd",  # no UTF-8
            b"\x89\xfe\x01\x00",  # a ping that is too long
            b"\x00\x80" + bytes(4),  # a part of nothing
        ][pick]
        return header + body

    # -- Frames

    def _frames(self) -> list[Callable[[int], bytes]]:
        return [self._noise, self._headless, self._flipped, self._cut_picture, self._declaring, self._many_scans,
                self._wrong_numbers, self._nested]  # fmt: skip

    def _header(self, epoch: int) -> bytes:
        self._sequence += 1
        return HEADER.pack(self._sequence, 1.8e12, epoch)

    def _noise(self, epoch: int) -> bytes:
        return self._random.randbytes(self._random.choice([0, 1, 15, 16, 17, 100, 3000]))

    def _headless(self, epoch: int) -> bytes:
        return portrait()[: self._random.randrange(16)]

    def _flipped(self, epoch: int) -> bytes:
        """A picture of which some bytes are others: it may well be decoded."""
        picture = bytearray(portrait())
        for _ in range(self._random.choice([1, 3, 30])):
            picture[self._random.randrange(len(picture))] = self._random.randrange(256)
        return self._header(epoch) + bytes(picture)

    def _cut_picture(self, epoch: int) -> bytes:
        picture = portrait()
        return (
            self._header(epoch)
            + picture[: self._random.randrange(len(picture))]
            + self._random.choice([b"", b"\xff\xd9"])
        )

    def _declaring(self, epoch: int) -> bytes:
        """A few bytes that claim gigabytes."""
        picture = bytearray(portrait())
        place = picture.index(b"\xff\xc0") + 5
        picture[place : place + 4] = self._random.randbytes(4)
        return self._header(epoch) + bytes(picture)

    def _many_scans(self, epoch: int) -> bytes:
        picture = portrait()
        start = picture.index(b"\xff\xda")
        return (
            self._header(epoch)
            + picture[:start]
            + picture[start : start + 14] * self._random.randrange(2, 2000)
            + b"\xff\xd9"
        )

    def _wrong_numbers(self, epoch: int) -> bytes:
        numbers = self._random.choice([0, 1, 2**31, 2**32 - 1]), self._random.choice(TIMES)
        return HEADER.pack(*numbers, self._random.choice([0, epoch, 2**32 - 1])) + portrait()

    def _nested(self, epoch: int) -> bytes:
        """Segments that contain themselves, or end nowhere."""
        segment = b"\xff" + bytes([self._random.choice([0xE1, 0xDB, 0xC4, 0xFE])]) + self._random.randbytes(2)
        return self._header(epoch) + b"\xff\xd8" + segment * self._random.randrange(1, 400) + b"\xff\xd9"

    # -- Readings

    def _readings(self) -> list[Callable[[int], bytes]]:
        return [self._sound, self._odd_numbers, self._odd_box, self._odd_ends, self._odd_length, self._odd_header,
                self._noise_reading, self.frame]  # fmt: skip

    def _body(self, epoch: int, **changes: Any) -> bytes:
        whole = {"header": self._header(epoch), "seven": self._seven(), "box": (0.1, 0.1, 0.3, 0.4), "ends": (1, 0)}
        parts = whole | changes
        return bytes(parts["header"]) + BODY.pack(*parts["seven"], *parts["box"], *parts["ends"])

    def _seven(self) -> list[float]:
        """As a network would have them."""
        weights = [self._random.random() for _ in range(7)]
        return [weight / sum(weights) for weight in weights]

    def _sound(self, epoch: int) -> bytes:
        """Right in itself; what comes before and after it is not."""
        return self._body(epoch)

    def _odd_numbers(self, epoch: int) -> bytes:
        seven = self._seven()
        for _ in range(self._random.choice([1, 2, 7])):
            seven[self._random.randrange(7)] = self._random.choice(NUMBERS)
        return self._body(epoch, seven=seven)

    def _odd_box(self, epoch: int) -> bytes:
        return self._body(epoch, box=[self._random.choice(NUMBERS) for _ in range(4)])

    def _odd_ends(self, epoch: int) -> bytes:
        return self._body(epoch, ends=(self._random.choice([0, 1, 255]), self._random.randrange(256)))

    def _odd_length(self, epoch: int) -> bytes:
        whole = self._body(epoch) + self._random.randbytes(20)
        return whole[: self._random.randrange(len(whole))]

    def _odd_header(self, epoch: int) -> bytes:
        numbers = self._random.choice([0, 1, 2**31, 2**32 - 1]), self._random.choice(TIMES)
        return self._body(epoch, header=HEADER.pack(*numbers, self._random.choice([0, epoch, 2**32 - 1])))

    def _noise_reading(self, epoch: int) -> bytes:
        return self._random.randbytes(HEADER.size + BODY.size)

    # -- Texts

    def _noise_text(self) -> str:
        return "".join(chr(self._random.choice([0, 34, 92, 123, 125, 0x7F, 0x202E, 0xFFFD])) for _ in range(40))

    def _wrong_fields(self) -> str:
        chosen = {name: self._random.choice(VALUES) for name in self._random.sample(FIELDS, 3)}
        return json.dumps({"type": self._random.choice(TYPES)} | chosen)

    def _deep(self) -> str:
        return self._random.choice(["[", '{"a":']) * self._random.choice([10, 300, 1900])

    def _cut(self) -> str:
        whole = json.dumps({"type": self._random.choice(TYPES), "client_ms": 1.0})
        return whole[: self._random.randrange(len(whole))]
