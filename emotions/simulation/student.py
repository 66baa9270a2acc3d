"""One synthetic student's socket: frames leave on schedule, whatever comes back (an open loop)."""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from emotions.frames.frame import FrameHeader
from emotions.frames.reading import DeviceReading
from emotions.messages import CameraStateChanged, CheckInSaid, CloseCode, DeviceBegan, Hello
from emotions.simulation.joining import Ticket
from emotions.simulation.moods import Mood
from emotions.simulation.pictures import Picture
from emotions.simulation.tally import Outstanding, Tally
from ml.labels import LABELS
from ml.serving.manifest import Manifest

GRACE_S = 5.0
"""How long the answers to the last frames are waited for."""
LONGEST_PAUSE_S = 15.0
LIKELY = 0.7
"""What a synthetic device's reading gives to its picture's label; the rest is shared evenly."""
BOX = (0.3, 0.2, 0.4, 0.5)
FINAL_CODES = frozenset(CloseCode)


class Camera(Protocol):
    """Where a student's pictures come from."""

    def picture(self, elapsed_s: float) -> Picture: ...

    def says(self, elapsed_s: float) -> str | None: ...


@dataclass(frozen=True, slots=True)
class MoodyCamera:
    """Shows a mood, and says what goes with it."""

    mood: Mood
    showing: Callable[[str], Picture]

    def picture(self, elapsed_s: float) -> Picture:
        return self.showing(self.mood.label(elapsed_s))

    def says(self, elapsed_s: float) -> str | None:
        return self.mood.says(elapsed_s)


@dataclass(frozen=True, slots=True)
class ShufflingCamera:
    """Shows the bank's pictures in their own proportion: for comparing labels."""

    pictures: list[Picture]
    rng: np.random.Generator

    def picture(self, elapsed_s: float) -> Picture:
        return self.pictures[int(self.rng.integers(len(self.pictures)))]

    def says(self, elapsed_s: float) -> str | None:
        return None


@dataclass(frozen=True, slots=True)
class Schedule:
    """`start`: monotonic seconds of the run's beginning; `offset`: this student's place within an interval, so that
    a class does not send in step; `seconds` 0 means for ever."""

    start: float
    offset: float
    interval: float
    seconds: float

    def due(self, sequence: int) -> float:
        return self.start + self.offset + sequence * self.interval

    def over(self, at: float) -> bool:
        return bool(self.seconds) and at - self.start >= self.seconds


class Diary:
    """What a student notes of each frame; this one notes nothing. `clock_error`: seconds that the student's computer
    is wrong by now."""

    clock_error = 0.0

    def connected(self) -> None: ...

    def sent(self, sequence: int) -> None: ...

    def heard(self, message: Mapping[str, Any]) -> None: ...


class Student:
    """Streams until the schedule is over or the server closes for good; comes back after other interruptions."""

    def __init__(
        self,
        url: str,
        ticket: Ticket,
        camera: Camera,
        schedule: Schedule,
        tally: Tally,
        diary: Diary | None = None,
    ) -> None:
        self._url = f"{url}/ws/camera/{ticket.session_id}/"
        self._cookie, self._camera, self._schedule, self._tally = ticket.cookie, camera, schedule, tally
        self._diary = diary or Diary()
        self._outstanding = Outstanding(tally)
        self._epoch: asyncio.Future[int]

    async def run(self, tls: ssl.SSLContext | None) -> None:
        pause = 1.0
        while not self._schedule.over(time.monotonic()):
            try:
                async with self._connection(tls) as socket:
                    pause = 1.0
                    await self._stream(socket)
                return
            except (OSError, InvalidHandshake, TimeoutError):
                pass  # not there (yet): try again below
            except ConnectionClosed as closed:
                code = closed.rcvd.code if closed.rcvd else 1006
                self._tally.closed[code] += 1
                if code in FINAL_CODES:
                    return
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_S)

    def _connection(self, tls: ssl.SSLContext | None) -> connect:
        origin = self._url.replace("ws", "http", 1).split("/ws/")[0]
        return connect(
            self._url,
            additional_headers={"Cookie": self._cookie, "Origin": origin},
            compression=None,  # JPEG does not compress further
            ssl=tls,
            proxy=None,
        )

    async def _stream(self, socket: ClientConnection) -> None:
        """Send and receive until the schedule is over; raises ConnectionClosed."""
        self._epoch = asyncio.get_running_loop().create_future()
        listening = asyncio.create_task(self._listen(socket))
        sending = asyncio.create_task(self._greet_and_send(socket))
        try:
            await asyncio.wait({listening, sending}, return_when="FIRST_COMPLETED")
            if listening.done():
                listening.result()
            await self._await_answers()
        finally:
            listening.cancel()
            sending.cancel()

    async def _greet_and_send(self, socket: ClientConnection) -> None:
        await self._greet(socket)
        await self._send_all(socket)

    async def _greet(self, socket: ClientConnection) -> None:
        self._diary.connected()
        await socket.send(Hello(client_ms=self._now_ms()).to_json())
        await socket.send(CameraStateChanged(state="on").to_json())

    async def _send_all(self, socket: ClientConnection) -> None:
        epoch, schedule = await self._epoch, self._schedule
        sequence = max(0, int((time.monotonic() - schedule.start - schedule.offset) // schedule.interval) + 1)
        while not schedule.over(due := schedule.due(sequence)):
            await asyncio.sleep(due - time.monotonic())
            await self._send(socket, sequence, due, epoch)
            sequence += 1

    async def _send(self, socket: ClientConnection, sequence: int, due: float, epoch: int) -> None:
        elapsed = due - self._schedule.start
        picture = self._camera.picture(elapsed)
        captured_ms = self._now_ms() - (time.monotonic() - due) * 1000
        self._outstanding.sent(sequence, due, picture.label)
        self._diary.sent(sequence)
        await socket.send(self._message(FrameHeader(sequence, captured_ms, epoch), picture))
        if word := self._camera.says(elapsed):
            await socket.send(CheckInSaid.model_validate({"word": word}).to_json())

    def _message(self, header: FrameHeader, picture: Picture) -> bytes:
        return header.pack() + picture.jpeg

    async def _listen(self, socket: ClientConnection) -> None:
        async for message in socket:
            self._take(json.loads(message))
        raise ConnectionError("the server went away")  # it closed politely, as for a restart

    def _now_ms(self) -> float:
        """What the student's own clock says."""
        return (time.time() + self._diary.clock_error) * 1000

    def _take(self, message: dict[str, Any]) -> None:
        self._diary.heard(message)
        match message["type"]:
            case "reading.own":
                self._outstanding.result(message["sequence"], message["label"], time.monotonic())
            case "frame.replaced":
                self._outstanding.replaced(message["sequence"])
            case "frame.rejected":
                self._outstanding.rejected(message["sequence"], message["reason"])
            case "welcome" if not self._epoch.done():
                self._epoch.set_result(message["consent_epoch"])

    async def _await_answers(self) -> None:
        for _ in range(int(GRACE_S * 20)):
            if not self._outstanding:
                return
            await asyncio.sleep(0.05)
        self._outstanding.give_up(time.monotonic(), after=GRACE_S)


class DeviceStudent(Student):
    """One whose own device reads the pictures. It sends the bank's labels: nothing is analysed anywhere."""

    async def _greet(self, socket: ClientConnection) -> None:
        await super()._greet(socket)
        await socket.send(DeviceBegan(model_version=Manifest.load().device_version).to_json())

    def _message(self, header: FrameHeader, picture: Picture) -> bytes:
        rest = (1 - LIKELY) / (len(LABELS) - 1)
        likely = tuple(LIKELY if label == picture.label else rest for label in LABELS)
        return DeviceReading(header, likely, BOX, 1, None).pack()
